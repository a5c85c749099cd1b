/** What the draws say of figures: medians with their ranges, and shares of the draws in which something holds. */
import type { Figure } from './figure.ts'
import { type Spread, simulate, spreadOf } from './simulate.ts'

export class Drawn {
  readonly #samples: Map<Figure, Float64Array>

  constructor(wanted: readonly Figure[], seed: number) {
    this.#samples = simulate(wanted, seed)
  }

  of(figure: Figure): Float64Array {
    return this.#samples.get(figure) as Float64Array
  }

  spread(figure: Figure): Spread {
    return spreadOf(this.of(figure))
  }

  /** Of the draws, those in which every one of the figures passes. */
  share(figures: readonly Figure[], holds: (value: number) => boolean): number {
    const columns = figures.map((figure) => this.of(figure))
    const count = columns[0]?.length ?? 0
    let held = 0
    for (let draw = 0; draw < count; draw++) if (columns.every((column) => holds(column[draw] as number))) held++
    return held / Math.max(1, count)
  }
}
