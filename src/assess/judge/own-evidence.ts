/** What a saved result tells of one candidate. */
import type { CandidateResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import type { Evidence } from './at-multiple.ts'

/** Of the mix that a candidate can do, as its result keeps it; how far calls of the loaded rows stand for production's is not asked. */
export function ownEvidence({ trials, compiled, steady }: CandidateResult, operations: Operation[]): Evidence {
  return {
    trials: trials.filter((trial) => trial.mix !== 'common'),
    operations,
    mix: new Set(compiled.map((each) => each.operation)),
    scaleLimited: new Set(),
    isLevel: steady?.reached !== false,
  }
}
