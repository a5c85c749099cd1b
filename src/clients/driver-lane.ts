/** A lane over a session's driver: what an application on that driver would see. */
import { fixedParameters, type ParamSource } from '../data/parameters.ts'
import type { Lane, Session } from '../engines/engine.ts'
import { messageOf } from '../errors.ts'

export function driverLane(session: Session, slots: number): Lane {
  const lane: Lane = {
    slots,
    onDone: () => {},
    onAnswer: () => {},
    flush: () => {},
    send(slot: number, operation: number, params: ParamSource, keep: boolean) {
      // The values must outlive the call: a transaction reads them over several round trips.
      session.perform(operation, fixedParameters(params.values())).then(
        (reply) => {
          if (keep) lane.onAnswer(slot, reply.answer())
          lane.onDone(slot, reply.outcome, reply.rows, reply.retries, '')
        },
        (error: unknown) => lane.onDone(slot, 'error', 0, 0, errorCode(error)),
      )
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
  return lane
}

/** The server's or driver's own code, else the first words of the message. */
export function errorCode(error: unknown): string {
  const { code, codeName, name } = (error ?? {}) as { code?: unknown; codeName?: unknown; name?: unknown }
  const own = codeName ?? code
  return own === undefined || own === null ? `${String(name ?? 'Error')}: ${messageOf(error).slice(0, 80)}` : String(own)
}
