/** Calls that were measured on fewer rows than they touch in production: how long they would take there, against their limits. */

import type { Drawn } from '../figures/drawn.ts'
import type { Figure } from '../figures/figure.ts'
import type { Spread } from '../figures/simulate.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'

export interface ScaledCall {
  operation: string
  limitMs: number
  /** Seconds of one call at each of the months asked for. */
  seconds: Figure<'seconds'>[]
}
/** What became of a `ScaledCall` in the draws. */
export interface AtScale {
  operation: string
  limitMs: number
  now: Spread
  horizon: Spread
  /** Share of the draws in which a call takes longer than its limit, by the horizon. */
  probability: number
}

/** Those with an objective whose calls touch more rows in production, now or by one of `months`, than was measured. */
export function scaledCallsOf({ operations, rows, seconds }: CapacityPlan, months: readonly number[]): ScaledCall[] {
  return operations.flatMap((operation) => {
    const limitMs = Math.min(...operation.objectives.map((objective) => objective.limitMs))
    const found = months.flatMap((month) => seconds(operation, month) ?? [])
    const isScaled = months.some((month) => rows.cost(operation, month) !== null)
    return isScaled && Number.isFinite(limitMs) && found.length === months.length ? [{ operation: operation.name, limitMs, seconds: found }] : []
  })
}

/** Now and in the month of the horizon. */
export function atScaleOf(plan: CapacityPlan, horizon: number, drawn: Drawn): AtScale[] {
  return scaledCallsOf(plan, [0, horizon]).map(({ operation, limitMs, seconds: [now, then] }) => {
    const last = then as Figure<'seconds'>
    const probability = drawn.share([last], (seconds) => seconds * 1000 > limitMs)
    return { operation, limitMs, now: drawn.spread(now as Figure<'seconds'>), horizon: drawn.spread(last), probability }
  })
}
