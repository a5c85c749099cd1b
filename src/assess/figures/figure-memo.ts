/** Figures by path: who asks twice gets the same one, so that one draw stands for it everywhere. */
import { type Figure, given } from './figure.ts'

export class FigureMemo {
  readonly #figures = new Map<string, Figure>()

  once<U extends Figure['unit']>(path: string, make: (path: string) => Figure<U>): Figure<U> {
    const known = (this.#figures.get(path) as Figure<U> | undefined) ?? make(path)
    this.#figures.set(path, known)
    return known
  }

  constant<U extends Figure['unit']>(path: string, unit: U, value: number, source: string): Figure<U> {
    return this.once(path, () => given(path, unit, value, 'derived', source))
  }
}

export const ratio = (a: number, b: number) => a / Math.max(b, 1e-12)
