/** A lane over a session's driver: what an application on that driver would see. */
import { fixedParameters, type ParamSource } from '../data/parameters.ts'
import type { Lane, Session } from '../engines/engine.ts'
import { ServerError } from './server-error.ts'

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
          if (keep) lane.onAnswer(slot, reply.answer(), reply.cachedNs)
          lane.onDone(slot, reply.outcome, reply.rows, reply.retries, '', reply.cachedNs !== undefined)
        },
        (error: unknown) => lane.onDone(slot, 'error', 0, 0, errorCode(error)),
      )
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
  return lane
}

/** How trials count an error of a server. @throws what is none: that is a fault of ours, and ends the process that replays. */
export function errorCode(error: unknown): string {
  if (error instanceof ServerError) return error.key
  throw error
}
