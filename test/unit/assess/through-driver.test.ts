/** A candidate without a wire client: its numbers say so, and rank it beside nobody who has one. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { capacityOf } from '../../../src/assess/capacity/capacity.ts'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { verdictOf } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { cautionNotes } from '../../../src/assess/judge/cautions.ts'
import { ownEvidence } from '../../../src/assess/judge/own-evidence.ts'
import { clientOf } from '../../../src/clients/open-lane.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'
import { contracted } from '../../engines/contracted.ts'
import { toy } from '../../toy/index.ts'

const saved = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))

/** The saved run, as if the named candidates had had no wire client. */
function without(...names: string[]) {
  const result = structuredClone(saved)
  for (const candidate of result.candidates.filter(({ name }) => names.includes(name)))
    candidate.trials = candidate.trials.flatMap((trial) => (trial.phase === 'tax' ? [] : [{ ...trial, client: 'driver' }]))
  return result
}
const [first, ...others] = saved.candidates.map(({ name }) => name) as [string, ...string[]]
const candidateOf = (result: typeof saved, name: string) => result.candidates.find((each) => each.name === name) as CandidateResult
const capacity = (result: typeof saved) => capacityOf(ownEvidence(candidateOf(result, first), result.scenario.operations), 'full', 1)

test('a product without a wire client is replayed through its driver, whatever was asked for', () => {
  expect(toy.openLane).toBeUndefined()
  for (const engine of contracted) {
    const { openLane: lane, ...driven } = engine
    expect(clientOf(driven, 'wire')).toBe('driver')
    expect(clientOf(engine, 'wire')).toBe(lane === undefined ? 'driver' : 'wire')
    expect(clientOf(engine, 'driver')).toBe('driver')
  }
})

test('its capacities are measured all the same, and are lower bounds', () => {
  const [through, by] = [capacity(without(first)), capacity(saved)]
  expect(by.saturation?.high).toBeGreaterThan(0)
  for (const kind of ['saturation', 'cpu', 'objectives'] as const) {
    expect(through[kind]?.mid, kind).toBe(by[kind]?.mid)
    expect(through[kind]?.high ?? null, kind).toBeNull()
  }
  expect(through.bound).toBe('atLeast')
})

test('it is said beside its numbers', () => {
  expect(cautionNotes(without(first)).filter((note) => note.includes('through its driver'))).toEqual([
    expect.stringMatching(new RegExp(`^${first} † was measured through its driver, .*lower bounds`)),
  ])
  expect(cautionNotes(saved).join()).not.toContain('driver')
})

test('it is called neither faster nor slower than a candidate that has one', () => {
  const names = (result: typeof saved) => assess(result).comparisons.flatMap((each) => [each.first, each.second])
  expect(names(saved)).toContain(first)
  expect(names(without(first))).not.toContain(first)
  expect(names(without(first, ...others))).toContain(first)
})

test('what hangs on capacity ranks it beside nobody who has one, and beside others of its kind as ever', () => {
  const judged = (result: typeof saved) => {
    const verdict = verdictOf(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
    return new Map(verdict.candidates.find(({ name }) => name === first)?.criteria.map((each) => [each.criterion, each]))
  }
  const [apart, alike] = [judged(without(first)), judged(without(first, ...others))]
  for (const criterion of ['money', 'headroom', 'latency', 'operations']) {
    expect(apart.get(criterion), criterion).toMatchObject({ utility: null, shown: 'measured through its driver' })
    expect(alike.get(criterion)?.shown, criterion).not.toBe('measured through its driver')
  }
  expect(apart.get('fit')?.utility).not.toBeNull()
})
