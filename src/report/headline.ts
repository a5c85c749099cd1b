/** The first sentence of everything that tells of a result: what is wrong with a store, that nothing was decided, or who holds. */
import { isSlowNow } from '../assess/capacity/at-scale.ts'
import type { Assessment, CandidateAssessment } from '../assess/judge/assess.ts'
import { cautionLine } from '../assess/judge/cautions.ts'
import type { Result } from '../result/result.ts'
import { neighbourLine } from './neighbours.ts'
import { times } from './render/format.ts'
import { slowShort } from './scale.ts'

export interface Headline {
  tone: 'good' | 'bad' | 'note'
  text: string
}

/** The sentence, who else used the machine, and what the numbers of a candidate stand for where that is not what production would run. */
export function headline(result: Result, assessment: Assessment): Headline {
  const { tone, text } = finding(result, assessment)
  return { tone, text: [text, neighbourLine(result), cautionLine(result)].filter((each) => each !== '').join(' ') }
}

/** The sentence alone. */
export function finding(result: Result, assessment: Assessment): Headline {
  const faults = faultsOf(result, assessment)
  if (faults.length === 0) return decided(result, assessment)
  const fast = assessment.candidates.filter((each) => isFaulty(each) && meetsAll(each) && result.status === 'complete').map((each) => each.name)
  const rest =
    fast.length > 0
      ? `${fast.join(' and ')} met every tested objective, which does not count without that.`
      : assessment.holds.length > 0 || undecided(result, assessment) !== null
        ? decided(result, assessment).text
        : ''
  return { tone: 'bad', text: `${faults.join('; ')}. ${rest}`.trimEnd() }
}

/** Wrong answers, broken invariants and lost writes, one phrase each. */
export function faultsOf(result: Result, assessment: Assessment, kinds: Set<string> = new Set(['answers', 'invariants'])): string[] {
  return assessment.candidates.flatMap((each, at) => {
    const candidate = result.candidates[at]
    const checked = candidate?.verification.checked ?? 0
    const answers = each.wrong > 0 && kinds.has('answers') ? [`${each.name} gave ${each.wrong} wrong answers (${checked} verified)`] : []
    const invariants = (candidate?.invariants ?? [])
      .filter((invariant) => !invariant.ok && kinds.has('invariants'))
      .map((invariant) => `${each.name} broke the invariant "${invariant.name}": ${invariant.detail}`)
    return [...answers, ...invariants]
  })
}

/** The phase that an interrupted run was in. */
export function stoppedIn({ trialPlan: { phases } }: Result): string {
  return phases.find((phase) => phase.actualSeconds === null)?.name ?? 'its end'
}

function decided(result: Result, assessment: Assessment): Headline {
  const right = answersRight(result, assessment)
  if (right !== null) return right
  const open = undecided(result, assessment)
  if (open !== null) return { tone: 'note', text: `Nothing was decided: ${open}.` }
  const loads = result.trialPlan.multiples.map((multiple) => (multiple === 1 ? 'average load' : times(multiple))).join(' and ')
  const { holds } = assessment
  return holds.length > 0
    ? {
        tone: 'good',
        text: `${holds.join(' and ')} ${holds.length === 1 ? 'holds' : 'hold'} every tested objective at ${loads}, with right answers.`,
      }
    : notHeld(assessment, loads)
}

/** Who misses nothing, and is not shown to hold everything either, is no failure. */
function notHeld({ candidates }: Assessment, loads: string): Headline {
  const open = candidates.filter(
    (each) => each.failure === null && each.mix === 'full' && each.at.every((at) => at.missed.every((name) => isScaled(at, name))),
  )
  if (open.length === 0) return { tone: 'bad', text: `No candidate holds every tested objective at ${loads} with the full mix.` }
  const told = open.map((each) => {
    const slow = each.atScale.filter(isSlowNow)
    return slow.length === 0
      ? `${each.name} misses none`
      : `${each.name} misses none of those that were measured on as many rows as production has, but ${slow.map(slowShort).join(' and ')}`
  })
  return { tone: 'note', text: `No candidate is shown to hold every tested objective at ${loads}; ${told.join('; ')}.` }
}

/** Missed by what is known of production's rows, not by what was measured. */
const isScaled = ({ cells }: CandidateAssessment['at'][number], name: string) =>
  cells.some(({ operation, atScale }) => operation === name && atScale !== null)

/** What a smoke run is for; null where it is another, or something did not run. */
function answersRight({ status, trialPlan: { effort }, candidates }: Result, assessment: Assessment): Headline | null {
  if (effort !== 'smoke' || status !== 'complete' || candidates.some((each) => each.failure !== null)) return null
  const checked = candidates.reduce((sum, each) => sum + each.verification.checked, 0)
  const missed = assessment.candidates.filter((each) => each.at.some((at) => at.outcome === 'missed')).map((each) => each.name)
  const right = `All ${checked.toLocaleString('en')} answers that were compared are right; a smoke run decides nothing about speed.`
  return missed.length === 0
    ? { tone: 'good', text: right }
    : {
        tone: 'note',
        text: `${right} In its few seconds, on servers that had hardly begun, ${missed.join(' and ')} missed objectives: --effort quick tells whether that lasts.`,
      }
}

/** Why a result answers nothing; null: it answers. */
export function undecided(result: Result, assessment: Assessment): string | null {
  if (result.status === 'interrupted')
    return `the run was stopped during ${stoppedIn(result)}${result.fault === null ? '' : ' by a fault of dbtrial'}, and what follows is what had been measured until then`
  if (result.candidates.every((candidate) => candidate.failure !== null)) return 'no candidate ran to the end'
  const tested = assessment.candidates.flatMap((each) => each.at)
  if (tested.every((at) => at.outcome === 'not run')) return 'no objective was tested'
  if (!tested.some((at) => at.outcome === 'missed' || at.cells.some((cell) => cell.outcome === 'met')))
    return 'no round is evidence enough for any objective'
  return null
}

const isFaulty = (each: CandidateAssessment) => each.wrong > 0 || each.brokenInvariants.length > 0
const meetsAll = (each: CandidateAssessment) =>
  each.failure === null && each.mix === 'full' && each.at.length > 0 && each.at.every((at) => at.outcome === 'met')
