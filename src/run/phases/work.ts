/** What each operation costs the server: short closed loops whose mixes differ, so that the capacity plan can tell them apart. */
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { sum } from '../trial.ts'

/** How much more often a raised operation runs. */
const raised = 4

/** Each start of the server has its part of the design; `start` counts from 0. */
export async function measureWork(run: CandidateRun, { plan }: RunContext, start: number): Promise<void> {
  const { workSeconds: seconds, starts } = plan.budget
  if (seconds === 0) return
  for (const [repeat, row] of designOf(run.supported.length).entries()) {
    if (repeat % starts !== start) continue
    const rates = run.ratesAt(1)
    const least = sum(rates) * minShare
    for (const [at, index] of run.supported.entries()) rates[index] = Math.max(rates[index] as number, least) * (row[at] === true ? raised : 1)
    await run.runTrial({
      phase: 'work',
      loop: 'closed',
      multiple: null,
      concurrency: run.connections,
      warmUpSeconds: 0.2,
      seconds,
      repeat,
      ratesPerSecond: rates,
    })
  }
}

/** Rare operations would hardly occur: each gets a share that shows. */
const minShare = 0.01

/**
 * Which operations are raised in which trial: rows of a Hadamard matrix by Sylvester's construction, every two columns orthogonal
 * (Plackett and Burman, "The design of optimum multifactorial experiments", 1946). The least power of two above the operations.
 */
export function designOf(operations: number): boolean[][] {
  let size = 2
  while (size <= operations) size *= 2
  return Array.from({ length: size }, (_, row) => Array.from({ length: operations }, (__, column) => evenBits(row & (column + 1))))
}

function evenBits(value: number): boolean {
  let bits = 0
  for (let rest = value; rest > 0; rest >>>= 1) bits += rest & 1
  return bits % 2 === 0
}
