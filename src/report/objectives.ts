/** p99 and p50 of every operation at each load that compares candidates, with what was decided on each objective. */
import type { Assessment } from '../assess/judge/assess.ts'
import type { Cell } from '../assess/judge/at-multiple.ts'
import { markedName } from '../assess/judge/cautions.ts'
import type { Result } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { type Block, heading, paragraph, table } from './render/document.ts'
import { count, micros, microsRange, outcomeMarks, times } from './render/format.ts'

export function objectives(result: Result, assessment: Assessment, scenario: Scenario): Block[] {
  if (assessment.candidates.every((each) => each.at.every((at) => at.outcome === 'not run'))) {
    return [paragraph(`Nothing was measured: ${result.candidates.map((candidate) => candidate.failure ?? 'stopped before').join('; ')}`)]
  }
  const tables = result.trialPlan.multiples.flatMap((multiple) => {
    // One column a candidate, whose text wraps: four candidates fit a page.
    const head = ['operation', 'objective', ...result.candidates.map((candidate) => `${markedName(candidate)}: p99 · p50`)]
    const rows = scenario.operations.map((operation) => {
      const limits = operation.objectives.map((objective) => `${objective.name} ${micros(objective.limitMs * 1000)}`).join(', ')
      const cells = assessment.candidates.map((each) => {
        const cell = each.at.find((at) => at.multiple === multiple)?.cells.find((own) => own.operation === operation.name)
        if (cell === undefined) return '—'
        return cell.p50Us === null ? p99Text(cell) : `${p99Text(cell)} · ${micros(cell.p50Us)}${rangeText(cell.p50IntervalUs)}`
      })
      return [operation.name, limits || '—', ...cells]
    })
    return [heading(3, `At ${times(multiple)} the average load (${count(rateAt(scenario, multiple))} operations per second)`), table(head, rows)]
  })
  const legend =
    'Response time from the intended start: percentiles of the merged histograms of all valid trials at this rate, and in parentheses where they lie with 95 %, by a bootstrap over the starts of the server and their trials (from three starts on; one start knows nothing of the next); a dash where a p99 would need more samples, or the server was saturated. ✓ met and ✗ missed with 95 % probability by the response curve over all rates, in which a burst counts once: a range in parentheses is of this rate alone, and may reach beyond a limit that is met; ? undetermined: too few samples, fewer than a hundred calls in every trial, fewer rows touched than in production, or missed only while the harness itself was late; what would take longer than its limit on the rows of production is ✗ with 95 % probability, else ?.'
  return [paragraph(legend), ...tables]
}

const rateAt = (scenario: Scenario, multiple: number) =>
  scenario.operations.reduce((sum, operation) => sum + operation.ratePerSecond * (operation.scales ? multiple : 1), 0)

const rangeText = (interval: Cell['p99IntervalUs']) => (interval === null ? '' : ` (${microsRange(interval.low, interval.high)})`)

function p99Text(cell: Cell): string {
  const mark = outcomeMarks[cell.outcome] ?? cell.outcome
  const scaled = cell.atScale === null ? '' : `${micros(cell.atScale.now.p50 * 1e6)} on production’s rows`
  const told = toldText(cell)
  return [`${mark} ${scaled}`.trim(), told].filter((each) => each !== '').join(scaled === '' ? ' ' : '; on fewer ')
}

function toldText(cell: Cell): string {
  if (cell.backlog !== null) return `saturated: the backlog grows by ${cell.backlog.toFixed(2)} s per s`
  const few = cell.undecided === 'few' ? `of ${cell.intended} calls` : ''
  if (cell.p99Us === null) return few
  const failed = cell.errors + cell.dropped
  return [
    `${micros(cell.p99Us)}${rangeText(cell.p99IntervalUs)}`,
    failed > 0 ? `${failed} failed` : '',
    cell.scaleLimited ? 'scale-limited' : '',
    cell.undecided === 'late' ? 'harness late' : '',
    few,
  ]
    .filter((each) => each !== '')
    .join(', ')
}
