/** What the planned servers hold and cost, in a line each for the first screen. */
import type { CandidateDecision } from '../assess/decision/decision.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import { micros, usd } from './render/format.ts'

const likely = 0.5
const mostLate = 3
const monthsOfYear = 12

/** Whether the limits hold on the servers that are proposed, and what misses them now, at the average load. */
export function limitsText({ constraints, atScale }: Pick<CandidateDecision, 'constraints' | 'atScale'>, { latency }: CandidatePlan): string {
  const late = [
    ...latency.calls
      .filter(({ month, load, holds }) => month === 0 && load === 'average' && holds < likely)
      .map(({ operation, objective, totalMs, limitMs }) => `${objective} of ${operation} ${micros(totalMs.p50 * 1000)} of ${micros(limitMs * 1000)}`),
    ...atScale
      .filter(({ probabilityNow }) => probabilityNow >= likely)
      .map(
        ({ operation, now, limitMs, rollup }) =>
          `${operation} ${micros(now.p50 * 1e6)} of ${micros(limitMs * 1000)} on the rows of production${rollup === null ? '' : ' unless it is rolled up'}`,
      ),
  ]
  const shares = constraints.flatMap(({ name, planned }) =>
    name === 'objectives on average' ? [`on average ${planned}`] : name === 'objectives at peak' ? [`at peak ${planned}`] : [],
  )
  const more = late.length > mostLate ? `; ${late.length - mostLate} more (section 10)` : ''
  const now =
    late.length === 0 ? 'now, at the average load, each is more likely kept than missed' : `missed now: ${late.slice(0, mostLate).join('; ')}${more}`
  return [now, ...shares].join('; ')
}

/** The invoice of the first year and of the last, straight between the months that are planned; and the hours that are on none. */
export function yearsText({ usdPerMonth: { months }, fleet: { now } }: CandidatePlan): string {
  const last = Math.floor((months.at(-1)?.month ?? 0) / monthsOfYear)
  const labour = now.lines.find(({ name, billed }) => name === 'labour' && !billed)
  const beside = labour === undefined ? '' : `; beside it about ${usd(labour.usdPerMonth.p50)} a month of hours that no invoice shows`
  if (last === 0) return `${usd(12 * (months[0]?.p50 ?? 0))} at the price of now${beside}`
  const years = [...new Set([1, last])].map((year) => `${usd(yearUsd(months, year))} in year ${year}`)
  return `${years.join(', ')}${beside}`
}

/** `year`: from 1 on. */
function yearUsd(months: CandidatePlan['usdPerMonth']['months'], year: number): number {
  const from = monthsOfYear * (year - 1)
  return Array.from({ length: monthsOfYear }, (_, at) => at + from).reduce((sum, month) => sum + usdIn(months, month), 0)
}

function usdIn(months: CandidatePlan['usdPerMonth']['months'], month: number): number {
  const at = months.findIndex((each) => each.month >= month)
  const [before, after] = [months[at - 1], months[at]]
  if (after === undefined) return months.at(-1)?.p50 ?? 0
  if (before === undefined || after.month === month) return after.p50
  return before.p50 + ((after.p50 - before.p50) * (month - before.month)) / (after.month - before.month)
}
