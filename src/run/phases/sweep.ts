/** Closed loops: how throughput grows with the operations in flight, and what the official driver costs beside the wire client. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { closedTrial } from './trials.ts'

/** In every start of the server: `start` counts from 0. */
export async function sweep(run: CandidateRun, { plan }: RunContext, start: number): Promise<void> {
  const { concurrencies, sweepSeconds: seconds } = plan.budget
  for (const [index, concurrency] of concurrencies.entries()) {
    await closedTrial(run, { phase: 'sweep', concurrency, seconds, repeat: start })
    // The other client right after, at the lowest concurrency: the difference is what a driver adds.
    const other = plan.client === 'wire' ? 'driver' : 'wire'
    if (index === 0 && plan.budget.compares) await closedTrial(run, { phase: 'tax', concurrency, seconds, repeat: start, client: other })
  }
}
