/** What a saved result tells of one candidate. */
import type { CandidateResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import type { Evidence } from './at-multiple.ts'

/** Of the mix that a candidate can do, as its result keeps it; how far calls of the loaded rows stand for production's is not asked. */
export function ownEvidence(candidate: CandidateResult, operations: Operation[]): Evidence {
  const { trials, compiled } = candidate
  return {
    trials: trials.filter((trial) => trial.mix !== 'common'),
    operations,
    mix: new Set(compiled.map((each) => each.operation)),
    scaleLimited: new Set(),
    isEndKnown: isEndKnown(candidate),
  }
}

/** Not of a server that was still becoming faster, which may do more when it is warm, nor of one that was asked through its driver, which may have been in the way. */
export const isEndKnown = (candidate: Pick<CandidateResult, 'steady' | 'trials'>) =>
  candidate.steady?.reached !== false && measuredThrough(candidate) === 'wire'

/** What the trials of a candidate were sent through, but for those that compare two clients, or warm for both. */
export const measuredThrough = ({ trials }: Pick<CandidateResult, 'trials'>) =>
  trials.find(({ phase }) => phase !== 'tax' && phase !== 'warm-up')?.client ?? 'wire'
