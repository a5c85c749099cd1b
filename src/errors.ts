import { redact } from './secrets.ts'

/** The one error type that reaches the user as a sentence: what happened, where, why, and what to do next. */
export class TrialError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly exitCode: number

  /** `exitCode`: 1 internal · 2 usage or scenario · 3 environment · 4 incomplete. */
  constructor(code: string, message: string, options: { hint?: string; exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'TrialError'
    this.code = code
    this.hint = options.hint
    this.exitCode = options.exitCode ?? 3
  }
}

/** What Node says of a call that the system refused, of a program that ended badly, and what a container engine answered. */
const isRefusal = (thrown: object) => 'syscall' in thrown || 'cmd' in thrown || 'statusCode' in thrown

/** Whether what was thrown is a fault of dbtrial: it is no sentence on a server, on this machine or on what the user gave. It ends the run. */
export function isOwnFault(thrown: unknown): boolean {
  if (thrown instanceof TrialError) return thrown.exitCode === 1
  return !(thrown instanceof Error && isRefusal(thrown))
}

/** Hands on a fault of dbtrial; everything else is for whoever caught it. @throws the fault */
export function rethrowOwnFault(thrown: unknown): void {
  if (isOwnFault(thrown)) throw thrown
}

/** The message of anything that was thrown, in one line. */
export function messageOf(thrown: unknown): string {
  const text =
    thrown instanceof AggregateError && thrown.errors.length > 0
      ? messageOf(thrown.errors[0])
      : thrown instanceof Error
        ? thrown.message
        : String(thrown)
  return redact(text.split('\n')[0] ?? '')
}
