/** What a command ends with: one meaning for each exit code, and its reason as the last line on stderr. */
import type { Assessment } from '../assess/judge/assess.ts'
import { TrialError } from '../errors.ts'
import { faultsOf, stoppedIn } from '../report/headline.ts'
import type { Result } from '../result/result.ts'
import { note } from './output.ts'

export interface Ending {
  code: number
  reason: string
}

export const done: Ending = { code: 0, reason: '' }
export const exitFinding = 99
const exitServerless = 3
const exitIncomplete = 4

export const exitCodesText = `
Exit codes:
   0  done
   1  a fault of dbtrial itself, and of no candidate; what was measured is kept
   2  wrong usage, or an invalid scenario or result
   3  no server to be had at all, or nowhere to write
   4  incomplete: a candidate had no server or failed, or the run was interrupted
  99  a finding: a wrong answer, a broken invariant or lost write, a missed objective (--fail-on); a regression (compare)
 129, 130, 143  stopped by SIGHUP, SIGINT (Ctrl-C), SIGTERM, after the partial result was written
Every code other than 0 has its reason as the last line on stderr.`

/** What may end with 99; an operation that a candidate cannot do counts only where it is asked for. */
const findings = ['answers', 'invariants', 'objectives', 'excuses'] as const
export type Finding = (typeof findings)[number]
export const usualFindings = 'answers,invariants,objectives'
export const failOnText = `which findings end with ${exitFinding}: ${findings.join(', ')}, or none`

/** @throws TrialError, exit code 2. */
export function findingsOf(text: string): Set<Finding> {
  const asked = text === 'none' ? [] : text.split(',').map((each) => each.trim())
  for (const each of asked)
    if (!(findings as readonly string[]).includes(each))
      throw new TrialError('bad-option', `--fail-on ${each.slice(0, 60)}: no such finding`, {
        hint: `findings are ${findings.join(', ')}, or none`,
        exitCode: 2,
      })
  return new Set(asked as Finding[])
}

/** Of a run, or of an assessment of its result: what is wrong with a store weighs more than what is missing, and that more than what is slow. */
export function endingOf(result: Result, assessment: Assessment, failOn: Set<Finding>): Ending {
  const { candidates } = result
  const failed = candidates.filter((candidate) => candidate.failure !== null)
  const why = failed.map((each) => `${each.name}: ${each.failure}`).join('; ')
  if (failed.length === candidates.length && failed.every((each) => each.provision === null))
    return { code: exitServerless, reason: `there was no server: ${why}` }
  const faults = faultsOf(result, assessment, failOn)
  if (faults.length > 0) return { code: exitFinding, reason: faults.join('; ') }
  if (result.status === 'interrupted') return { code: exitIncomplete, reason: `the run was stopped during ${stoppedIn(result)}` }
  if (failed.length > 0) return { code: exitIncomplete, reason: why }
  const missed = assessment.candidates.filter((each) => each.at.some((at) => at.outcome === 'missed'))
  if (failOn.has('objectives') && missed.length > 0)
    return { code: exitFinding, reason: missed.map((each) => `${each.name} missed ${missedText(each.at)}`).join('; ') }
  const excused = result.excuses.filter((excuse) => excuse.operation !== null)
  if (failOn.has('excuses') && excused.length > 0)
    return { code: exitFinding, reason: excused.map((each) => `${each.engine} cannot do ${each.operation}`).join('; ') }
  return done
}

/** Of an assessment: it is done where something was assessed, whatever that says, but for the findings that were asked for. */
export function assessedEnding(result: Result, assessment: Assessment, failOn: Set<Finding>): Ending {
  const measured = result.candidates.map((candidate) => candidate.failure === null)
  if (!measured.includes(true)) return endingOf(result, assessment, failOn)
  const only = <T>(all: T[]) => all.filter((_, at) => measured[at])
  return endingOf({ ...result, candidates: only(result.candidates) }, { ...assessment, candidates: only(assessment.candidates) }, failOn)
}

function missedText(at: Assessment['candidates'][number]['at']): string {
  const operations = [...new Set(at.flatMap((each) => (each.outcome === 'missed' ? each.missed : [])))]
  return operations.length > 3 ? `objectives of ${operations.length} operations` : `objectives of ${operations.join(', ')}`
}

/** The last thing that a command says. */
export function end({ code, reason }: Ending): void {
  process.exitCode = code
  if (code !== 0) note(`exit code ${code}: ${reason}`)
}

/** A fault of ours, whoever was measured: its stack, and what we need to mend it. `kept`: where what was measured lies. */
export function tellFault(thrown: unknown, kept?: string): void {
  note(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
  process.exitCode = 1
  note(
    `exit code 1: this is a fault of dbtrial, and of no candidate: please report it with the lines above${kept === undefined ? '' : ` and with ${kept}`}`,
  )
}
