/** One step of a conversation through a wire client: what it asks next is sent, what it came to is told. */

import type { Lane, Reply } from '../engines/engine.ts'
import { errorCode } from './driver-lane.ts'

export interface Carrier<Request> {
  ask(request: Request): void
  answered(reply: Reply): void
  finish(outcome: Parameters<Lane['onDone']>[1], rows: number, retries: number, error: string): void
}

/** `counted`: rows as a template counted them, which must be what the decoded answer has. @throws what is no error of a server */
export function carry<Request>(step: () => IteratorResult<Request, Reply>, carrier: Carrier<Request>, counted?: number): void {
  try {
    const said = step()
    if (said.done !== true) {
      carrier.ask(said.value)
      return
    }
    const { outcome, rows, retries } = said.value
    if (counted !== undefined && counted !== rows) throw new Error(`a template counted ${counted} rows in an answer of ${rows}`)
    carrier.answered(said.value)
    carrier.finish(outcome, rows, retries, '')
  } catch (error) {
    carrier.finish('error', 0, 0, errorCode(error))
  }
}
