/** What is learnt of an operation's cost from which trials. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { workOf } from '../../../src/assess/capacity/work.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { type CandidateResult, readResult, type TrialResult } from '../../../src/result/result.ts'
import { designOf } from '../../../src/run/phases/work.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const operation = { name: 'get', kind: 'get' } as unknown as Operation
const trial = (over: Partial<TrialResult>, completed: number, cores: number) =>
  ({
    phase: 'curve',
    mix: 'full',
    client: 'wire',
    arrival: { loop: 'open' },
    seconds: 2,
    throughputPerSecond: 1000,
    slowdown: 1,
    saturated: false,
    validity: { verdict: 'valid', reasons: [] },
    resources: { server: { cpuCores: cores }, disk: null },
    // Of a saturated loop half of the answers came after the window.
    operations: { get: { ok: 2 * completed, miss: 0, conflict: 0, completed } },
    ...over,
  }) as unknown as TrialResult
const costOf = (trials: TrialResult[]) => {
  const work = workOf({ name: 'x', mix: 'full', compiled: [{ operation: 'get' }], trials } as unknown as CandidateResult, [operation])
  const figure = work?.perOperation.get('get')
  return figure?.kind === 'given' ? figure.range.mid : undefined
}

test('an operation costs what its answers inside the window cost', () => {
  expect(costOf([trial({}, 2000, 0.1)])).toBeCloseTo(1e-4, 9)
})

test('a saturated trial tells no cost', () => {
  expect(costOf([trial({}, 2000, 0.1), trial({}, 2000, 0.1), trial({ saturated: true }, 2000, 0.9)])).toBeCloseTo(1e-4, 9)
  expect(costOf([trial({ saturated: true }, 2000, 0.9)])).toBeUndefined()
})

describe('level and ratios', () => {
  const names = ['a', 'b', 'c']
  const operations = names.map((name) => ({ name, kind: 'get' }) as unknown as Operation)
  const costs = [1e-4, 2e-4, 8e-4]
  const fixed = 0.08
  const observed = (phase: TrialResult['phase'], loop: 'open' | 'closed', rates: number[], cores: number) =>
    ({
      phase,
      mix: 'full',
      client: 'wire',
      arrival: { loop },
      seconds: 1,
      throughputPerSecond: 1000,
      slowdown: 1,
      saturated: false,
      validity: { verdict: 'valid', reasons: [] },
      resources: { server: { cpuCores: cores }, disk: null },
      operations: Object.fromEntries(names.map((name, at) => [name, { completed: rates[at] }])),
    }) as unknown as TrialResult
  const work = (rates: number[]) => rates.reduce((sum, rate, at) => sum + rate * (costs[at] as number), 0)
  // A full server batches: what a call costs there is two thirds of what it costs at the offered rates.
  const saturated = [...designOf(3), ...designOf(3)].map((row) => {
    const mix = row.map((raised, at) => (raised ? 4 : 1) * [6, 3, 1][at]!)
    const rate = 0.98 / (work(mix) * (2 / 3))
    return observed(
      'work',
      'closed',
      mix.map((each) => each * rate),
      0.98,
    )
  })
  const offered = [0.5, 1, 1.5, 2, 3].map((multiple) => {
    const rates = [600, 300, 100].map((rate) => rate * multiple)
    return observed('curve', 'open', rates, fixed + work(rates))
  })

  test('the level is that of the offered rates, the ratios are those of the saturated mixes', () => {
    const found = workOf(
      { name: 'x', mix: 'full', compiled: names.map((operation) => ({ operation })), trials: [...saturated, ...offered] } as never,
      operations,
    )
    if (found === null) throw new Error('no work')
    for (const [at, name] of names.entries())
      expect((middleOf(found.perOperation.get(name) as never) / (costs[at] as number)).toFixed(3)).toBe('1.000')
    expect(middleOf(found.fixed)).toBeCloseTo(fixed, 6)
    expect(found.how).toMatch(/level by the utilisation law.* over 5 trials at offered rates; ratios .* over 8 saturated trials/)
  })

  test('what is used at any rate is not more than what was used in the trial that used least', () => {
    const flat = [1, 2, 3].map((multiple) => observed('curve', 'open', [600 * multiple, 300 * multiple, 100 * multiple], 0.5 - 0.01 * multiple))
    const found = workOf({ name: 'x', mix: 'full', compiled: names.map((operation) => ({ operation })), trials: flat } as never, operations)
    expect(middleOf(found?.fixed as never)).toBeLessThanOrEqual(0.47)
  })

  const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
  const asked = result.scenario.operations
  test.each(result.candidates.map(({ name }) => name))('%s: the cores at 1× are within a quarter of those that were measured', (name) => {
    const candidate = result.candidates.find((each) => each.name === name) as CandidateResult
    const found = workOf(candidate, asked)
    if (found === null) throw new Error('no work')
    const atOne = candidate.trials.filter(({ phase, mix, arrival }) => phase === 'confirmation' && mix === candidate.mix && arrival.multiple === 1)
    const cores = atOne.map((trial) => trial.resources.server?.cpuCores as number).sort((a, b) => a - b)
    const modelled = asked.reduce((sum, { name: own, ratePerSecond }) => {
      const cost = found.perOperation.get(own)
      return cost === undefined ? sum : sum + ratePerSecond * middleOf(cost)
    }, middleOf(found.fixed))
    expect(modelled / (cores[cores.length >> 1] as number)).toBeGreaterThan(0.75)
    expect(modelled / (cores[cores.length >> 1] as number)).toBeLessThan(1.25)
  })
})
