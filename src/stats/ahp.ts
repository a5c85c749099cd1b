/** Weights from comparisons of pairs: Saaty, "The Analytic Hierarchy Process", 1980. */

/** Of random comparisons, the mean consistency index by size (Saaty, table 1.2); beyond it grows little. */
const randomIndex = [0, 0, 0, 0.58, 0.9, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59]
/** Above it the comparisons contradict each other. */
export const consistentBelow = 0.1
const rounds = 200

export interface Priorities {
  /** Sum 1, in the order of the matrix. */
  weights: number[]
  /** Consistency index over that of random comparisons: 0 is consistent. */
  ratio: number
}

/** `times[a][b]`: how many times as much a weighs as b; `times[b][a]` is its inverse. The principal eigenvector, by power iteration. */
export function prioritiesOf(times: readonly (readonly number[])[]): Priorities {
  const n = times.length
  let weights = new Array<number>(n).fill(1 / n)
  let eigenvalue = n
  for (let round = 0; round < rounds; round++) {
    const next = times.map((row) => row.reduce((sum, each, at) => sum + each * (weights[at] as number), 0))
    eigenvalue = next.reduce((sum, each) => sum + each, 0)
    weights = next.map((each) => each / eigenvalue)
  }
  const index = n > 2 ? Math.max(0, eigenvalue - n) / (n - 1) : 0
  return { weights, ratio: n > 2 ? index / (randomIndex[Math.min(n, randomIndex.length - 1)] as number) : 0 }
}
