/** What production asks, now, in a year and at the horizon: what every plan begins with. */

import type { DemandMonth, DemandTable } from '../assess/demand/demand-table.ts'
import { bytes } from '../assess/figures/amount.ts'
import { type Block, details, heading, paragraph, table } from './render/document.ts'
import { count } from './render/format.ts'

const yearMonths = 12
const maxEntities = 6

/** A candidate's name as it stands beside numbers. */
type Marked = (name: string) => string

/** The first line names the columns; numbers at the middle of their ranges. */
export function demandRows({ months }: DemandTable, marked: Marked): string[][] {
  const shown = monthsShown(months)
  const [first] = shown
  if (first === undefined) return []
  const row = (name: string, of: (month: DemandMonth) => string) => [name, ...shown.map(of)]
  const largest = [...first.entities].sort((a, b) => b.rows - a.rows).slice(0, maxEntities)
  return [
    ['what production asks', ...shown.map(({ month }) => (month === 0 ? 'now' : `month ${month}`))],
    row('calls a second, on average', ({ perSecond }) => count(perSecond)),
    row('calls a second, at peak', ({ peakPerSecond }) => count(peakPerSecond)),
    ...largest.map(({ name }) => row(`rows of ${name}`, (month) => count(month.entities.find((each) => each.name === name)?.rows ?? 0))),
    row('bytes in their fields', (month) => bytes(month.bytes)),
    ...first.stored.map(({ candidate }, at) =>
      row(
        `${marked(candidate)} stores (of that hot)`,
        ({ stored }) => `${bytes(stored[at]?.bytes ?? 0)} (${bytes(stored[at]?.workingSetBytes ?? 0)})`,
      ),
    ),
  ]
}

export function demandBlocks(demand: DemandTable, marked: Marked): Block[] {
  const [head, ...rows] = demandRows(demand, marked)
  const shown = monthsShown(demand.months)
  if (head === undefined || shown.length === 0) return []
  const right = shown.map((_, at) => at + 1)
  return [
    heading(3, 'What production asks'),
    ...(demand.warning === null ? [] : [paragraph(demand.warning)]),
    table(head, rows, right),
    details('Calls a second and rows of a call, by operation', [
      table(
        ['operation', ...head.slice(1).flatMap((month) => [`calls a second, ${month}`, 'rows of one'])],
        (shown[0] as DemandMonth).operations.map(({ name }, at) => [
          name,
          ...shown.flatMap(({ operations }) => {
            const own = operations[at]
            return own === undefined ? ['', ''] : [Number(own.perSecond.toPrecision(3)).toLocaleString('en-US'), count(own.rowsPerCall)]
          }),
        ]),
        shown.flatMap((_, at) => [2 * at + 1, 2 * at + 2]),
      ),
    ]),
  ]
}

/** Now, about a year from now, and the last. */
function monthsShown(months: readonly DemandMonth[]): DemandMonth[] {
  const [first, last] = [months[0], months.at(-1)]
  if (first === undefined || last === undefined) return []
  const year = months.reduce((best, each) => (Math.abs(each.month - yearMonths) < Math.abs(best.month - yearMonths) ? each : best))
  return [...new Set([first, ...(last.month > yearMonths ? [year] : []), last])]
}
