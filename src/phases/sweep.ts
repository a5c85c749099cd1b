/** Closed loops: how throughput grows with the operations in flight, and what the official driver costs beside the wire client. */
import type { CandidateRun, RunContext } from '../candidate.ts'
import { closedTrial } from './trials.ts'

/** Throughputs this close are equal; more connections then keep a slow write from holding up the others. */
const withinNoise = 0.95

/** The best throughput decides the connections of the open loops: the most within its noise. */
export async function sweep(run: CandidateRun, { plan }: RunContext): Promise<void> {
  const throughputs: number[] = []
  const { concurrencies, sweepSeconds: seconds } = plan.budget
  for (const [index, concurrency] of concurrencies.entries()) {
    const trial = await closedTrial(run, { phase: 'sweep', concurrency, seconds, repeat: 0 })
    throughputs.push(trial.throughputPerSecond)
    // The other client right after, at the lowest concurrency: the difference is what a driver adds.
    const other = plan.client === 'wire' ? 'driver' : 'wire'
    if (index === 0 && plan.budget.compares) await closedTrial(run, { phase: 'tax', concurrency, seconds, repeat: 0, client: other })
  }
  const enough = Math.max(...throughputs) * withinNoise
  run.connections = concurrencies.filter((_, index) => (throughputs[index] as number) >= enough).at(-1) as number
}
