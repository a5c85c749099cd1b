/** One operation at a time through a lane, with its answer: the path of the replay, for verification. */
import type { WireSource } from '../data/parameters.ts'
import type { Answer } from '../data/value.ts'
import type { Lane } from '../engines/engine.ts'
import { partsOfKey } from '../measure/error-keys.ts'
import { ServerError, type ServerErrorCode } from './server-error.ts'

export class LaneAnswers {
  readonly #lane: Lane

  constructor(lane: Lane) {
    this.#lane = lane
  }

  perform(operation: number, params: WireSource): Promise<{ answer: () => Answer }> {
    return new Promise((resolve, reject) => {
      let kept: Answer | undefined
      this.#lane.onAnswer = (_slot, answer) => {
        kept = answer
      }
      this.#lane.onDone = (_slot, outcome, _rows, _retries, error) => {
        if (outcome === 'error') reject(errorOf(error))
        else resolve({ answer: () => kept as Answer })
      }
      this.#lane.send(0, operation, params, true)
      this.#lane.flush()
    })
  }
}

/** What a lane told of by its key. */
function errorOf(key: string): ServerError {
  const { code, detail } = partsOfKey(key)
  return new ServerError(code as ServerErrorCode, detail === '' ? code : `${code} (${detail})`, { detail })
}
