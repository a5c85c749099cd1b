/** Where start permissions come from in an open loop: one Poisson stream per operation, merged in time order. */
import { keyOf, Source } from '../data/random.ts'

export interface Arrivals {
  /** Intended start of the next operation, in ns after the start; Infinity when none comes. */
  nextNs: number
  /** Operation that starts then. */
  operation: number
  advance(): void
}

/** `ratesPerSecond` by operation; 0 never arrives. Equal names and seeds give equal streams for every candidate. */
export function poissonArrivals(ratesPerSecond: number[], seed: number, stream: string): Arrivals {
  const sources = ratesPerSecond.map((_, operation) => new Source().restart(keyOf(seed, `arrivals ${stream}`), operation + 1))
  const gapNs = (operation: number) => {
    const rate = ratesPerSecond[operation] as number
    return rate === 0 ? Number.POSITIVE_INFINITY : (-Math.log(1 - (sources[operation] as Source).next()) / rate) * 1e9
  }
  return merged(
    ratesPerSecond.map((_, operation) => gapNs(operation)),
    gapNs,
  )
}

/** The same rates without randomness: each operation every 1/rate, phases spread. */
export function constantArrivals(ratesPerSecond: number[]): Arrivals {
  const gapNs = (operation: number) => (ratesPerSecond[operation] === 0 ? Number.POSITIVE_INFINITY : 1e9 / (ratesPerSecond[operation] as number))
  return merged(
    ratesPerSecond.map((_, operation) => (gapNs(operation) * (operation + 1)) / (ratesPerSecond.length + 1)),
    gapNs,
  )
}

function merged(next: number[], gapNs: (operation: number) => number): Arrivals {
  const arrivals: Arrivals = {
    nextNs: Number.POSITIVE_INFINITY,
    operation: -1,
    advance() {
      if (arrivals.operation >= 0) next[arrivals.operation] = (next[arrivals.operation] as number) + gapNs(arrivals.operation)
      arrivals.operation = 0
      for (let i = 1; i < next.length; i++) if ((next[i] as number) < (next[arrivals.operation] as number)) arrivals.operation = i
      arrivals.nextNs = next[arrivals.operation] ?? Number.POSITIVE_INFINITY
    },
  }
  arrivals.advance()
  return arrivals
}
