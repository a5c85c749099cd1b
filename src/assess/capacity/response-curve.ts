/** The response curves of one candidate, one for each objective of each operation, and the one that binds the mix. */

import { outcomeOf, samplesNeeded } from '../../measure/decide.ts'
import type { OperationResult, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { type Count, probabilityWithin } from '../../stats/beta-binomial.ts'
import { type Curve, type CurvePoint, curveFitter } from '../../stats/exceedance-curve.ts'
import { holm } from '../../stats/intervals.ts'
import { slopeOf } from '../../stats/slope.ts'
import type { Evidence } from '../judge/at-multiple.ts'

/** Open loops of the mix as it is: whatever rate they had, they are one experiment. */
const phases = new Set<TrialResult['phase']>(['confirmation', 'curve'])
/** Fewer rates are no curve. */
const minRates = 3

export type Objective = Operation['objectives'][number]
export interface OperationCurve {
  operation: string
  objective: Objective
  curve: Curve
  /** Most calls of it in one trial. */
  calls: number
  /** Missed whatever the load is; null: load drives it, or nothing tells. */
  unloaded: Unloaded | null
}
/** An objective that is missed at the lightest load that was tried, as much as at heavier ones: no number of servers mends it. */
export type Unloaded = LoadShare
export interface LoadShare {
  multiple: number
  /** Of the answers there, those that were over the limit. */
  share: number
}

/** Of fewer calls in every trial a p99 alone decides nothing. */
export const minCalls = 100

/** null: the rates are too few for curves. Operations that were called too rarely for their objective have none. */
export function curvesOf({ trials, operations, mix }: Evidence): OperationCurve[] | null {
  const judged = judgedOf(trials)
  if (new Set(judged.map((trial) => trial.arrival.multiple)).size < minRates) return null
  const fitCurve = curveFitter()
  const curves = operations
    .filter((operation) => mix.has(operation.name))
    .flatMap((operation) =>
      operation.objectives.flatMap((objective): (OperationCurve & { unloaded: Suspect | null })[] => {
        const points = judged.flatMap((trial): CurvePoint[] => {
          const count = countOf(trial, operation.name, objective.name)
          return count === null ? [] : [{ ...count, multiple: loadOf(trial), start: trial.start }]
        })
        const intended = points.reduce((sum, point) => sum + point.intended, 0)
        if (
          intended < samplesNeeded(objective.quantile) ||
          objective.quantile >= 1 ||
          new Set(judged.filter((trial) => countOf(trial, operation.name, objective.name) !== null).map((trial) => trial.arrival.multiple)).size <
            minRates
        )
          return []
        const curve = fitCurve(points, 1 - objective.quantile)
        const calls = Math.max(...points.map((point) => point.intended))
        return [
          {
            operation: operation.name,
            objective,
            curve,
            calls,
            unloaded: calls < minCalls ? null : unloadedOf(judged, operation.name, objective),
          },
        ]
      }),
    )
  const isMissed = holm(curves.map(({ unloaded }) => unloaded?.holds ?? 1))
  return curves.map(({ unloaded, ...curve }, at) => ({
    ...curve,
    unloaded: unloaded !== null && isMissed[at] === true ? { multiple: unloaded.multiple, share: unloaded.share } : null,
  }))
}

const judgedOf = (trials: readonly TrialResult[]) =>
  trials.filter((trial) => phases.has(trial.phase) && trial.arrival.loop === 'open' && isUsable(trial))

/** What an open loop asked of the server, in multiples of the average load at the full speed of its cores: a slower server has more to do. */
export const loadOf = ({ arrival, slowdown }: TrialResult) => (arrival.multiple as number) * slowdown

/** Loads of the trials that the curves rest on, one for each trial. */
export const offeredLoads = (trials: readonly TrialResult[]) => judgedOf(trials).map(loadOf)

/** Of the answers of one operation, those over its objective at the lightest and the heaviest load that the server kept up with; null: at one load at most. */
export function sharesByLoad(trials: readonly TrialResult[], operation: string, objective: string): [LoadShare, LoadShare] | null {
  const told = judgedOf(trials).flatMap((trial) => {
    const count = trial.saturated ? null : countOf(trial, operation, objective)
    return count === null ? [] : [{ multiple: loadOf(trial), ...count }]
  })
  const shares = [...Map.groupBy(told, ({ multiple }) => multiple)]
    .map(([multiple, own]) => ({ multiple, share: sum(own, 'exceeded') / sum(own, 'intended') }))
    .sort((a, b) => a.multiple - b.multiple)
  const [lightest, heaviest] = [shares[0], shares.at(-1)]
  return lightest === undefined || heaviest === undefined || lightest === heaviest ? null : [lightest, heaviest]
}

const sum = (counts: readonly Count[], of: keyof Count) => counts.reduce((all, each) => all + each[of], 0)

/** How bursty the run was, by what all its curves say together: operations that are called rarely cannot tell by themselves. */
export function correlationsOf(curves: readonly OperationCurve[] | null): number[] | undefined {
  const [first] = curves ?? []
  return first?.curve.correlations.map((_, at) => (curves ?? []).reduce((sum, { curve }) => sum + (curve.correlations[at] as number), 0))
}

/** Beyond this share of what the server's cores did at most, queues grow with the load whatever else there is. */
const calmShare = 0.7
/** Loads that lie closer together tell no slope. */
const narrowest = 2
/** As likely as that, more load does not raise the share. */
const compatible = 0.05
/** The flattest curve of a load-driven objective, see `fitCurve`: what is surely flatter is none. */
const flattest = 2.5

/** `holds`: how likely the limit holds over all calm loads together. */
interface Suspect extends Unloaded {
  holds: number
}

/** Over its limit at the lightest load already, by a share that does not grow with calm loads. */
function unloadedOf(judged: readonly TrialResult[], operation: string, { name, quantile }: Objective): Suspect | null {
  const busiest = Math.max(...judged.map(({ resources }) => resources.server?.cpuCores ?? 0))
  const calm = judged
    .filter((trial) => !trial.saturated && (trial.resources.server?.cpuCores ?? 0) <= calmShare * busiest)
    .flatMap((trial) => {
      const count = countOf(trial, operation, name)
      return count === null ? [] : [{ ...count, multiple: loadOf(trial) }]
    })
  const loads = calm.map(({ multiple }) => multiple)
  const lowest = Math.min(...loads)
  if (new Set(loads).size < minRates || Math.max(...loads) < narrowest * lowest) return null
  const lightest = calm.filter(({ multiple }) => multiple === lowest)
  const share = sum(lightest, 'exceeded') / sum(lightest, 'intended')
  if (share <= 1 - quantile) return null
  const holds = probabilityWithin(calm, 1 - quantile)
  if (outcomeOf(holds) !== 'missed') return null
  const slope = slopeOf(calm.map(({ multiple, ...count }) => ({ ...count, log: Math.log(multiple) })))
  return slope.none < compatible || slope.high >= flattest ? null : { multiple: lowest, share, holds }
}

/** The one that is passed at the lowest rate, of those that load drives; what was called too rarely does not bind where others do. */
export function bindingOf(curves: readonly OperationCurve[]): OperationCurve | undefined {
  const driven = curves.filter(({ unloaded }) => unloaded === null)
  const told = driven.filter(({ calls }) => calls >= minCalls)
  return (told.length > 0 ? told : driven).reduce<OperationCurve | undefined>(
    (least, each) => (least === undefined || each.curve.mid < least.curve.mid ? each : least),
    undefined,
  )
}

/** Nobody else was in the way. Where the harness was, the trial names the operations for which it decides nothing. */
export const isUsable = ({ validity }: TrialResult) => validity.verdict === 'valid' || validity.verdict === 'client-bound'

/** Answers over an objective in one trial; null where the trial decides nothing for this operation. */
export function countOf(trial: TrialResult, operation: string, objective: string): Count | null {
  const own = trial.operations[operation]
  return own === undefined || own.intended === 0 || isLate(trial, operation) ? null : { exceeded: exceededOf(own, objective), intended: own.intended }
}

const exceededOf = (own: OperationResult, objective: string) => Math.min(own.intended, own.exceeded[objective] ?? 0)

/** With the harness's own delays the answers of this operation are over the limit, without them they are not: they decide nothing. */
export const isLate = ({ validity }: TrialResult, operation: string) => validity.clientBound.includes(operation)
