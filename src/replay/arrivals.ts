/** Where start permissions come from in an open loop: one Poisson stream per operation, merged in time order. */
import { weighted } from '../data/distributions.ts'
import { keyOf, Source } from '../data/random.ts'

export interface TrialSpec {
  loop: 'open' | 'closed'
  arrival: 'poisson' | 'constant'
  /** By operation; in a closed loop the weights of the mix. */
  ratesPerSecond: number[]
  /** Operations in flight at most. */
  concurrency: number
  /** Sent before the measured window, not recorded. */
  warmUpSeconds: number
  seconds: number
  seed: number
  /** Names the random streams; equal for every candidate. */
  stream: string
  /** Of several workers each takes every `of`-th start from its own `index` on; left out: this one takes all. */
  part?: { index: number; of: number }
}

export interface Arrivals {
  /** Intended start of the next operation, in ns after the start; Infinity when none comes. */
  nextNs: number
  /** Operation that starts then. */
  operation: number
  advance(): void
}

/** A closed loop has no schedule: for what its parameters depend on, its n-th start is that of an open loop of 100,000 a second. */
export const closedStartMs = 0.01

/** The starts of a trial in the order of their moments; in a closed loop the moments are those of parameters alone. */
export function startsOf({ loop, arrival, ratesPerSecond, seed, stream }: Omit<TrialSpec, 'part'>): Arrivals {
  if (loop === 'closed') return closedStarts(ratesPerSecond, seed, stream)
  return arrival === 'poisson' ? poissonArrivals(ratesPerSecond, seed, stream) : constantArrivals(ratesPerSecond)
}

function closedStarts(weights: number[], seed: number, stream: string): Arrivals {
  const source = new Source().restart(keyOf(seed, `mix ${stream}`), 1)
  const draw = weighted(weights)
  let started = 0
  const starts: Arrivals = {
    nextNs: 0,
    operation: draw(source),
    advance() {
      starts.operation = draw(source)
      starts.nextNs = ++started * closedStartMs * 1e6
    },
  }
  return starts
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
