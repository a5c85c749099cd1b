/** What a fleet adds to a call, which the bench has not: hops between zones, volumes over the network, rows that are not cached, tables of production's size. */
import jstat from 'jstat'
import type { CandidateResult, Result } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { isReadOperation } from '../capacity/calls.ts'
import type { CostPlan } from '../cost/cost.ts'
import { derived, type Figure, given, productOf } from '../figures/figure.ts'
import type { FigureMemo } from '../figures/figure-memo.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { assumptions, zoneHop } from './plan-assumptions.ts'
import { cacheOf, copiesInPart } from './supply.ts'

type Objective = Operation['objectives'][number]
export interface Added {
  name: 'hops between zones' | 'flush of a volume' | 'reads from disk' | 'rows of production'
  seconds: Figure<'seconds'>
}

/** By operation, objective and month; `unloaded`: what was measured of a call that is late whatever the load is. */
export function addedOf(plan: CapacityPlan, cost: CostPlan, candidate: CandidateResult, calibration: Result['calibration'], memo: FigureMemo) {
  const hops = hopsOf(plan, memo)
  const flush = flushOf(plan.candidate, calibration, memo)
  return (operation: Operation, objective: Objective, month: number, unloaded: Figure<'seconds'> | null): Added[] => {
    const shape = cost.shapes[cost.purchases.fleet(month).shape] as (typeof cost.shapes)[number]
    // A disk in the server is as near as that of the bench.
    const hasVolume = shape.localDiskGib === undefined
    const isRead = isReadOperation(operation)
    const added: Added[] = [{ name: 'hops between zones', seconds: hops(operation) }]
    if (!isRead && hasVolume && candidate.durability === 'fsync')
      added.push({ name: 'flush of a volume', seconds: flush(operation, objective, unloaded) })
    // An aggregate reads its pages in a row, ahead of what it needs: it waits for the disk's throughput.
    if (isRead && hasVolume && !plan.facts.memoryBound && operation.kind !== 'aggregate')
      added.push({ name: 'reads from disk', seconds: diskReads(operation, objective, month, plan, cost, memo) })
    const rows = moreRows(operation, month, plan, memo)
    if (rows !== null) added.push({ name: 'rows of production', seconds: rows })
    return added
  }
}

function hopsOf({ candidate: name, facts: { topology, lostSeconds } }: CapacityPlan, memo: FigureMemo) {
  // Who loses nothing of what was acknowledged has waited for a copy in another zone.
  const waitsForCopy = topology.copies > 1 && lostSeconds.range.high === 0
  const hop = zoneHop()
  return (operation: Operation): Figure<'seconds'> => {
    const another = isReadOperation(operation) ? topology.consulted[operation.consistency] > 1 : waitsForCopy
    const times = another ? 2 : 1
    return memo.once(`latency.${name}.hops.${times}`, (path) =>
      productOf(path, 'seconds', `zoneHop${another ? ' of the caller, and of the copy that is waited for' : ' of the caller'}`, [hop], times),
    )
  }
}

function flushOf(name: string, calibration: Result['calibration'], memo: FigureMemo) {
  const volumeFlush = given(
    'plan.volumeFlush',
    'seconds',
    assumptions.volumeFlushSeconds,
    'assumed',
    'a volume over the network makes a write durable',
  )
  // Where nobody timed the disk of the bench, all of the volume's flush comes on top.
  const benchFlush = given(
    'plan.benchFlush',
    'seconds',
    (calibration?.fsyncUs.p50 ?? 0) / 1e6,
    'measured',
    'the disk of the bench did, at its median',
  )
  const flush = derived('plan.flushAdded', 'seconds', 'max(0, volumeFlush − benchFlush)', [volumeFlush, benchFlush], (volume, bench) =>
    Math.max(0, volume - bench),
  )
  return (operation: Operation, objective: Objective, unloaded: Figure<'seconds'> | null): Figure<'seconds'> => {
    if (unloaded === null) return flush
    // Of a write that is late whatever the load is, the disk of the bench is a part: a faster one takes that off. Of others nobody knows.
    return memo.once(`latency.${name}.${operation.name}.${objective.name}.flush`, (path) =>
      derived(path, 'seconds', 'volumeFlush − benchFlush', [volumeFlush, benchFlush, unloaded], (volume, bench, most) =>
        Math.max(-most, volume - bench),
      ),
    )
  }
}

function diskReads(
  operation: Operation,
  { name: objective, quantile }: Objective,
  month: number,
  plan: CapacityPlan,
  cost: CostPlan,
  memo: FigureMemo,
): Figure<'seconds'> {
  const name = plan.candidate
  const fleet = cost.purchases.fleet(month)
  const shape = cost.shapes[fleet.shape] as (typeof cost.shapes)[number]
  const cache = memo.once(`latency.${name}.cache@${month}`, (path) =>
    derived(path, 'bytes', 'what all parts cache, of one copy', [plan.fixedMemory, plan.cacheOfRest], (fixedMemoryBytes, cacheOfRest) =>
      Math.max(0, (cacheOf(shape, { fixedMemoryBytes, cacheOfRest }) * fleet.parts) / copiesInPart(plan.facts.topology)),
    ),
  )
  const miss = memo.once(`capacity.${name}.${operation.name}.missShare@${month}`, () => plan.hot.missShare(operation, cache, month))
  return memo.once(`latency.${name}.${operation.name}.${objective}.disk@${month}`, (path) =>
    derived(
      path,
      'seconds',
      `pages that are read from disk in ${quantile * 100} % of the calls at most, one after the other × diskRead`,
      [plan.pagesOfCall(operation, month), miss, plan.hot.diskRead],
      (pages, share, ms) => (binomialQuantile(pages, share, quantile) * ms) / 1000,
    ),
  )
}

/** null: the call touches as many as were measured, or nobody knows how long it took. */
function moreRows(operation: Operation, month: number, plan: CapacityPlan, memo: FigureMemo): Figure<'seconds'> | null {
  const more = plan.rows.cost(operation, month)
  const mean = plan.seconds(operation, month)
  if (more === null || mean === null) return null
  return memo.once(`latency.${plan.candidate}.${operation.name}.rows@${month}`, (path) =>
    derived(path, 'seconds', 'service × (1 − 1 ÷ rowsCost)', [mean, more], (seconds, times) => seconds * Math.max(0, 1 - 1 / times)),
  )
}

/** Successes of so many trials that are exceeded with a probability of at most 1 − quantile; by the normal distribution where there are many. */
export function binomialQuantile(trials: number, share: number, quantile: number): number {
  const n = Math.max(1, Math.round(trials))
  if (share <= 0) return 0
  if (share >= 1) return n
  let probability = (1 - share) ** n
  let below = probability
  let at = 0
  while (below < quantile && at < n && at < maxCounted) {
    probability *= ((n - at) / (at + 1)) * (share / (1 - share))
    below += probability
    at++
  }
  return below >= quantile || at >= n ? at : Math.min(n, Math.ceil(n * share + jstat.normal.inv(quantile, 0, 1) * Math.sqrt(n * share * (1 - share))))
}

const maxCounted = 200
