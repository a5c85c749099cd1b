/** Availability in series and in parallel, of servers that fail independently: an assumption that a shared zone or a bad release breaks. */
import type { Topology } from '../engines/engine.ts'
import { assumed } from './figure.ts'

/** One server with its zone. */
export const nodeAvailability = assumed(0.99, 0.995, 0.999)

/** Availability of parts that are all needed. */
export const inSeries = (...availabilities: number[]) => availabilities.reduce((product, each) => product * each, 1)

/** Availability of n equal parts of which k must be up, failing independently: the binomial tail. */
export function anyOf(n: number, k: number, availability: number): number {
  let sum = 0
  let ways = 1
  for (let up = n; up >= k; up--) {
    sum += ways * availability ** up * (1 - availability) ** (n - up)
    ways = (ways * up) / (n - up + 1)
  }
  return Math.min(1, sum)
}

/** Members of a part that must be up: a majority, or the one that is promoted where there are two. */
export function quorumOf({ kind, consulted, copies }: Topology): number {
  return kind === 'ring' ? consulted.strong : copies > 2 ? Math.floor(copies / 2) + 1 : 1
}

/** Of so many parts, all of which are needed. */
export function availabilityOf(topology: Topology, parts: number, node = nodeAvailability.mid): number {
  const one = anyOf(topology.copies, quorumOf(topology), node)
  // Servers of a ring hold pieces of all rows: its weakest group of copies is what counts, not their number.
  return topology.kind === 'ring' ? one : inSeries(...new Array<number>(parts).fill(one))
}
