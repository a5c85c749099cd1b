/** The response curve grades itself: it says how many answers are over the limit at a rate that it was not shown. */
import type { CandidateResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { noiseOf } from '../../stats/repeat-noise.ts'
import { ownEvidence } from '../judge/own-evidence.ts'
import type { Forecast } from './forecast.ts'
import { forecastInterval, reachOfKnown, reachOfRepeats } from './forecast-interval.ts'
import { bindingOf, countOf, curvesOf, isUsable, loadOf } from './response-curve.ts'

/** Of the objective that binds the mix. */
export function heldBackShare(candidate: CandidateResult, operations: Operation[]): Forecast[] {
  const evidence = ownEvidence(candidate, operations)
  const binding = bindingOf(curvesOf(evidence) ?? [])
  if (binding === undefined) return []
  const { operation, objective, curve } = binding
  const held = evidence.trials.flatMap((trial) => {
    if (trial.phase !== 'held-back' || !isUsable(trial)) return []
    const count = countOf(trial, operation, objective.name)
    return count === null ? [] : [{ ...count, multiple: loadOf(trial), asked: trial.arrival.multiple as number }]
  })
  const intended = held.reduce((sum, each) => sum + each.intended, 0)
  const predicted = held.reduce((sum, each) => sum + each.intended * curve.share(each.multiple), 0)
  const exceeded = held.reduce((sum, each) => sum + each.exceeded, 0)
  // Where fewer than one answer is expected over the limit and none is, there is nothing to grade.
  if (intended === 0 || Math.max(predicted, exceeded) < 1) return []
  const shareOf = (each: { exceeded: number; intended: number }) => Math.max(1, each.exceeded) / each.intended
  const noise = noiseOf(held.map(shareOf))
  // Where the bound lies higher there are fewer answers over the limit at one rate.
  const expectedIf = (bound: number) => held.reduce((sum, each) => sum + each.intended * curve.share((each.multiple * curve.mid) / bound), 0)
  const model = { low: expectedIf(curve.high) / intended, high: expectedIf(curve.low) / intended }
  // A count differs by its root, even where trials happen to be alike.
  const byCounts = (reachOfKnown * Math.sqrt(Math.max(1, predicted))) / intended
  const byRepeats = noise === null ? 0 : (reachOfRepeats(noise, held.length) * predicted) / intended
  return [
    {
      candidate: candidate.name,
      what: `answers over the ${objective.name} of ${operation} at ${Number((held[0]?.asked ?? 0).toPrecision(3))}×`,
      unit: 'share',
      predicted: predicted / intended,
      measured: exceeded / intended,
      // A single answer is the least that could have been over it.
      error: Math.abs(predicted - exceeded) / Math.max(1, exceeded),
      noise,
      interval: forecastInterval(predicted / intended, model, Math.max(byRepeats, byCounts)),
      by: 'response curve over other rates',
    },
  ]
}
