/** `dbtrial compare BASELINE RESULT`: what got slower, and why it may have. */
import { compare } from '../assess/judge/compare.ts'
import { TrialError } from '../errors.ts'
import { commandLine } from '../invocation.ts'
import { comparedCells, comparedNumberCells, comparisonJunit, comparisonMarkdown, undeterminedLines, verdictLine } from '../report/comparison.ts'
import { comparisonCsv } from '../report/render/csv.ts'
import { readResult } from '../result/result.ts'
import { coloured } from '../terminal/style.ts'
import { columns } from '../terminal/tables.ts'
import { end, exitFinding } from './ending.ts'
import { print } from './output.ts'
import { lastRuns, resultPath } from './runs.ts'
import { addStepSummary } from './step-summary.ts'

export interface CompareOptions {
  tolerance: string
  format: 'text' | 'json' | 'md' | 'junit' | 'csv'
  out: string
}

/** `last` in the place of the baseline: the last two runs of a scenario. */
export function compareCommand(baseline: string, result: string | undefined, { tolerance, format, out }: CompareOptions): void {
  const share = toleranceOf(tolerance)
  const [before, after] = baseline === 'last' ? (lastRuns(2, result, out).reverse() as [string, string]) : [resultPath(baseline, out), result]
  if (after === undefined)
    throw new TrialError('one-result', 'compare needs two results', {
      hint: `give both, or: ${commandLine('compare', 'last')}, for the last two of a scenario`,
      exitCode: 2,
    })
  const comparison = compare(readResult(before), readResult(resultPath(after, out)), share)
  if (format === 'json') print(JSON.stringify(comparison, null, 2))
  else if (format === 'md') print(comparisonMarkdown(comparison))
  else if (format === 'junit') print(comparisonJunit(comparison))
  else if (format === 'csv') print(comparisonCsv(comparison))
  else {
    const { differences, cautions } = comparison
    if (baseline === 'last') print(`baseline ${before}\nresult   ${after}\n`)
    if (differences.length > 0) print(`different besides the times:\n${differences.map((each) => `  ${each}`).join('\n')}\n`)
    const said = [...cautions, ...undeterminedLines(comparison), comparison.speed, comparison.resolution, verdictLine(comparison)].filter(
      (line) => line !== '',
    )
    print(coloured(`${columns(comparedCells(comparison))}\n\n${columns(comparedNumberCells(comparison))}\n\n${said.join('\n')}`))
  }
  addStepSummary(() => comparisonMarkdown(comparison))
  if (comparison.regressions > 0 || comparison.broken.length > 0) end({ code: exitFinding, reason: verdictLine(comparison) })
}

function toleranceOf(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? []
  if (number === undefined) throw new TrialError('bad-tolerance', `--tolerance ${text}: expected a share such as 25% or 0.25`, { exitCode: 2 })
  return percent === '%' ? Number(number) / 100 : Number(number)
}
