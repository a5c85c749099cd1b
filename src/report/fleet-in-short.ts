/** What the planned servers hold and cost, in a line each. */
import type { CandidateDecision } from '../assess/decision/decision.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import { lateNow } from '../assess/fleet/latency-of-plan.ts'
import { micros, usd } from './render/format.ts'

const likely = 0.5
const mostLate = 3

/** Operations that are likely late on the rows of production already now. */
export const lateAtScale = (atScale: CandidateDecision['atScale']) => atScale.filter(({ probabilityNow }) => probabilityNow >= likely)

/** Whether the limits hold on the servers that are proposed, and what misses them now, at the average load. */
export function limitsText({ constraints, atScale }: Pick<CandidateDecision, 'constraints' | 'atScale'>, { latency }: CandidatePlan): string {
  const late = [
    ...lateNow(latency).map(
      ({ operation, objective, totalMs, limitMs }) => `${objective} of ${operation} ${micros(totalMs.p50 * 1000)} of ${micros(limitMs * 1000)}`,
    ),
    ...lateAtScale(atScale).map(
      ({ operation, now, limitMs, rollup }) =>
        `${operation} ${micros(now.p50 * 1e6)} of ${micros(limitMs * 1000)} on the rows of production${rollup === null ? '' : ' unless it is rolled up'}`,
    ),
  ]
  const shares = constraints.flatMap(({ name, planned }) =>
    name === 'objectives on average' ? [`on average ${planned}`] : name === 'objectives at peak' ? [`at peak ${planned}`] : [],
  )
  const more = late.length > mostLate ? `; ${late.length - mostLate} more (section 10)` : ''
  const isTold = latency.calls.length > 0 || atScale.length > 0
  const none = isTold
    ? 'now, at the average load, each that can be told is more likely kept than missed'
    : 'no operation was called often enough to tell'
  const now = late.length === 0 ? none : `missed now: ${late.slice(0, mostLate).join('; ')}${more}`
  const untold = latency.untold.length === 0 ? [] : [`not told: ${latency.untold.join(', ')}`]
  return [now, ...shares, ...untold].join('; ')
}

/** The invoice of the first year and of the last, and the hours that are on none. */
export function yearsText({ usdPerYear, usdPerMonth, fleet: { now } }: Pick<CandidatePlan, 'usdPerYear' | 'usdPerMonth' | 'fleet'>): string {
  const labour = now.lines.find(({ name, billed }) => name === 'labour' && !billed)
  const beside = labour === undefined ? '' : `; beside it about ${usd(labour.usdPerMonth.p50)} a month of hours that no invoice shows`
  const years = usdPerYear.map(({ year, usd: { p50 } }) => `${usd(p50)} in year ${year}`)
  return `${years.join(', ') || `${usd(12 * usdPerMonth.now.p50)} at the price of now`}${beside}`
}
