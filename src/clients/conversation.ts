/** Conversations through a wire client: what one asks next is sent, what it came to is told. */
import { fixedParameters, positionsOf, type WireSource } from '../data/parameters.ts'
import type { Value } from '../data/value.ts'
import type { Compiled, Lane, Reply } from '../engines/engine.ts'
import type { Operation } from '../scenario/scenario.ts'
import { errorCode } from './driver-lane.ts'

export interface Carrier<Request> {
  ask(request: Request): void
  answered(reply: Reply): void
  finish(outcome: Parameters<Lane['onDone']>[1], rows: number, retries: number, error: string): void
}

/** What `talk` begins with the values of one call, by the names of its parameters. */
export function conversing<Talk>(
  { scenario }: Compiled,
  op: Operation,
  talk: (bound: (name: string) => Value) => Talk,
): (params: WireSource) => Talk {
  const positions = positionsOf(scenario, op)
  return (params) => {
    const fixed = fixedParameters(params.values())
    return talk((name) => fixed.value(positions.get(name) ?? -1))
  }
}

/** One step. `counted`: rows as a template counted them, which must be what the decoded answer has. @throws what is no error of a server */
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
