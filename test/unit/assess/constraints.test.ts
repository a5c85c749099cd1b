/** Hard constraints have a probability: out below a tenth, open between, and what was tried is said. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type AtScale, atScaleOf } from '../../../src/assess/capacity/at-scale.ts'
import { type CostAhead, constraintsOf, uncertain } from '../../../src/assess/decision/constraints.ts'
import { objectiveConstraints } from '../../../src/assess/decision/objective-constraints.ts'
import { assess, type CandidateAssessment } from '../../../src/assess/judge/assess.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const assessment = assess(result)
const candidate = result.candidates.find((each) => each.name === 'mongodb') as CandidateResult
const assessed = assessment.candidates.find((each) => each.name === 'mongodb') as CandidateAssessment
const named = (name: string, cost: CostAhead | null, own = assessed, of = candidate) =>
  constraintsOf(result, of, own, cost).find((constraint) => constraint.name === name)
/** Where nothing is planned. */
const objectives = (own: CandidateAssessment, atScale: AtScale[] = []) =>
  objectiveConstraints(candidate, own, result.scenario, atScale, null).find(({ name }) => name === 'objectives on average')

test('what almost surely fails is out, what almost surely holds is in, and between it is open', () => {
  expect([0, 0.05, 0.1, 0.5, 0.89, 0.9, 1, null].map((share) => uncertain('budget', '', '', share, '').state)).toEqual([
    'out',
    'out',
    'open',
    'open',
    'open',
    'holds',
    'holds',
    'open',
  ])
})

describe('objectives', () => {
  test('that no rate refuted are likely, and the sentence says what was tried', () => {
    const found = objectives({
      ...assessed,
      tried: { lowest: 0.3, highest: 4, rates: 9, rounds: 27, holdsAtLowest: 0.97, binding: 'p99 of a', shares: null, isLight: false },
    })
    expect(found).toMatchObject({ state: 'holds', probability: 0.97 })
    expect(found?.evidence).toMatch(/9 rates from 0\.3× to 4× were tried in 27 rounds/)
  })

  test('that the lightest rate leaves open are no reason to throw a candidate out', () => {
    const found = objectives({
      ...assessed,
      tried: { lowest: 0.77, highest: 4, rates: 9, rounds: 27, holdsAtLowest: 0.4, binding: 'p99 of a', shares: null, isLight: false },
    })
    expect(found).toMatchObject({ state: 'open', probability: 0.4 })
    expect(found?.evidence).toMatch(
      /from 0\.77× to 4× were tried in 27 rounds, and nothing lighter: .* with a probability of 40 %, bound by p99 of a/,
    )
  })

  test('of which nothing was tried are open, with no probability', () => {
    expect(objectives({ ...assessed, tried: null })).toMatchObject({ state: 'open', probability: null })
  })

  test('that fail on the rows of production fail, on the condition of a summary table where one would mend it', () => {
    const tried = { lowest: 0.3, highest: 4, rates: 9, rounds: 27, holdsAtLowest: 0.97, binding: 'p99 of a', shares: null, isLight: false }
    const slow = atScaleOf(result)[result.candidates.indexOf(candidate)] as AtScale[]
    const found = objectives({ ...assessed, tried }, slow)
    expect(found).toMatchObject({ state: 'condition', condition: { operations: ['daily_revenue'], probability: 0.97 } })
    expect(found?.probability).toBeLessThan(0.01)
    // What fails at the lightest rate, too, stands on no condition.
    expect(objectives({ ...assessed, tried: { ...tried, holdsAtLowest: 0.05, isLight: true } }, slow)).toMatchObject({
      state: 'out',
      condition: null,
    })
    expect(
      objectives(
        { ...assessed, tried },
        slow.map((each) => ({ ...each, rollup: null })),
      ),
    ).toMatchObject({ state: 'out', condition: null })
  })

  test('of a saved result rest on its open-loop rates', () => {
    expect(assessed.tried?.rounds).toBeGreaterThanOrEqual(assessed.tried?.rates as number)
    expect(assessed.tried?.lowest).toBeLessThan(1)
  })
})

test('a budget is kept in every month with a probability, by what is bought, not by what one would buy who knew beforehand', () => {
  const spread = { p10: 3000, p50: 5000, p90: 7000 }
  const within = (withinBudget: number, withHindsight: number | null = null) =>
    named('budget', { now: spread, horizon: spread, months: 36, withinBudget, withHindsight })
  expect(within(0.45)).toMatchObject({ state: 'open', probability: 0.45 })
  expect(within(0.02, 0.05)).toMatchObject({ state: 'out', probability: 0.02 })
  // Leaner fleets would do: over the budget as bought, and not out for that alone.
  expect(within(0.02, 0.77)).toMatchObject({ state: 'open', probability: 0.02 })
  expect(within(0.45)?.evidence).toMatch(/5,000 \(3,000–7,000\) in month 36, of 4,000: within it in every month with a probability of 45 %$/)
  expect(within(0.02, 0.77)?.evidence).toMatch(
    /probability of 2 %; bought with hindsight, without headroom for what may come, fleets within it carry every month in 77 % of the draws$/,
  )
})
