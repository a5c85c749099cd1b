/** Ranks of generated candidates: what must never change an order, and what must. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { criteria, logarithmic, weightsOf } from '../../../src/assess/criteria.ts'
import { given, sumOf } from '../../../src/assess/figure.ts'
import { type Contender, rank } from '../../../src/assess/ranking.ts'
import { draws, middleOf, simulate, spreadOf } from '../../../src/assess/simulate.ts'
import { readScenario } from '../../../src/scenario/read.ts'

const names = criteria.map((criterion) => criterion.name)
const flat = (value: number) => new Float64Array(draws).fill(value)
const contender = (name: string, utilities: number[]): Contender => ({
  name,
  utilities: new Map(names.map((each, at) => [each, flat(utilities[at] as number)])),
})
const utilities = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: names.length, maxLength: names.length })
const weights = fc
  .array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: names.length, maxLength: names.length })
  .map((values) => new Map(names.map((name, at) => [name, values[at] as number])))
const order = (contenders: Contender[], by: Map<string, number>) => rank(contenders, by, 1).standings.map((each) => each.name)
const few = { numRuns: 25, seed: 20261121 }

describe('ranking', () => {
  test('scaling all weights changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(utilities, { minLength: 2, maxLength: 4 }),
        weights,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (all, by, factor) => {
          const contenders = all.map((each, at) => contender(`c${at}`, each))
          const scaled = new Map([...by].map(([name, weight]) => [name, weight * factor]))
          expect(order(contenders, scaled)).toEqual(order(contenders, by))
        },
      ),
      few,
    )
  })

  test('who is worse in everything never comes first', () => {
    fc.assert(
      fc.property(utilities, weights, fc.double({ min: 0.5, max: 0.99, noNaN: true }), (best, by, share) => {
        const strong = best.map((each) => Math.max(0.01, each))
        const found = rank(
          [
            contender(
              'weak',
              strong.map((each) => each * share),
            ),
            contender('strong', strong),
          ],
          by,
          1,
        )
        expect(found.standings[0]?.name).toBe('strong')
        expect(found.winner).toBe('strong')
        expect(found.smallestChange).toBeNull()
      }),
      few,
    )
  })

  test('removing a loser keeps the order of the others', () => {
    fc.assert(
      fc.property(fc.array(utilities, { minLength: 3, maxLength: 5 }), weights, (all, by) => {
        const contenders = all.map((each, at) => contender(`c${at}`, each))
        const whole = order(contenders, by)
        const loser = whole.at(-1) as string
        expect(
          order(
            contenders.filter((each) => each.name !== loser),
            by,
          ),
        ).toEqual(whole.slice(0, -1))
      }),
      few,
    )
  })

  test('the smallest change of a weight is one that just turns the order', () => {
    const a = contender(
      'a',
      names.map((_, at) => (at === 0 ? 1 : 0.5)),
    )
    const b = contender(
      'b',
      names.map((_, at) => (at === 1 ? 1 : 0.5)),
    )
    const by = new Map(names.map((name, at) => [name, at === 0 ? 2 : 1]))
    const { smallestChange } = rank([a, b], by, 1)
    expect(smallestChange?.winner).toBe('b')
    const { criterion, to } = smallestChange as NonNullable<typeof smallestChange>
    const total = [...by.values()].reduce((sum, each) => sum + each, 0)
    const others = total - (by.get(criterion) as number)
    const at = (share: number) => new Map([...by].map(([name, weight]) => [name, name === criterion ? share : (weight / others) * (1 - share)]))
    const from = (by.get(criterion) as number) / total
    const beyond = to + Math.sign(to - from) * 1e-6
    expect(order([a, b], at(beyond))[0]).toBe('b')
    expect(order([a, b], at(to - Math.sign(to - from) * 1e-6))[0]).toBe('a')
  })

  test('near equals are a tie', () => {
    const source = [0.5, 0.52]
    const found = rank(
      source.map((level, at) =>
        contender(
          `c${at}`,
          names.map((_, index) => level + (index % 2 === at ? 0.2 : -0.2)),
        ),
      ),
      new Map(names.map((name) => [name, 1])),
      1,
    )
    expect(found.winner).toBeNull()
    expect(found.tie).toHaveLength(2)
    const share = found.beats[0]?.probability ?? 0
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.9)
  })

  test('nobody to rank is no error', () => {
    expect(rank([], new Map(names.map((name) => [name, 1])), 1)).toMatchObject({ standings: [], winner: null, tie: [], smallestChange: null })
  })
})

describe('weights', () => {
  const scenario = readScenario('ecommerce')

  test('sum to one, by rules that are named; what counts twice or not at all keeps the proportions of the rest', () => {
    const { weights: own, rules } = weightsOf(scenario)
    expect([...own.values()].reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12)
    expect(rules.join()).toMatch(/transactions × 3: an operation is a transaction/)
    const { weights: changed } = weightsOf(scenario, { capacity: 2, latency: 0 })
    const ratio = (of: Map<string, number>) => (of.get('capacity') as number) / (of.get('nodes') as number)
    expect(ratio(changed)).toBeCloseTo(2 * ratio(own), 12)
    expect(changed.get('latency')).toBe(0)
    expect((changed.get('storage') as number) / (changed.get('nodes') as number)).toBeCloseTo(
      (own.get('storage') as number) / (own.get('nodes') as number),
      12,
    )
    expect([...changed.values()].reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12)
  })

  test('utilities are absolute: the ends of the scale, straight between, flat outside', () => {
    const up = logarithmic(1, 100)
    expect([0, 0.5, 1, 10, 100, 1e6].map(up)).toEqual([0, 0, 0, 0.5, 1, 1])
    const down = logarithmic(100, 1)
    expect([1, 10, 100, 1000].map(down)).toEqual([1, 0.5, 0, 0])
  })
})

describe('figures', () => {
  test('intervals contain their middle, and draws stay within a range', () => {
    fc.assert(
      fc.property(fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.001, max: 1000, noNaN: true }))), fc.boolean(), (values, sure) => {
        const [low, mid, high] = [...values].sort((a, b) => a - b) as [number, number, number]
        const figure = given('x', 'USD', { low, mid, high, confidence: sure ? 0.95 : null }, 'assumed', 'test')
        const samples = simulate([figure], 1).get(figure) as Float64Array
        const spread = spreadOf(samples)
        expect(spread.p10).toBeLessThanOrEqual(spread.p50)
        expect(spread.p90).toBeGreaterThanOrEqual(spread.p50)
        if (!sure) for (const value of samples) expect(value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)).toBe(true)
        expect(samples.every(Number.isFinite)).toBe(true)
        expect(middleOf(figure)).toBe(mid)
      }),
      few,
    )
  })

  test('units cannot be mixed', () => {
    const bytes = given('a', 'bytes', 1, 'measured', '')
    const dollars = given('b', 'USD/month', 1, 'vendor', '')
    // @ts-expect-error bytes are no dollars
    sumOf('c', 'USD/month', [bytes, dollars])
    // @ts-expect-error nor is a sum of dollars a size
    const size: import('../../../src/assess/figure.ts').Figure<'bytes'> = sumOf('c', 'USD/month', [dollars])
    expect(middleOf(size)).toBe(1)
  })

  test('a draw belongs to its path: two plans that share a number share its draws', () => {
    const range = { low: 1, mid: 2, high: 3, confidence: null }
    const one = given('shared', 'USD', range, 'assumed', '')
    const two = given('shared', 'USD', range, 'assumed', '')
    const other = given('other', 'USD', range, 'assumed', '')
    const drawn = (figure: typeof one) => simulate([figure], 5).get(figure) as Float64Array
    expect(drawn(one)).toEqual(drawn(two))
    expect(drawn(one)).not.toEqual(drawn(other))
  })
})
