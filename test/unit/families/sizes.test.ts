/** Shares of the rows that a filter keeps: what models are sized by, and excused for. */
import { expect, test } from 'vitest'
import { binomial, binomialShare } from '../../../src/data/distributions.ts'
import { Source } from '../../../src/data/random.ts'
import { constantShare, filterShare, heaviestValueShare } from '../../../src/families/sizes.ts'
import type { Entity, Field, Generator } from '../../../src/scenario/scenario.ts'

const field = (name: string, generator: Generator): Field => ({ name, type: 'int', scale: 0, generator, unique: false, pii: false, implicit: false })
const quality = field('quality', { kind: 'enum', values: ['good', 'bad'], weights: [99, 1] })
const spread = field('spread', { kind: 'number', low: 0, high: 9999, mean: 2000, skew: { kind: 'uniform' } })
const even = field('even', { kind: 'number', low: 1, high: 50, mean: null, skew: { kind: 'uniform' } })
const rare = field('rare', { kind: 'bool', share: 0.001 })
const entity = { name: 'reading', count: 50_000_000, fields: [quality, spread, even, rare] } as unknown as Entity
const shareOf = (name: string, constant: string | number | boolean | null) => filterShare({ entities: [entity] }, entity, { field: name, constant })

test('a constant has its own share, a bound value that of the heaviest', () => {
  expect(shareOf('quality', 'bad')).toBeCloseTo(0.01, 9)
  expect(shareOf('quality', 'good')).toBeCloseTo(0.99, 9)
  expect(shareOf('quality', null)).toBeCloseTo(0.99, 9)
  expect(shareOf('rare', true)).toBeCloseTo(0.001, 9)
  expect(shareOf('rare', false)).toBeCloseTo(0.999, 9)
  expect(shareOf('rare', null)).toBeCloseTo(0.999, 9)
  expect(shareOf('even', 7)).toBeCloseTo(0.02, 9)
  expect(shareOf('even', 51)).toBe(0)
})

test('a number about a mean has the share that it is drawn with', () => {
  const draw = binomial(0, 9999, 2000)
  const source = new Source().restart(1, 1)
  const counts = new Map<number, number>()
  const draws = 400_000
  for (let each = 0; each < draws; each++) {
    const value = draw(source)
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  for (const value of [1960, 2000, 2040]) expect(Math.abs(constantShare(spread, value) / ((counts.get(value) ?? 0) / draws) - 1)).toBeLessThan(0.08)
  expect(heaviestValueShare({ entities: [entity] }, spread, entity.count)).toBeCloseTo(0.01, 3)
  expect(binomialShare(3, 3, 3, 3)).toBe(1)
})
