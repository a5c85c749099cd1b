/** Who else used the machine: what a run that began beside others says of all its numbers. */
import type { Result } from '../result.ts'

/** Trials are called noisy by what others use above this baseline: a neighbour who was there from the start is in none of their verdicts. */
const mostIdleCores = 0.5

/** One sentence for a headline; '' where the machine was idle. */
export function neighbourLine({ calibration, host }: Pick<Result, 'calibration' | 'host'>): string {
  const others = calibration?.idleBaselineCores ?? 0
  if (others < mostIdleCores) return ''
  return `Others used ${others.toFixed(1)} of this machine's ${host.cores} cores before anything was measured: what is slow here may be slow because of them.`
}
