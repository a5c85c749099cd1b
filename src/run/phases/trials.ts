/** What the timed phases share: trials of the mix at a rate, repeated once where others disturbed them. */

import type { ClientKind } from '../../engines/engine.ts'
import type { TrialResult } from '../../result/result.ts'
import type { CandidateRun } from '../candidate.ts'
import type { TrialOrder } from '../orders.ts'

const warmUpOfTrial = 1

/** One open-loop trial; a noisy one is repeated once: both are kept, the report shows the first as noisy. */
export async function openTrial(
  run: CandidateRun,
  order: Pick<TrialOrder, 'phase' | 'multiple' | 'seconds' | 'repeat' | 'mix' | 'ratesPerSecond'>,
): Promise<TrialResult> {
  const attempt = () => run.runTrial({ ...order, loop: 'open', concurrency: run.connections, warmUpSeconds: warmUpOfTrial })
  const trial = await attempt()
  return trial.validity.verdict === 'noisy' && run.failure === null ? await attempt() : trial
}

/** One closed-loop trial of the mix. */
export function closedTrial(
  run: CandidateRun,
  order: Pick<TrialOrder, 'phase' | 'concurrency' | 'seconds' | 'repeat' | 'client'>,
  warmUpSeconds = warmUpOfTrial,
): Promise<TrialResult> {
  return run.runTrial({ ...order, loop: 'closed', multiple: null, warmUpSeconds })
}

/** Beside what its trials are sent through; null: the product has one client. */
export const otherClientOf = ({ client, engine }: CandidateRun): ClientKind | null =>
  engine.openLane === undefined ? null : client === 'wire' ? 'driver' : 'wire'
