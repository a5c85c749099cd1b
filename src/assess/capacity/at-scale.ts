/** Calls that were measured on fewer rows than they touch in production: how long they would take there, against their limits. */

import { sureShare } from '../../measure/decide.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import type { Operation, Scenario } from '../../scenario/scenario.ts'
import { Demand } from '../demand/demand.ts'
import { Drawn } from '../figures/drawn.ts'
import type { Figure } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import { middleOf, type Spread } from '../figures/simulate.ts'
import { drivenMultiple } from './capacity.ts'
import { type Rollup, rollupOf } from './rollup.ts'
import { type Rows, rowsOf } from './rows.ts'
import { type Service, serviceOf } from './service.ts'
export interface ScaledCall {
  operation: string
  limitMs: number
  /** Seconds of one call now, and in the month of the horizon. */
  now: Figure<'seconds'>
  horizon: Figure<'seconds'>
}
/** What became of a `ScaledCall` in the draws, today: no growth and no horizon changes that. */
export interface AtScaleNow {
  operation: string
  limitMs: number
  now: Spread
  /** Share of the draws in which a call takes longer than its limit. */
  probabilityNow: number
}
export interface AtScale extends AtScaleNow {
  horizon: Spread
  /** The same by the horizon. */
  probability: number
  /** Rows of one call: as measured, in production now, and at the horizon. */
  rows: { measured: number; now: number; horizon: number }
  /** What would mend it; null: nothing that is known here. */
  rollup: Rollup | null
  /** It is called so often. */
  perSecond: number
}

/** More likely than not it takes longer than its limit before the horizon. */
export const isSlow = ({ probability }: Pick<AtScale, 'probability'>) => probability >= 0.5

/** The same today, and as surely as an objective is said to be missed. */
export const isSlowNow = ({ probabilityNow }: AtScaleNow) => probabilityNow >= 0.5
export const isSurelySlow = ({ probabilityNow }: AtScaleNow) => probabilityNow >= sureShare

export const nowOf = ({ operation, limitMs, now, probabilityNow }: AtScale): AtScaleNow => ({ operation, limitMs, now, probabilityNow })

/** Those with an objective whose calls touch more rows in production, now or at the horizon, than was measured. */
export function scaledCallsOf(operations: readonly Operation[], rows: Rows, seconds: Service['seconds'], horizon: number): ScaledCall[] {
  return operations.flatMap((operation) => {
    const limitMs = Math.min(...operation.objectives.map((objective) => objective.limitMs))
    const [now, then] = [seconds(operation, 0), seconds(operation, horizon)]
    const isScaled = [0, horizon].some((month) => rows.cost(operation, month) !== null)
    return isScaled && Number.isFinite(limitMs) && now !== null && then !== null ? [{ operation: operation.name, limitMs, now, horizon: then }] : []
  })
}

/** Of each candidate, in the order of the result. */
export function atScaleOf(result: Result): AtScale[][] {
  const { scenario } = result
  const demand = new Demand(scenario)
  // What grows beyond all bounds has no plan, and no rows that could be told.
  if (demand.beyond() !== null) return result.candidates.map(() => [])
  const rows = rowsOf(result, demand)
  const told = result.candidates.map((candidate) => scaledOf(candidate, scenario, rows, demand.months))
  const drawn = new Drawn([...new Set(told.flat().flatMap(({ now, horizon }) => [now, horizon]))], result.seed)
  return told.map((calls) => calls.map((call) => describe(call, { scenario, rows, drawn, months: demand.months })))
}

function scaledOf(candidate: CandidateResult, scenario: Scenario, rows: Rows, horizon: number): ScaledCall[] {
  const does = new Set(candidate.compiled.map((each) => each.operation))
  const own = scenario.operations.filter(({ name }) => does.has(name))
  return scaledCallsOf(own, rows, serviceOf(candidate, own, rows, drivenMultiple(candidate, scenario.operations), new FigureMemo()).seconds, horizon)
}

interface Told {
  scenario: Scenario
  rows: Rows
  drawn: Drawn
  months: number
}

function describe({ operation: name, limitMs, now, horizon }: ScaledCall, { scenario, rows, drawn, months }: Told): AtScale {
  const operation = scenario.operations.find((each) => each.name === name) as Operation
  const over = (figure: Figure<'seconds'>) => drawn.share([figure], (seconds) => seconds * 1000 > limitMs)
  const inProduction = middleOf(rows.perCall(operation, 0))
  return {
    operation: name,
    limitMs,
    now: drawn.spread(now),
    horizon: drawn.spread(horizon),
    probabilityNow: over(now),
    probability: over(horizon),
    rows: { measured: rows.measured(operation), now: inProduction, horizon: middleOf(rows.perCall(operation, months)) },
    rollup: rollupOf(operation, scenario, inProduction),
    perSecond: operation.ratePerSecond,
  }
}
