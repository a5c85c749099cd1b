/** Sentences that hold for one run or candidate and not for another. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { notMeasured } from '../../../src/report/not-measured.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { capacities } from '../../../src/report/rivals.ts'
import { evidenceSection } from '../../../src/report/sections/evidence.ts'
import { requirementsSection } from '../../../src/report/sections/requirements.ts'
import type { Told } from '../../../src/report/told.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import { durabilities } from '../../../src/scenario/scenario.ts'

const saved = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))

function toldOf(change: (result: Result) => void): Told {
  const result = structuredClone(saved)
  change(result)
  return { result, assessment: assess(result), decision: null, charts: () => [] }
}

test('each durability is told in its own words', () => {
  const told = durabilities.map((each) => {
    const text = toMarkdown(requirementsSection(toldOf(({ scenario }) => (scenario.requirements.durability = each))))
    return text.split('\n').find((line) => line.includes('durability'))
  })
  expect(told[0]).toContain('fsync: an acknowledged write survives a crash')
  expect(told[1]).toContain('relaxed: a crash may lose the last writes')
  expect(told[2]).toContain('volatile: a write lives as long as its server')
})

test('a saturation that is a lower bound is not what is planned with', () => {
  expect(toMarkdown(capacities(saved))).toMatch(
    /the least of them; a saturation that client-bound loops found, .* is left out where there is another/,
  )
})

test('starts are told of those that had them: who was never started again had one, whatever was planned', () => {
  const startsOf = (starts: number, restores: number[]) => {
    const { result } = toldOf(({ candidates, trialPlan }) => {
      trialPlan.budget.starts = starts
      candidates.splice(restores.length)
      for (const [at, each] of candidates.entries()) each.restores = restores[at] as number
    })
    return notMeasured(result).filter((text) => /was started \d times|within one start/.test(text))
  }
  const [first, second] = saved.candidates.map(({ name }) => name)
  const mixed = startsOf(3, [2, 0])
  expect(mixed[0]).toMatch(new RegExp(`^The server of ${first} was started 3 times`))
  expect(mixed[1]).toMatch(new RegExp(`^All trials lie within one start of the server of ${second}: .*rows that were written stayed`))
  expect(startsOf(3, [2, 2])).toEqual([expect.stringMatching(/^Each server was started 3 times/)])
  expect(startsOf(3, [0, 0])).toEqual([expect.stringMatching(/^All trials lie within one start of each server/)])
  expect(startsOf(1, [1, 0])).toEqual([expect.stringMatching(new RegExp(`within one start of the server of ${second}`))])
})

test('what load goes through is told as it was', () => {
  const textOf = (driven: number) =>
    toMarkdown(
      evidenceSection(
        toldOf(({ candidates }) => {
          for (const { trials } of candidates.slice(0, driven)) for (const each of trials) each.client = 'driver'
        }),
      ),
    )
  const [first] = saved.candidates
  expect(textOf(0)).toContain('Load goes through the wire client, whose cost no server sees. What')
  expect(textOf(1)).toContain(`no server sees; that of ${first?.name} through its driver`)
  const all = textOf(saved.candidates.length)
  expect(all).toContain('Load goes through the official driver')
  expect(all).not.toContain('goes through the wire client')
})
