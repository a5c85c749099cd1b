/** Ranks of generated candidates: what must never change an order, and what must. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { criteriaOf, logarithmic } from '../../../src/assess/decision/criteria.ts'
import { type Contender, rank, unknownUtility } from '../../../src/assess/decision/ranking.ts'
import { weightsOf } from '../../../src/assess/decision/weights.ts'
import { given, sumOf } from '../../../src/assess/figures/figure.ts'
import { draws, middleOf, simulate, spreadOf } from '../../../src/assess/figures/simulate.ts'
import { parseScenario, readScenario } from '../../../src/scenario/read.ts'
import { prioritiesOf } from '../../../src/stats/ahp.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const scenario = readScenario('ecommerce')
const names = criteriaOf(scenario).map((criterion) => criterion.name)
const flat = (value: number) => new Float64Array(draws).fill(value)
const contender = (name: string, utilities: number[]): Contender => ({
  name,
  utilities: new Map(names.map((each, at) => [each, flat(utilities[at] as number)])),
  blur: new Map(),
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

  test('whose score differs by no more than that of two equals may shares the rank, however sure the draws are', () => {
    const by = new Map(names.map((name) => [name, 1]))
    const level = (name: string, value: number, utility: number) => ({
      ...contender(
        name,
        names.map(() => value),
      ),
      blur: new Map([
        ['money', { number: 'CPU per operation', utility }],
        ['headroom', { number: 'CPU per operation', utility }],
        ['latency', { number: 'p99', utility }],
      ]),
    })
    const places = (utility: number) => rank([level('a', 0.6, utility), level('b', 0.55, utility), level('c', 0.3, utility)], by, 1)
    const apart = places(0.01)
    expect(apart.standings.map(({ name, rank: place }) => [name, place])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    expect(apart.winner).toBe('a')
    // Two criteria of one number are wrong together, that of another by itself: √(0.4² + 0.2²) of the five weights times the blur.
    const blur = Math.hypot(2 / names.length, 1 / names.length)
    const same = places((0.05 / blur) * 1.001)
    expect(same.standings.map(({ rank: place }) => place)).toEqual([1, 1, 3])
    expect(same.winner).toBeNull()
    expect(same.tie).toEqual(['a', 'b'])
    expect(same.beats[0]).toMatchObject({ probability: 1, withinResolution: true })
    expect(places((0.05 / blur) * 0.999).winner).toBe('a')
  })

  test('the two methods disagree only where TOPSIS puts first who does not share the first rank', () => {
    const by = new Map(names.map((name) => [name, 1]))
    // The weighted sum is higher by a hair of the one that is uneven, TOPSIS prefers the even one.
    const uneven = names.map((_, at) => (at === 0 ? 1 : 0.505))
    const even = names.map(() => 0.6)
    const places = (utility: number) =>
      rank(
        [uneven, even].map((levels, at) => ({ ...contender(`c${at}`, levels), blur: new Map([['money', { number: 'capacity', utility }]]) })),
        by,
        1,
      )
    const apart = places(0)
    const first = [...apart.standings].sort((a, b) => b.topsis - a.topsis)[0]?.name
    expect(first).not.toBe(apart.standings[0]?.name)
    expect(places(1).standings.map(({ rank: place }) => place)).toEqual([1, 1])
    expect(places(1).disagreement).toBeNull()
  })

  test('alone it has no probability', () => {
    const [standing] = rank([contender('alone', [0.1, 0.2, 0.3, 0.4, 0.5])], new Map(names.map((name) => [name, 1])), 1).standings
    expect(standing).toMatchObject({ name: 'alone', rankShares: [] })
  })

  test('what is not known of two candidates, or of two criteria, is not known independently', () => {
    const of = (name: string, criterion: string) => unknownUtility(7, name, criterion, draws)
    const first = of('a', 'fit')
    expect(first[0]).toBe(0.5)
    for (const other of [of('b', 'fit'), of('a', 'money')]) {
      const mean = (values: Float64Array) => values.reduce((sum, each) => sum + each, 0) / draws
      const both = mean(first.map((each, at) => each * (other[at] as number)))
      // The covariance of independent uniforms is 0 ± 0.08/√n; of one column with itself it is 0.083.
      expect(Math.abs(both - mean(first) * mean(other))).toBeLessThan(0.005)
    }
  })

  test('nobody to rank is no error', () => {
    expect(rank([], new Map(names.map((name) => [name, 1])), 1)).toMatchObject({ standings: [], winner: null, tie: [], smallestChange: null })
  })
})

describe('weights', () => {
  const sum = (weights: Map<string, number>) => [...weights.values()].reduce((total, each) => total + each, 0)
  const withCriteria = (lines: string) => parseScenario(`${readFileSync(join(root, 'scenarios/ecommerce.yaml'), 'utf8')}\n${lines}\n`, 'mine.yaml')
  const team = `  own:
    team_skill:
      stars: { postgres: 5, mongodb: 3, cassandra: 1, redis: 4 }
      source: the team itself, October 2026`

  test('sum to one, by rules that are named; what counts twice or not at all keeps the proportions of the rest', () => {
    const { weights: own, rules } = weightsOf(scenario)
    expect(sum(own)).toBeCloseTo(1, 12)
    expect([...own.keys()]).toEqual(['money', 'headroom', 'latency', 'operations', 'fit'])
    expect(rules.join()).toMatch(/latency × 1.5: an objective is as tight as 5 ms/)
    const { weights: changed } = weightsOf(scenario, { latency: 2, fit: 0 })
    const ratio = (of: Map<string, number>) => (of.get('latency') as number) / (of.get('money') as number)
    expect(ratio(changed)).toBeCloseTo(2 * ratio(own), 12)
    expect(changed.get('fit')).toBe(0)
    expect((changed.get('headroom') as number) / (changed.get('operations') as number)).toBeCloseTo(
      (own.get('headroom') as number) / (own.get('operations') as number),
      12,
    )
    expect(sum(changed)).toBeCloseTo(1, 12)
  })

  test('a criterion of the scenario counts with its points', () => {
    const { weights, rules } = weightsOf(withCriteria(`criteria:\n${team}\n  swing: { money: 100, team_skill: 25 }`))
    expect((weights.get('team_skill') as number) / (weights.get('money') as number)).toBeCloseTo(0.25, 12)
    expect(rules).toContain('team_skill: 25 points, by criteria.swing')
  })

  test('compared pairs share the points that they have otherwise, with their consistency', () => {
    const { weights, rules } = weightsOf(withCriteria('criteria: { pairwise: [money 2x latency, latency 2x fit, money 4x fit] }'))
    expect((weights.get('money') as number) / (weights.get('fit') as number)).toBeCloseTo(4, 9)
    expect(weights.get('operations')).toBeCloseTo(weightsOf(scenario).weights.get('operations') as number, 12)
    expect(rules.at(-1)).toMatch(/consistency ratio 0\.00$/)
    const torn = weightsOf(withCriteria('criteria: { pairwise: [money 5x latency, latency 5x fit, fit 3x money] }'))
    expect(torn.rules.at(-1)).toMatch(/consistency ratio \d\.\d+: above 0\.1, so the comparisons contradict each other/)
  })

  test('the example of Saaty: λ 3.065, ratio 0.056', () => {
    const { weights, ratio } = prioritiesOf([
      [1, 1 / 3, 5],
      [3, 1, 7],
      [1 / 5, 1 / 7, 1],
    ])
    expect(weights.map((each) => Number(each.toFixed(3)))).toEqual([0.279, 0.649, 0.072])
    expect(ratio).toBeCloseTo(0.056, 3)
  })

  test.each([
    [
      `criteria:\n${team.replace('redis: 4', 'rediz: 4')}`,
      /mine\.yaml:\d+:\d+: criteria\.own\.team_skill\.stars\.rediz: there is no candidate "rediz", did you mean "redis"\?/,
    ],
    [
      `criteria:\n${team.replace(', redis: 4', '')}`,
      /mine\.yaml:\d+:\d+: criteria\.own\.team_skill\.stars: no stars for redis: every candidate needs one to five/,
    ],
    [`criteria:\n${team.replace('redis: 4', 'redis: 6')}`, /criteria\.own\.team_skill\.stars\.redis: expected at most 5, not 6/],
    [`criteria:\n${team.replace(/\n.*source.*/, '')}`, /"source" is missing/],
    [`criteria:\n${team.replace('team_skill', 'money')}`, /"money" is judged from what was measured and planned/],
    ['criteria: { swing: { monney: 50 } }', /criteria\.swing\.monney: there is no criterion "monney", did you mean "money"\?/],
    ['criteria: { pairwise: [money 2x latency, fit 3x latency] }', /criteria\.pairwise: fit and money are not compared: compare every two/],
    ['criteria: { pairwise: [money 2x latency, latency 2x money] }', /criteria\.pairwise\.1: latency and money are compared twice/],
    ['criteria: { pairwise: [money over latency] }', /expected a comparison such as money 3x latency/],
    ['criteria: { swing: { money: 50 }, pairwise: [money 2x latency] }', /in points or by comparing pairs, not both/],
  ])('%j is refused at its place', (lines, message) => {
    expect(() => withCriteria(lines)).toThrow(message)
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
    const size: import('../../../src/assess/figures/figure.ts').Figure<'bytes'> = sumOf('c', 'USD/month', [dollars])
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

  test('what follows from many numbers scatters less between seeds than with independent draws', () => {
    const range = { low: 0, mid: 1, high: 2, confidence: null }
    const sum = sumOf(
      'all',
      'USD',
      Array.from({ length: 12 }, (_, at) => given(`part${at}`, 'USD', range, 'assumed', '')),
    )
    const medians = Array.from({ length: 40 }, (_, seed) => spreadOf(simulate([sum], seed).get(sum) as Float64Array).p50)
    const mean = medians.reduce((all, each) => all + each, 0) / medians.length
    const scatter = Math.sqrt(medians.reduce((all, each) => all + (each - mean) ** 2, 0) / (medians.length - 1))
    // The standard error of a median of as many independent draws, each the sum of twelve triangles of variance 1/6.
    const independent = Math.sqrt(12 / 6) * Math.sqrt(Math.PI / 2 / draws)
    expect(mean).toBeCloseTo(12, 1)
    expect(scatter).toBeLessThan(0.75 * independent)
  })
})
