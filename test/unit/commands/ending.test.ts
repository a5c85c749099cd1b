/** Exit codes and first sentences of results that were changed for it: each code means one thing, and nothing is claimed that was not found. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { assess } from '../../../src/assess/judge/assess.ts'
import { decideIfCompared } from '../../../src/commands/assess.ts'
import { assessedEnding, endingOf, findingsOf, usualFindings } from '../../../src/commands/ending.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { type CandidateResult, type Result, readResult } from '../../../src/result/result.ts'
import { summaryText } from '../../../src/terminal/tables.ts'

const sample = readResult(fileURLToPath(new URL('../../../reports/sample/result.json', import.meta.url)))

/** The sample with its first candidate alone, changed. */
function changed(change: (candidate: CandidateResult, result: Result) => void): Result {
  const copy = structuredClone(sample)
  copy.candidates = copy.candidates.slice(0, 1)
  copy.excuses = []
  change(copy.candidates[0] as CandidateResult, copy)
  return copy
}
const ended = (result: Result, failOn = usualFindings) => endingOf(result, assess(result), findingsOf(failOn))
const firstLine = (result: Result) => summaryText(result, assess(result)).split('\n')[0]
const broken = (candidate: CandidateResult) => {
  const [first] = candidate.invariants
  if (first !== undefined) Object.assign(first, { ok: false, name: 'rows of note', detail: '+34, acknowledged writes allow 32' })
}

/** No answer was over its limit, and there were enough of each operation. */
const inTime = (candidate: CandidateResult) => {
  for (const trial of candidate.trials)
    for (const own of Object.values(trial.operations)) {
      own.intended = Math.max(own.intended, 5000)
      for (const objective of Object.keys(own.exceeded)) own.exceeded[objective] = 0
    }
}

/** No call touches more rows in production than it did here. */
const asLarge = ({ trialPlan }: Result) => {
  for (const each of trialPlan.operations) each.rowsProduction = each.rowsLoaded
}

describe('a finding about a store ends with 99, is the reason and the first line', () => {
  test('a broken invariant, where every objective was met', () => {
    const result = changed((candidate, { trialPlan }) => {
      broken(candidate)
      inTime(candidate)
      // On as many rows as production has.
      for (const each of trialPlan.operations) each.rowsLoaded = each.rowsProduction
    })
    const reason = 'postgres broke the invariant "rows of note": +34, acknowledged writes allow 32'
    expect(ended(result)).toEqual({ code: 99, reason })
    expect(firstLine(result)).toBe(`${reason}. postgres met every tested objective, which does not count without that.`)
    expect(toMarkdown(makeDocument(result, assess(result), null, [])).split('\n')[2]).toMatch(/^> ❌ postgres broke the invariant/)
  })

  test('a wrong answer in a trial', () => {
    const result = changed(({ trials }) => {
      const own = trials[0]?.operations.get_order
      if (own !== undefined) own.wrong = 3
    })
    expect(ended(result)).toEqual({ code: 99, reason: 'postgres gave 3 wrong answers (572 verified)' })
  })

  test('it outweighs what failed beside it, and may be left out by name', () => {
    const result = changed((candidate) => {
      broken(candidate)
      candidate.failure = 'the server ended'
    })
    expect(ended(result).code).toBe(99)
    expect(ended(result, 'objectives')).toEqual({ code: 4, reason: 'postgres: the server ended' })
  })
})

test('a missed objective ends with 99 and names it, unless it is left out', () => {
  const result = structuredClone(sample)
  expect(ended(result)).toMatchObject({ code: 99, reason: expect.stringContaining('mongodb missed objectives of') })
  expect(ended(result, 'answers,invariants')).toEqual({ code: 0, reason: '' })
  expect(ended(result, 'none').code).toBe(0)
})

test('an excuse is no failure of a run; asked for, it is a finding', () => {
  const result = changed((candidate, saved) => {
    inTime(candidate)
    asLarge(saved)
    saved.excuses.push({ engine: 'postgres', operation: 'op', reason: 'no', bottleneck: '' })
  })
  expect(ended(result).code).toBe(0)
  expect(ended(result, 'excuses')).toEqual({ code: 99, reason: 'postgres cannot do op' })
})

test('no server for anybody is 3, for one of several 4, each with its reason', () => {
  const serverless = (candidate: CandidateResult) => Object.assign(candidate, { provision: null, failure: 'no server: refused', trials: [] })
  expect(ended(changed(serverless))).toEqual({ code: 3, reason: 'there was no server: postgres: no server: refused' })
  const copy = structuredClone(sample)
  serverless(copy.candidates[1] as CandidateResult)
  expect(ended(copy)).toEqual({ code: 4, reason: 'mongodb: no server: refused' })
  expect(summaryText(copy, assess(copy))).toContain('mongodb did not start: no server: refused')
})

test('a finding that is none is refused with those that there are', () => {
  expect(() => findingsOf('objectivs')).toThrow('--fail-on objectivs: no such finding')
})

describe('an interrupted run decides nothing', () => {
  const stopped = changed((candidate, result) => {
    result.status = 'interrupted'
    for (const phase of result.trialPlan.phases.slice(5)) phase.actualSeconds = null
    candidate.trials = []
    candidate.invariants = []
    candidate.verification = { checked: 0, wrong: 0, byOperation: {}, differences: [] }
  })

  test('in its first line, in its tables, in its verdict and in its code', () => {
    const text = summaryText(stopped, assess(stopped))
    expect(text).toMatch(/^Nothing was decided: the run was stopped during measurement/)
    expect(text).not.toMatch(/No candidate holds|0 of 0| ok$/m)
    expect(text).toMatch(/not checked\s+not checked$/m)
    expect(decideIfCompared(stopped, assess(stopped))).toBeNull()
    expect(ended(stopped)).toEqual({ code: 4, reason: 'the run was stopped during measurement' })
    const markdown = toMarkdown(makeDocument(stopped, assess(stopped), null, []))
    expect(markdown.split('\n')[2]).toMatch(/^> ℹ️ Nothing was decided/)
    expect(markdown).toMatch(/\| postgres \|.*\| not checked \|/)
  })

  test('not even where all that was measured was met: invariants come last', () => {
    const late = changed((_, result) => void (result.status = 'interrupted'))
    expect(assess(late).holds).toEqual([])
  })
})

test('objectives that nothing could test are no promise', () => {
  const result = changed(({ trials }, saved) => {
    asLarge(saved)
    for (const trial of trials)
      for (const own of Object.values(trial.operations)) {
        own.intended = Math.min(own.intended, 3)
        own.exceeded = {}
      }
  })
  expect(firstLine(result)).toBe('Nothing was decided: no round is evidence enough for any objective.')
})

test('a smoke run says what it is for, and who misses nothing is no failure', () => {
  const smoke = changed((candidate, result) => {
    result.trialPlan.effort = 'smoke'
    candidate.trials = candidate.trials.filter((trial) => trial.phase === 'confirmation' && trial.repeat === 0)
    inTime(candidate)
  })
  expect(firstLine(smoke)).toMatch(/^All 572 answers that were compared are right; a smoke run decides nothing about speed\./)
  expect(ended(smoke).code).toBe(0)
  const late = changed((candidate, result) => {
    result.trialPlan.effort = 'smoke'
    candidate.trials = candidate.trials.filter((trial) => trial.phase === 'confirmation' && trial.repeat === 0)
    for (const trial of candidate.trials)
      for (const own of Object.values(trial.operations))
        own.exceeded = Object.fromEntries(Object.keys(own.exceeded).map((name) => [name, own.intended]))
  })
  expect(firstLine(late)).toMatch(/^All 572 .* nothing about speed\. In its few seconds, .* postgres missed objectives: --effort quick tells/)
  const open = changed(inTime)
  expect(firstLine(open)).toMatch(
    /^No candidate is shown to hold every tested objective at average load and 3×; postgres misses none of those that were measured on as many rows as production has, but daily_revenue would take /,
  )
})

describe('an assessment', () => {
  const assessed = (result: Result, failOn = 'none') => assessedEnding(result, assess(result), findingsOf(failOn)).code

  test('is done when it assessed, whatever that says, unless it was asked', () => {
    const wrong = changed(({ trials }) => {
      const own = trials[0]?.operations.get_order
      if (own !== undefined) own.wrong = 3
    })
    expect(assessed(sample)).toBe(0)
    expect(assessed(wrong)).toBe(0)
    expect(assessed(wrong, usualFindings)).toBe(99)
  })

  test('of a candidate that failed is one of the others; where all failed, or the run was stopped, nothing was assessed', () => {
    const one = structuredClone(sample)
    Object.assign(one.candidates[0] as CandidateResult, { failure: 'its server went' })
    expect(assessed(one)).toBe(0)
    for (const candidate of one.candidates) Object.assign(candidate, { failure: 'its server went' })
    expect(assessed(one)).toBe(4)
    expect(assessed({ ...sample, status: 'interrupted' })).toBe(4)
  })
})
