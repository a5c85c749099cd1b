/** Closed loops: how throughput grows with the operations in flight, and what the official driver costs beside the wire client. */
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { closedTrial, otherClientOf } from './trials.ts'

/** A server that is warm needs no more until all connections are busy. */
const warmUpSeconds = 0.3
/** Of half a loop: less says too little. */
const minSeconds = 1

/** In every start of the server: `start` counts from 0. There and back, where there is time: what the host does for seconds is then not one concurrency's. */
export async function sweep(run: CandidateRun, { plan }: RunContext, start: number): Promise<void> {
  const { concurrencies, sweepSeconds } = plan.budget
  const seconds = Math.max(minSeconds, sweepSeconds / 2)
  const ways = sweepSeconds < 2 * minSeconds ? [concurrencies] : [concurrencies, concurrencies.toReversed()]
  const other = otherClientOf(run)
  for (const [way, ascending] of ways.entries())
    for (const [index, concurrency] of ascending.entries()) {
      const repeat = ways.length * start + way
      await closedTrial(run, { phase: 'sweep', concurrency, seconds, repeat }, warmUpSeconds)
      // The other client right after, at the lowest concurrency: the difference is what a driver adds.
      if (way === 0 && index === 0 && plan.budget.compares && other !== null)
        await closedTrial(run, { phase: 'tax', concurrency, seconds: sweepSeconds, repeat, client: other }, warmUpSeconds)
    }
}
