/** A comparison as text, as Markdown for a pull request, and as JUnit for a build server. */
import { cautionMark } from '../assess/judge/cautions.ts'
import type { Comparison } from '../assess/judge/compare.ts'
import type { ComparedRow } from '../assess/judge/compared-times.ts'
import { type Document, details, heading, list, paragraph, table } from './render/document.ts'
import { micros, times } from './render/format.ts'
import { toMarkdown } from './render/markdown.ts'

/** One line that says it all. */
export function verdictLine({ rows, numbers, broken, regressions, tolerance }: Comparison): string {
  const count = (verdict: ComparedRow['verdict']) => [...rows, ...numbers].filter((row) => row.verdict === verdict).length
  const counts = `${count('slower')} slower, ${count('faster')} faster, ${count('tie')} tie, ${count('undetermined')} undetermined`
  const allowance = `tolerance ${Math.round(tolerance * 100)} %`
  if (regressions === 0 && broken.length === 0) return `No regression: ${counts} (${allowance})`
  return `Regression: ${[...broken, `${counts} (${allowance})`].join('; ')}`
}

/** Each reason why nothing can be said, with how many comparisons it concerns. */
export function undeterminedLines({ rows, numbers }: Comparison): string[] {
  return [...Map.groupBy([...rows, ...numbers], (row) => row.undetermined)].flatMap(([reason, own]) =>
    reason === null ? [] : [`${own.length} undetermined: ${reason}`],
  )
}

export function comparisonDocument(comparison: Comparison): Document {
  const { rows, numbers, differences, cautions } = comparison
  const [numbersHead, ...numbersRows] = comparedNumberCells(comparison)
  const changed = rows.filter((row) => row.verdict === 'slower' || row.verdict === 'faster')
  return [
    heading(2, 'dbtrial: compared with the baseline'),
    paragraph(verdictLine(comparison)),
    ...(differences.length === 0
      ? [paragraph('Models, statements, settings and versions are the same.')]
      : [paragraph('Different besides the times:'), list(differences)]),
    ...(comparison.speed === '' ? [] : [paragraph(comparison.speed)]),
    ...(cautions.length === 0 ? [] : [list(cautions)]),
    ...([...rows, ...numbers].some((row) => row.undetermined !== null) ? [list(undeterminedLines(comparison))] : []),
    ...(changed.length === 0 ? [] : [comparedTable({ ...comparison, rows: [...changed].sort((a, b) => (b.ratio?.mid ?? 0) - (a.ratio?.mid ?? 0)) })]),
    table(numbersHead as string[], numbersRows, [2, 3, 4]),
    details(`All ${rows.length} comparisons of times`, [
      comparedTable(comparison),
      paragraph(
        'Times are percentiles of all rounds together. Ratio: result over baseline, with its interval at 95 %: Welch’s t on logarithms from three rounds or starts on, with fewer none. Slower and faster mean that the whole interval lies beyond the tolerance, and that the difference is more than equals have on this machine; of a capacity less is slower, of CPU per operation more.',
      ),
      ...(comparison.resolution === '' ? [] : [paragraph(comparison.resolution)]),
    ]),
  ]
}

const head = ['candidate', 'operation', 'load', 'metric', 'baseline', 'result', 'ratio', 'verdict']

/** Cells of the table, for Markdown and the terminal alike. */
export function comparedCells({ rows, marked }: Pick<Comparison, 'rows' | 'marked'>): string[][] {
  const us = (value: number | null) => (value === null ? '—' : micros(value))
  return [
    head,
    ...rows.map((row) => [
      shown(row.candidate, marked),
      row.operation,
      times(row.multiple),
      row.metric,
      us(row.baselineUs),
      us(row.resultUs),
      ratioText(row),
      row.verdict,
    ]),
  ]
}

const shown = (name: string, marked: string[]) => (marked.includes(name) ? `${name}${cautionMark}` : name)

export function comparedNumberCells({ numbers, marked }: Pick<Comparison, 'numbers' | 'marked'>): string[][] {
  const figure = (value: number | null) => (value === null ? '—' : Number(value.toPrecision(3)).toLocaleString('en'))
  return [
    ['candidate', 'number', 'baseline', 'result', 'ratio', 'verdict'],
    ...numbers.map((row) => [
      shown(row.candidate, marked),
      row.number === 'CPU per operation' ? `${row.number}, µs` : `${row.number}, ×`,
      figure(row.baseline),
      figure(row.result),
      ratioText(row),
      row.verdict,
    ]),
  ]
}

function comparedTable(comparison: Pick<Comparison, 'rows' | 'marked'>) {
  const [first, ...rest] = comparedCells(comparison)
  return table(first as string[], rest, [4, 5, 6])
}

function ratioText({ ratio }: Pick<ComparedRow, 'ratio'>): string {
  if (ratio === null) return '—'
  const number = (value: number) => (value >= 10 ? value.toFixed(0) : value.toFixed(2))
  return `${number(ratio.mid)} [${number(ratio.low)}, ${number(ratio.high)}]`
}

export const comparisonMarkdown = (comparison: Comparison): string => toMarkdown(comparisonDocument(comparison))

/** A suite per candidate, a case per operation, rate and metric; one more for what broke in kind. */
export function comparisonJunit(comparison: Comparison): string {
  const { rows, numbers, broken } = comparison
  const suites = [...Map.groupBy([...rows, ...numbers], (row) => row.candidate)].map(([candidate, own]) => {
    const cases = own.map((row) => {
      const name = 'number' in row ? row.number : `${row.operation} at ${times(row.multiple)}: ${row.metric}`
      const seconds = 'number' in row || row.resultUs === null ? null : row.resultUs / 1e6
      const body = row.regression
        ? `<failure message="${xml(`${ratioText(row)} times the baseline`)}"/>`
        : row.verdict === 'undetermined'
          ? `<skipped message="${xml(row.undetermined ?? '')}"/>`
          : ''
      return `    <testcase classname="${xml(candidate)}" name="${xml(name)}"${seconds === null ? '' : ` time="${seconds.toFixed(6)}"`}>${body}</testcase>`
    })
    const failures = own.filter((row) => row.regression).length
    const skipped = own.filter((row) => row.verdict === 'undetermined').length
    return `  <testsuite name="${xml(candidate)}" tests="${own.length}" failures="${failures}" skipped="${skipped}">\n${cases.join('\n')}\n  </testsuite>`
  })
  const cases = broken.map((each) => `    <testcase classname="verdict" name="${xml(each)}"><failure message="${xml(each)}"/></testcase>`)
  if (broken.length > 0)
    suites.push(`  <testsuite name="verdict" tests="${broken.length}" failures="${broken.length}" skipped="0">\n${cases.join('\n')}\n  </testsuite>`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`
}

function xml(text: string): string {
  // XML has no way to write a control character.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant.
  const writable = text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  return writable.replaceAll(/[<>&"'\t\r\n]/g, (character) => `&#${character.charCodeAt(0)};`)
}
