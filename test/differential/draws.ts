/** Choices of one seed: equal seeds choose alike. */
import { keyOf, Source } from '../../src/data/random.ts'

export class Draws {
  readonly #source: Source

  constructor(seed: number) {
    this.#source = new Source().restart(keyOf(seed, 'scenario'), 1)
  }

  chance(probability: number): boolean {
    return this.#source.next() < probability
  }

  /** Whole number in [least, most]. */
  int(least: number, most: number): number {
    return least + this.#source.below(most - least + 1)
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.#source.below(choices.length)] as T
  }

  /** Each with that probability, in their order. */
  some<T>(choices: readonly T[], probability = 0.5): T[] {
    return choices.filter(() => this.chance(probability))
  }

  /** All of them in another order. */
  shuffled<T>(choices: readonly T[]): T[] {
    const rest = [...choices]
    return choices.map(() => rest.splice(this.#source.below(rest.length), 1)[0] as T)
  }

  /** One key with probability proportional to its value. */
  weighted<K extends string>(weights: Record<K, number>): K {
    const entries = Object.entries(weights) as [K, number][]
    let at = this.#source.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    return (entries.find(([, weight]) => (at -= weight) < 0) ?? (entries[0] as [K, number]))[0]
  }
}
