/** What the draws say of figures: medians with their ranges, and shares of the draws in which something holds. */
import type { Figure } from './figure.ts'
import { type Spread, simulate, spreadOf } from './simulate.ts'

export class Drawn {
  readonly #samples: Map<Figure, Float64Array>
  readonly #spreads = new Map<Figure, Spread>()

  constructor(wanted: readonly Figure[], seed: number) {
    this.#samples = simulate(wanted, seed)
  }

  of(figure: Figure): Float64Array {
    return this.#samples.get(figure) as Float64Array
  }

  spread(figure: Figure): Spread {
    const known = this.#spreads.get(figure) ?? spreadOf(this.of(figure))
    this.#spreads.set(figure, known)
    return known
  }

  priced(figure: Figure): Priced {
    return pricedOf(this.of(figure))
  }

  /** Of the draws, those in which every one of the figures passes. */
  share(figures: readonly Figure[], holds: (value: number) => boolean): number {
    return this.shareWithin(figures.map((figure) => ({ figure, holds })))
  }

  /** The same where each has a limit of its own; all of the draws where there is none. */
  shareWithin(limits: readonly { figure: Figure; holds: (value: number) => boolean }[]): number {
    const [first] = limits
    if (first === undefined) return 1
    const count = this.of(first.figure).length
    const fails = new Uint8Array(count)
    for (const { figure, holds } of limits) {
      const column = this.of(figure)
      for (let draw = 0; draw < count; draw++) if (!holds(column[draw] as number)) fails[draw] = 1
    }
    let held = 0
    for (let draw = 0; draw < count; draw++) if (fails[draw] === 0) held++
    return held / Math.max(1, count)
  }
}

/** An amount of money: the median of the draws is told, and amounts with every number at its middle are those that add up. */
export interface Priced extends Spread {
  middle: number
}

/** The first draw has every number at its middle. */
export const pricedOf = (samples: Float64Array): Priced => ({ ...spreadOf(samples), middle: samples[0] as number })
