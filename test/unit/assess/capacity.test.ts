import { describe, expect, test } from 'vitest'
import type { Evidence } from '../../../src/assess/at-multiple.ts'
import { judgeAt } from '../../../src/assess/at-multiple.ts'
import { capacityOf, isSustained } from '../../../src/assess/capacity.ts'
import type { TrialResult } from '../../../src/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const operation = { name: 'get', objectives: [{ quantile: 0.99, name: 'p99', limitMs: 10 }], errorShare: 0.001 } as unknown as Operation
const exceededBy = { met: 0, missed: 100, undetermined: 10 }

function trial(
  phase: TrialResult['phase'],
  multiple: number,
  outcome: TrialResult['outcome'],
  verdict: TrialResult['validity']['verdict'] = 'valid',
) {
  return {
    phase,
    mix: 'full',
    arrival: { loop: 'open', multiple, ratePerSecond: multiple * 100, concurrency: null },
    outcome,
    missed: outcome === 'missed' ? ['get'] : [],
    validity: { verdict, reasons: [] },
    resources: { server: { cpuCores: 0.95 } },
    operations: {
      get: { intended: 1000, dropped: 0, errors: {}, exceeded: { p99: exceededBy[outcome] }, responseUs: { count: 1000, p50: 1, p99: 2 } },
    },
  } as unknown as TrialResult
}
const evidence = (trials: TrialResult[]): Evidence => ({ trials, operations: [operation], mix: new Set(['get']), scaleLimited: new Set() })

test('a saturated rate has no percentiles, and says by what it grows', () => {
  const saturated = { ...trial('confirmation', 3, 'missed'), saturated: true, backlog: 0.4 } as TrialResult
  expect(judgeAt(evidence([saturated, trial('confirmation', 1, 'met')]), 3, 'confirmation').cells).toMatchObject([
    { outcome: 'missed', p50Us: null, p99Us: null, backlog: 0.4 },
  ])
  expect(judgeAt(evidence([trial('confirmation', 3, 'missed')]), 3, 'confirmation').cells).toMatchObject([{ p99Us: 2, backlog: null }])
})

describe('capacity', () => {
  test('is the highest multiple that passed its confirmation, below the first that was missed', () => {
    const trials = [
      trial('search', 2, 'met'),
      trial('search', 4, 'missed'),
      trial('search', 3, 'met'),
      trial('capacity', 3, 'missed'),
      trial('capacity', 2.85, 'met'),
      trial('capacity', 2.85, 'met'),
    ]
    const capacity = capacityOf(evidence(trials), 'full')
    expect(capacity).toMatchObject({ bound: 'measured', ratePerSecond: 285, boundBy: 'get, server CPU saturated' })
    expect(capacity.multiple).toMatchObject({ low: 2.85, high: 3, confidence: null })
  })

  test('is never a rate that only the search has seen', () => {
    expect(capacityOf(evidence([trial('search', 2, 'met'), trial('search', 3, 'missed')]), 'full')).toMatchObject({ multiple: null, bound: 'none' })
  })

  test('is the peak where all rounds held it, though a higher step was not sustained', () => {
    const trials = [trial('search', 4, 'met'), trial('capacity', 4, 'missed'), trial('confirmation', 1, 'met'), trial('confirmation', 3, 'met')]
    expect(capacityOf(evidence(trials), 'full')).toMatchObject({ bound: 'measured', ratePerSecond: 300, multiple: { low: 3, high: 4 } })
    const missed = [trial('search', 2, 'undetermined'), trial('confirmation', 1, 'met'), trial('confirmation', 3, 'missed')]
    expect(capacityOf(evidence(missed), 'full').multiple).toMatchObject({ low: 1, high: 3 })
  })

  test('is censored where the harness, or the search, ended first', () => {
    const own = [trial('search', 1, 'met'), trial('capacity', 1, 'met')]
    expect(capacityOf(evidence(own), 'full')).toMatchObject({ bound: 'atLeast', multiple: { low: 1, high: null }, boundBy: 'the search ended' })
    expect(capacityOf(evidence([...own, trial('search', 2, 'missed', 'client-bound')]), 'full')).toMatchObject({
      bound: 'atLeast',
      multiple: { low: 1, high: null },
      boundBy: 'client: the harness was late',
    })
  })

  test('says why there is none', () => {
    expect(capacityOf(evidence([]), 'full').boundBy).toBe('not searched at this effort')
    expect(capacityOf(evidence([trial('search', 1, 'missed')]), 'full').boundBy).toBe('get, server CPU saturated')
  })

  test('is pooled over rounds: one bad round among good ones does not lower it, a bad pool does', () => {
    const at = (...outcomes: TrialResult['outcome'][]) => judgeAt(evidence(outcomes.map((each) => trial('capacity', 2, each))), 2, 'capacity')
    expect(isSustained(at('met', 'undetermined', 'met'), 3)).toBe('yes')
    expect(isSustained(at('met', 'missed'), 3)).toBe('no')
    expect(isSustained(at('met'), 3)).toBe('open')
    expect(isSustained(at('undetermined', 'undetermined', 'undetermined'), 3)).toBe('no')
  })
})
