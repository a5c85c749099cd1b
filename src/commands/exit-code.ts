/** What a finished run, or an assessment, ends with. */
import type { Assessment } from '../assess/assess.ts'
import type { Result } from '../result.ts'

const exitMissed = 99
const exitIncomplete = 4

/** `named`: the user asked for these candidates, so an excuse of theirs counts. */
export function exitCodeOf(result: Result, assessment: Assessment, named: boolean): number {
  const serverless = result.candidates.filter((candidate) => candidate.provision === null)
  if (serverless.length === result.candidates.length) return 3
  const excused = named && result.excuses.length > 0
  if (serverless.length > 0 || excused || result.candidates.some((candidate) => candidate.failure !== null)) return exitIncomplete
  return assessment.candidates.some((each) => each.at.some((at) => at.outcome === 'missed')) ? exitMissed : 0
}
