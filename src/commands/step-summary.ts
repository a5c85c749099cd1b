/** What a build on GitHub shows beside its log: appended to the file that it names. */
import { appendFileSync } from 'node:fs'
import type { Decision } from '../assess/decision/decision.ts'
import type { Assessment } from '../assess/judge/assess.ts'
import { messageOf } from '../errors.ts'
import { answer } from '../report/answer.ts'
import { headline } from '../report/headline.ts'
import { heading, paragraph } from '../report/render/document.ts'
import { toMarkdown } from '../report/render/markdown.ts'
import { verdictLine } from '../report/verdict.ts'
import type { Result } from '../result/result.ts'
import { redact } from '../secrets.ts'
import { note } from './output.ts'

/** Nothing where no build asks for it. */
export function addStepSummary(markdown: () => string): void {
  const path = process.env.GITHUB_STEP_SUMMARY
  if (path === undefined || path === '') return
  try {
    appendFileSync(path, `${redact(markdown())}\n`)
  } catch (error) {
    note(`GITHUB_STEP_SUMMARY could not be written: ${messageOf(error)}`)
  }
}

export function runMarkdown(result: Result, assessment: Assessment, decision: Decision | null): string {
  const { scenario } = result
  return toMarkdown([
    heading(2, `dbtrial: ${scenario.name}, effort ${result.trialPlan.effort}, seed ${result.seed}`),
    { kind: 'callout', ...headline(result, assessment) },
    ...answer(result, assessment, scenario),
    ...(decision === null ? [] : [paragraph(verdictLine(decision))]),
  ])
}
