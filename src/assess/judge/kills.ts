/** What a server that was killed in the middle of its writes had of them afterwards, beside what it had promised. */
import type { CandidateResult } from '../../result/result.ts'

type Kills = NonNullable<CandidateResult['kills']>

/** At fsync it keeps all that it acknowledged; without it all but the last. */
export const keepsPromise = ({ lost, lostWithinSeconds }: Kills, durability: string) =>
  lost === 0 || (durability !== 'fsync' && lostWithinSeconds !== null)

export const killedText = ({ times }: Kills) => `killed ${times === 1 ? 'once' : `${times} times`} in the middle of its writes`
