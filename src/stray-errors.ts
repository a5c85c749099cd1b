/** Errors that a driver throws outside of any call of ours, because a reply broke its protocol: they belong to the server that is being talked to. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { isOurs } from './clients/driver-errors.ts'
import { unreadable } from './clients/server-error.ts'
import { isOwnFault, messageOf } from './errors.ts'
import { redact } from './secrets.ts'

interface Owner {
  isOver: boolean
  reject: (error: unknown) => void
}

/** Several servers may be talked to at a time: an error belongs to the work that opened what threw it. */
const owners = new AsyncLocalStorage<Owner>()

/** While `work` runs, a stray error of what it opened rejects it; what `work` waited for is left behind. */
export function owningStrayErrors<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const owner = { isOver: false, reject }
    const over = () => {
      owner.isOver = true
    }
    owners.run(owner, () => work().then(resolve, reject).finally(over))
  })
}

/** `otherwise` is told of those that belong to nobody. */
export function catchStrayErrors(otherwise: (error: unknown) => void): void {
  process.on('uncaughtException', (error) => {
    const owner = owners.getStore()
    if (owner === undefined || owner.isOver) otherwise(error)
    else owner.reject(strayError(error))
  })
}

/** What nobody caught: a driver broke over a reply, which its server wrote, or code of ours broke. */
export function strayError(error: unknown): unknown {
  if (!(error instanceof Error) || !isOwnFault(error) || isOurs(error)) return error
  return Object.assign(unreadable(messageOf(error)), { cause: error })
}

/** A fault of ours as text, for another process. */
export const faultText = (thrown: unknown) => redact(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))

/** The fault that another process told of; its stack is of there. */
export function faultFrom(text: string, told = ''): Error {
  const message = text.split('\n')[0] ?? ''
  return Object.assign(new Error(`${told}${message}`), { stack: `${told}${text}` })
}
