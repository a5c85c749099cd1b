/** Tables for a spreadsheet: RFC 4180, numbers as they are, one row a measurement. */
import type { Assessment } from '../../assess/judge/assess.ts'
import type { Comparison } from '../../assess/judge/compare.ts'

export function assessmentCsv({ candidates }: Assessment): string {
  const head = [
    'candidate',
    'mix',
    'multiple',
    'operation',
    'outcome',
    'intended',
    'errors',
    'dropped',
    'p50_us',
    'p50_low_us',
    'p50_high_us',
    'p99_us',
    'p99_low_us',
    'p99_high_us',
  ]
  const rows = candidates.flatMap(({ name, mix, at }) =>
    at.flatMap(({ multiple, cells }) =>
      cells.map((cell) => [
        name,
        mix,
        multiple,
        cell.operation,
        cell.outcome,
        cell.intended,
        cell.errors,
        cell.dropped,
        cell.p50Us,
        cell.p50IntervalUs?.low ?? null,
        cell.p50IntervalUs?.high ?? null,
        cell.p99Us,
        cell.p99IntervalUs?.low ?? null,
        cell.p99IntervalUs?.high ?? null,
      ]),
    ),
  )
  return csv([head, ...rows])
}

export function comparisonCsv({ rows, numbers }: Comparison): string {
  const head = ['candidate', 'operation', 'multiple', 'metric', 'baseline', 'result', 'ratio', 'ratio_low', 'ratio_high', 'verdict', 'undetermined']
  return csv([
    head,
    ...rows.map((row) => [
      row.candidate,
      row.operation,
      row.multiple,
      row.metric,
      row.baselineUs,
      row.resultUs,
      row.ratio?.mid ?? null,
      row.ratio?.low ?? null,
      row.ratio?.high ?? null,
      row.verdict,
      row.undetermined,
    ]),
    // Multiples of the average load, and µs.
    ...numbers.map((row) => [
      row.candidate,
      null,
      null,
      row.number,
      row.baseline,
      row.result,
      row.ratio?.mid ?? null,
      row.ratio?.low ?? null,
      row.ratio?.high ?? null,
      row.verdict,
      row.undetermined,
    ]),
  ])
}

export function csv(rows: (string | number | null)[][]): string {
  return rows.map((row) => row.map(cellText).join(',')).join('\r\n')
}

/** A spreadsheet runs what begins like a formula: such text stays text. */
function cellText(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
