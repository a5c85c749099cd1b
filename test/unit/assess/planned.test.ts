/** What is judged on the plan: what would be torn by shards, what crosses them, availability, recovery; and facts that an older result lacks. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { divisionOf } from '../../../src/assess/fleet/division.ts'
import { fitsLeast } from '../../../src/assess/fleet/plan-facts.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import type { Scenario } from '../../../src/scenario/scenario.ts'
import { decisionText } from '../../../src/terminal/decision.ts'

const read = (name: string) => readResult(join(fileURLToPath(new URL('../../golden', import.meta.url)), 'results', `${name}.json`))
const ecommerce = read('ecommerce')
const candidateOf = (result: Result, name: string) => result.candidates.find((each) => each.name === name) as Result['candidates'][number]

describe('dividing the shop', () => {
  const { scenario } = ecommerce
  const of = (name: string, what: 'crosses' | 'isTorn') => {
    const candidate = candidateOf(ecommerce, name)
    const { plan: facts } = candidate.traits
    if (facts === null) throw new Error('no facts')
    const division = divisionOf(scenario, candidate.model, facts)
    const done = new Set(candidate.compiled.map((each) => each.operation))
    return scenario.operations.filter((operation) => done.has(operation.name) && division[what](operation)).map((operation) => operation.name)
  }

  test('tears a transaction over orders and products where atomicity ends at a server', () => {
    expect(of('postgres', 'isTorn')).toEqual(['place_order'])
    expect(of('mongodb', 'isTorn')).toEqual([])
    expect(of('cassandra', 'isTorn')).toEqual([])
  })

  test('tears scripts that read by an index, but for the one that lies with its customer', () => {
    expect(of('redis', 'isTorn')).toEqual(['browse_category', 'search_products', 'place_order'])
  })

  test('makes every shard work for what names none; a ring has a table for each query', () => {
    expect(of('mongodb', 'crosses')).toEqual(['browse_category', 'search_products'])
    expect(of('cassandra', 'crosses')).toEqual([])
  })
})

describe('facts', () => {
  test('are those that the result states', () => {
    const { plan: facts } = candidateOf(ecommerce, 'cassandra').traits
    expect(facts?.smallestServer).toMatchObject({ vcpus: 4, memoryGib: 16 })
    expect(facts?.topology).toMatchObject({ copies: 3, beside: [] })
  })

  test('rule out servers that nobody would run it on', () => {
    const { plan: facts } = candidateOf(ecommerce, 'cassandra').traits
    if (facts === null) throw new Error('no facts')
    expect(fitsLeast({ vcpus: 2, memoryGib: 8 }, facts)).toBe(false)
    expect(fitsLeast({ vcpus: 4, memoryGib: 16 }, facts)).toBe(true)
  })
})

test('a server whose CPU nobody read has no plan, and it is said', () => {
  const candidate = structuredClone(candidateOf(ecommerce, 'postgres'))
  for (const trial of candidate.trials) trial.resources.server = null
  const plan = planCapacity({ candidate, result: ecommerce, demand: new Demand(ecommerce.scenario) })
  expect(isPlan(plan) ? '' : plan.reason).toMatch(/^the CPU of its server could not be read/)
})

describe('required', () => {
  const small = read('small')
  const constraintsUnder = (requirements: Partial<Scenario['requirements']>) => {
    const result = structuredClone(small)
    Object.assign(result.scenario.requirements, requirements)
    const { decision } = decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
    return (candidate: string, name: string) =>
      decision.candidates.find((each) => each.name === candidate)?.constraints.find((constraint) => constraint.name === name)
  }

  test('availability, recovery time and point are hard constraints with a probability', () => {
    const strict = constraintsUnder({ availability: 0.9999999, rtoMs: 1000, rpoMs: 0 })
    for (const name of ['availability', 'recovery time', 'recovery point']) expect(strict('postgres', name)).toMatchObject({ state: 'out' })
    // A majority has what it acknowledged.
    expect(strict('mongodb', 'recovery point')).toMatchObject({ probability: 1, state: 'holds' })
    const lax = constraintsUnder({ availability: 0.9, rtoMs: 600_000, rpoMs: 60_000 })
    for (const name of ['availability', 'recovery time', 'recovery point', 'fleet'])
      expect(lax('postgres', name)).toMatchObject({ probability: 1, state: 'holds' })
    const open = constraintsUnder({ availability: null, rtoMs: 40_000, rpoMs: null })
    expect(open('postgres', 'recovery time')?.state).toBe('open')
    expect(open('postgres', 'availability')).toBeUndefined()
  }, 60_000)
})

test('a store that one thread runs and that cannot be divided says what that thread must do, and does', () => {
  const { decision } = decide(ecommerce, assess(ecommerce), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
  const redis = decision.candidates.find(({ name }) => name === 'redis')
  expect(redis?.noPlan).toMatch(
    /^no fleet of the catalogue carries today's peak(?: in more than .* % of the draws)?, 1 thread runs its commands, .*: at peak the server must do 3× \(2\.4–3\.75\) today's average load, and does [\d.]+×: [\d.]+× .* as measured, times 0\.85 \(0\.5–1\.2\) for a core of the cloud \(assumed\)$/,
  )
  expect(redis?.constraints.find(({ name }) => name === 'fleet')).toMatchObject({ asked: expect.stringContaining('3× with one member lost') })
  // Where nothing else tells which months are meant, the plan does.
  expect(decisionText(decision, '2026-11-21T23:23:25Z')).toContain(
    'Month 0, "now", is 2026-11, when the run began; month 12 is 2027-11, month 36 is 2029-11.',
  )
  // More shards are down more often: what is required is required of the last of them, too.
  const mongodb = decision.candidates.find(({ name }) => name === 'mongodb')
  const availability = mongodb?.constraints.find(({ name }) => name === 'availability')
  const parts = [mongodb?.plan?.fleet.now.parts, mongodb?.plan?.fleet.horizon.parts] as [number, number]
  expect(parts[1]).toBeGreaterThan(parts[0])
  expect(availability?.evidence).toMatch(/: all rows up .* of the time from month (?:12|24) on, of 99\.95 %/)
  const [postgres] = decision.candidates
  expect(postgres?.constraints.find(({ name }) => name === 'region')).toMatchObject({ asked: 'eu-west-1', planned: 'eu-west-1', state: 'holds' })
}, 60_000)
