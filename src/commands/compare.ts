/** `dbtrial compare BASELINE RESULT`: what got slower, and why it may have. */
import { compare } from '../assess/compare.ts'
import { TrialError } from '../errors.ts'
import { comparedCells, comparisonJunit, comparisonMarkdown, verdictLine } from '../report/comparison.ts'
import { readResult } from '../result.ts'
import { columns } from '../terminal/tables.ts'
import { print } from './output.ts'

const exitRegression = 99

export interface CompareOptions {
  tolerance: string
  format: 'text' | 'json' | 'md' | 'junit'
}

export function compareCommand(baseline: string, result: string, { tolerance, format }: CompareOptions): void {
  const share = toleranceOf(tolerance)
  const comparison = compare(readResult(baseline), readResult(result), share)
  if (format === 'json') print(JSON.stringify(comparison, null, 2))
  else if (format === 'md') print(comparisonMarkdown(comparison))
  else if (format === 'junit') print(comparisonJunit(comparison))
  else {
    const { differences, rows } = comparison
    if (differences.length > 0) print(`different besides the times:\n${differences.map((each) => `  ${each}`).join('\n')}\n`)
    print(`${columns(comparedCells(rows))}\n\n${verdictLine(comparison)}`)
  }
  if (comparison.regressions > 0 || comparison.broken.length > 0) process.exitCode = exitRegression
}

function toleranceOf(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? []
  if (number === undefined) throw new TrialError('bad-tolerance', `--tolerance ${text}: expected a share such as 25% or 0.25`, { exitCode: 2 })
  return percent === '%' ? Number(number) / 100 : Number(number)
}
