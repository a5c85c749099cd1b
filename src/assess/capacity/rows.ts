/** How a call grows with the table: rows that it touches in production, month by month, and what that makes of a cost measured on fewer. */
import { rowsInOrder } from '../../families/selection.ts'
import type { Result } from '../../result/result.ts'
import { entityOf, fieldOf, type Operation } from '../../scenario/scenario.ts'
import type { Demand } from '../demand/demand.ts'
import { derived, derivedFrom, type Figure, given, productOf } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import { assumptions } from '../fleet/plan-assumptions.ts'

export interface Rows {
  /** Of one call as it was measured. */
  measured(operation: Operation): number
  /** Of one call. */
  perCall(operation: Operation, month: number): Figure<'rows'>
  /** Rows of a call over today's; null: as many. */
  growth(operation: Operation, month: number): Figure<'ratio'> | null
  /** What a call costs over what it cost on the rows that were loaded; null: as much. */
  cost(operation: Operation, month: number): Figure<'ratio'> | null
}

export function rowsOf({ trialPlan }: Pick<Result, 'trialPlan'>, demand: Demand): Rows {
  const memo = new FigureMemo()
  const touched = new Map(trialPlan.operations.map((each) => [each.name, each]))
  const production = (operation: Operation) => touched.get(operation.name)?.rowsProduction ?? 1
  const loaded = (operation: Operation) => touched.get(operation.name)?.rowsLoaded ?? production(operation)
  const growth = (operation: Operation, month: number) => {
    const most = maxRows(operation, demand)
    if (month === 0 || production(operation) >= most) return null
    const grown = tableGrowth(operation, month, demand, memo)
    const limit = most / Math.max(1, production(operation))
    return Number.isFinite(limit)
      ? memo.once(`demand.${operation.name}.rowsGrowth@${month}`, (path) =>
          derived(path, 'ratio', `min(tableGrowth, ${Number(limit.toPrecision(3))} by its limit)`, [grown], (times) => Math.min(limit, times)),
        )
      : grown
  }
  const exponent = given(
    'plan.rowsExponent',
    'ratio',
    assumptions.rowsExponent,
    'assumed',
    'cost of a call ∝ rows^e: below 1 where a part of it is for the call, above where more rows no longer lie in a cache or must be sorted',
  )
  const cost = (operation: Operation, month: number) => {
    const grown = growth(operation, month)
    const times = production(operation) / Math.max(1, loaded(operation))
    if (times <= 1 && grown === null) return null
    return memo.once(`demand.${operation.name}.rowsCost@${month}`, (path) => {
      const scale = given(
        `demand.${operation.name}.rowsScale`,
        'ratio',
        Math.max(1, times),
        'derived',
        `${Math.round(production(operation))} rows in production, ${Math.round(loaded(operation))} when measured`,
      )
      return grown === null
        ? derived(path, 'ratio', 'rowsScale^rowsExponent', [scale, exponent], (rows, e) => rows ** e)
        : derived(path, 'ratio', '(rowsScale × rowsGrowth)^rowsExponent', [scale, grown, exponent], (rows, more, e) => Math.max(1, rows * more) ** e)
    })
  }
  const perCall = (operation: Operation, month: number) =>
    memo.once(`demand.${operation.name}.rowsPerCall@${month}`, (path) => {
      const now = given(
        `demand.${operation.name}.rowsPerCall`,
        'rows',
        production(operation),
        'derived',
        'rows that a call touches in production today',
      )
      const grown = growth(operation, month)
      return productOf(path, 'rows', grown === null ? 'rowsPerCall' : 'rowsPerCall × rowsGrowth', grown === null ? [now] : [now, grown])
    })
  return { measured: loaded, perCall, growth, cost }
}

/** Rows of the table over today's; where it is looked up by a reference, of each row that is referred to. */
function tableGrowth(operation: Operation, month: number, demand: Demand, memo: FigureMemo): Figure<'ratio'> {
  const { scenario } = demand
  const entity = entityOf(scenario, operation.entity)
  const referred = 'where' in operation ? operation.where.flatMap(({ field }) => fieldOf(entity, field).generator) : []
  const others = referred.flatMap((generator) => (generator.kind === 'reference' ? [entityOf(scenario, generator.entity)] : []))
  const inputs = [entity, ...others].flatMap((each) => [demand.rows(each, month), demand.rows(each, 0)])
  return memo.once(`demand.${operation.name}.tableGrowth@${month}`, (path) =>
    derivedFrom(path, 'ratio', `rows of ${entity.name} over today's${others.map(({ name }) => `, for each ${name}`).join('')}`, inputs, (values) =>
      values.reduce((product, value, at) => (at === 0 || (at > 1 && at % 2 === 1) ? product * value : product / Math.max(1, value)), 1),
    ),
  )
}

/** A call never touches more; Infinity where it has no limit. What names its rows by their keys touches those, whatever the table holds. */
function maxRows(operation: Operation, { scenario }: Demand): number {
  if (operation.kind === 'aggregate') return Number.POSITIVE_INFINITY
  if (operation.kind === 'list') return rowsInOrder(entityOf(scenario, operation.entity), operation)
  return operation.kind === 'search' ? operation.limit : 0
}
