/** What a report says first, below its headline: who holds which load, what bounds each, and what to know before comparing them. */

import { bytes } from '../assess/figures/amount.ts'
import type { Assessment, CandidateAssessment } from '../assess/judge/assess.ts'
import { cautionNotes, markedName } from '../assess/judge/cautions.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { type Block, list, paragraph, table } from './render/document.ts'
import { percent, times } from './render/format.ts'
import { capacityText } from './rivals.ts'

export function answer(result: Result, assessment: Assessment, scenario: Scenario): Block[] {
  const { multiples } = result.trialPlan
  const rows = assessment.candidates.map((each, index) => {
    const candidate = result.candidates[index] as CandidateResult
    return [
      markedName(candidate),
      ...each.at.map((at) => verdict(at)),
      capacityText(candidate.capacity),
      candidate.capacity.boundBy,
      each.failure ?? answersText(each, candidate),
    ]
  })
  const notes = [
    ...assessment.candidates.flatMap(noteOn),
    ...assessment.candidates.flatMap((each, at) => drivenNote(each, result.candidates[at] as CandidateResult)),
  ]
  const memory = memoryNote(result, scenario)
  const cautions = cautionNotes(result)
  return [
    paragraph(answerLegend),
    table(['candidate', ...multiples.map((multiple) => `at ${times(multiple)}`), 'capacity (multiple of average load)', 'bound by', 'answers'], rows),
    ...(notes.length + cautions.length + memory.length > 0 ? [list([...notes, ...cautions, ...memory])] : []),
  ]
}

function answersText({ wrong }: CandidateAssessment, { verification }: CandidateResult): string {
  if (wrong > 0) return `${wrong} wrong`
  return verification.checked === 0 ? 'not checked' : 'right'
}

const answerLegend =
  '✓ met and ✗ missed with 95 % probability; ? undecided or undetermined: neither is sure enough; not tested: too few calls, or fewer rows than in production. † see the notes below. A capacity is how many times the average load one server of the bench carries.'

function verdict(at: CandidateAssessment['at'][number]): string {
  const slow = at.cells.filter(({ atScale }) => atScale !== null)
  if (slow.length === 0) return measuredVerdict(at)
  const scaled = `on the rows of production ${slow.map(({ operation }) => operation).join(', ')} would miss`
  const rest = at.missed.filter((name) => slow.every(({ operation }) => operation !== name))
  return at.outcome === 'missed' && rest.length === 0 ? `✗ ${scaled}` : `${measuredVerdict({ ...at, missed: rest })}; ${scaled}`
}

function measuredVerdict(at: CandidateAssessment['at'][number]): string {
  if (at.outcome === 'missed')
    return at.missed.length > 3 ? `✗ missed by ${at.missed.length} of ${at.cells.length} operations` : `✗ missed: ${at.missed.join(', ')}`
  if (at.outcome === 'met') return at.notTested.length === 0 ? '✓ met' : `✓ met; not tested: ${at.notTested.join(', ')}`
  if (at.outcome === 'not run') return '— not run'
  const open = at.cells.filter((cell) => cell.undecided !== false && cell.undecided !== 'scale')
  const few = open.some((cell) => cell.undecided === 'few') ? '; fewer than a hundred calls of some in every trial' : ''
  const late = open.some((cell) => cell.undecided === 'late') ? '; the harness was late' : ''
  if (open.length === 0) return at.cells.some(({ undecided }) => undecided === 'scale') ? '?' : '? no usable round'
  return `? undecided${late}${few}: ${open.length > 3 ? `${open.length} of ${at.cells.length} operations` : open.map((cell) => cell.operation).join(', ')}`
}

function noteOn(each: CandidateAssessment): string[] {
  const notes: string[] = []
  if (each.failure !== null) notes.push(`${each.name} did not run to the end: ${each.failure}`)
  if (each.mix === 'partial')
    notes.push(
      `${each.name} was measured without ${[...new Set(each.at.flatMap((at) => at.cells.filter((cell) => cell.outcome === 'excused').map((cell) => cell.operation)))].join(', ')}: its numbers stand for a smaller job and are not ranked beside full ones.`,
    )
  if (each.brokenInvariants.length > 0) notes.push(`${each.name} broke invariants: ${each.brokenInvariants.join(', ')}`)
  return notes
}

/** A share that grows by less between the lightest and the heaviest load is none that load drives. */
const driven = 2

/** Who does not hold the average load: whether load is what it fails by, which more servers would mend. */
function drivenNote({ name, tried }: CandidateAssessment, { capacity }: CandidateResult): string[] {
  if (tried?.shares == null || capacity.boundBy !== tried.binding || (capacity.multiple?.mid ?? 1) >= 1) return []
  const [light, heavy] = tried.shares
  const [few, many] = tried.shares.map(({ multiple, share }) => `${percent(share)} at ${times(multiple)}`)
  const over = `${few}, ${many} of its answers were over the limit`
  return [
    heavy.share > driven * light.share
      ? `${name}: load drives ${tried.binding}: ${over}, so servers that each have less load mend it.`
      : `${name}: ${tried.binding} is missed whatever the load: ${over}.`,
  ]
}

function memoryNote(result: Result, scenario: Scenario): string[] {
  const { data } = result.trialPlan
  if (data === null) return []
  const loaded = data.loadedBytes / data.memoryBytes
  const production = data.productionBytes / data.memoryBytes
  const text = `Data to memory was ${loaded.toPrecision(2)} as loaded and is ${production.toPrecision(2)} in production on this size of server (${bytes(scenario.bench.memoryBytes)}).`
  return loaded < 1 && production > 1 ? [`cache-resident: disk reads not measured. ${text}`] : [text]
}
