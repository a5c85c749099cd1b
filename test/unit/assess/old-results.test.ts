/** Three runs of one day, one scenario, one machine: their plans must not contradict each other. */
import { describe, expect, test } from 'vitest'
import type { Spread } from '../../../src/assess/figures/simulate.ts'
import { oldCommits } from '../../golden/old-results.ts'
import { oldDecision, sideBySide } from '../../golden/side-by-side.ts'

const decisions = new Map(oldCommits.map((commit) => [commit, oldDecision(commit)]))
const names = decisions.get(oldCommits[0])?.candidates.map((each) => each.name) ?? []
const of = (name: string) => [...decisions.values()].flatMap(({ candidates }) => candidates.filter((each) => each.name === name))
/** Fleets come in steps, and those of one step still have volumes of other sizes: what they cost differs by so little. */
const sameStep = 1.02
const overlaps = (a: Spread, b: Spread) => a.p10 <= b.p90 * sameStep && b.p10 <= a.p90 * sameStep

describe.each(names)('%s in three runs of one day', (name) => {
  const all = of(name)

  test('is in in all of them, or out in all of them', () => {
    expect(new Set(all.map((each) => each.out)).size).toBe(1)
  })

  test('no constraint holds in one run and fails in another', () => {
    for (const constraint of all[0]?.constraints ?? []) {
      const states = new Set(all.map((each) => each.constraints.find(({ name: own }) => own === constraint.name)?.state))
      expect(states.has('holds') && states.has('out'), constraint.name).toBe(false)
    }
  })

  test('needs the same within its intervals, now and at the horizon, wherever it has a plan', () => {
    for (const at of ['now', 'horizon'] as const) {
      const needed = all.flatMap(({ plan }) => plan?.fleet[at].needed ?? [])
      for (const first of needed) for (const second of needed) expect(overlaps(first, second), at).toBe(true)
    }
  })
})

test('they can be read side by side', () => {
  for (const commit of oldCommits) expect(sideBySide(decisions)).toContain(commit)
})
