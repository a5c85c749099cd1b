/** When a plan must change: the months in which the purchase path changes, and what growth asks for beside servers, each with what to do and how long before. */
import { type Entity, entityOf, type Scenario } from '../../scenario/scenario.ts'
import type { CostPlan } from '../cost/cost.ts'
import type { Demand } from '../demand/demand.ts'
import { assumed, derived, derivedFrom, type Figure, given } from '../figures/figure.ts'
import { nodeAvailabilityFigure, votersOf } from './availability.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import type { Change, Chosen, Shortage } from './fleet-plan.ts'
import { type Need, nodesOf } from './supply.ts'

export interface Trigger {
  stage: 'bigger' | 'replicas' | 'partitions' | 'shards'
  /** In which it is crossed, by each draw; beyond the horizon: horizon + 1. */
  month: Figure<'months'>
  /** In which the plan changes; null: it is no purchase. */
  planned: number | null
  /** What forces it; null: nothing does, what follows costs less. */
  shortage: Shortage | null
  /** What crosses what. */
  threshold: string
  action: string
  /** Weeks that the change takes, assumed: it must begin so much earlier. */
  leadWeeks: number
  /** Of the change, once: people, and both fleets side by side. */
  usd: number
}

const partitionBytes = assumed(50e9, 100e9, 200e9)

export function triggersOf(plan: CapacityPlan, cost: CostPlan, demand: Demand): Trigger[] {
  return [...cost.purchases.changes.map((change, at) => changed(change, at, plan, cost, demand)), replicas(plan, demand), ...partitions(plan, demand)]
}

/** A step of the path: each draw passes what stands in a month of its own. */
function changed(
  { from, to, stage, month, shortage, leadWeeks, usd }: Change,
  at: number,
  plan: CapacityPlan,
  cost: CostPlan,
  demand: Demand,
): Trigger {
  const need = {} as Need
  const [before, after] = [namedFleet(from, plan, cost), namedFleet(to, plan, cost)]
  const { sharded, kind } = plan.facts.topology
  return {
    stage,
    month: firstMonth(
      `trigger.${plan.candidate}.${at + 1}`,
      demand,
      plan.needFigures,
      [],
      (values) => !cost.purchases.suffices(from, plan.needOf(values, need)),
      `${before} no longer suffice`,
    ),
    planned: month,
    shortage,
    threshold: shortage === null ? `${after} cost less from then on` : shortageText(shortage, from, to, plan, cost),
    action:
      stage === 'shards'
        ? `${after}: ${sharded ? 'see the proposal of a shard key' : 'divide in the application, or move the heaviest group of operations to a store of its own'}`
        : kind === 'ring'
          ? `${after}: ${from.shape === to.shape ? 'add servers one at a time' : 'add the new servers, then take the old ones away'}`
          : `${after}: ${from.shape === to.shape ? (to.parts > 1 ? 'add a replica to each shard' : 'add a replica') : 'build a replica on each new server, then switch over'}`,
    leadWeeks,
    usd,
  }
}

/** Why another fleet stands, with its numbers; where it has no more cores than the one before, what it is that carries more. */
function shortageText({ resource, before, after }: Shortage, from: Chosen, to: Chosen, plan: CapacityPlan, cost: CostPlan): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const { topology, commandThreads } = plan.facts
  const vcpusOf = (fleet: Chosen) => nodesOf(fleet, topology) * (cost.shapes[fleet.shape]?.vcpus ?? 0)
  const [old, next] = [vcpusOf(from), vcpusOf(to)]
  const isCpuOfFewer = resource === 'load' && next <= old && commandThreads.count === null
  const why = isCpuOfFewer
    ? `, ${next === old ? `with ${next} vCPU as before` : `with ${next} vCPU in place of ${old}`}: each doubling of the cores in one server is taken to do less than twice as much (plan.${plan.candidate}.doubling), so smaller servers carry more`
    : ''
  return `${resource} of ${namedFleet(from, plan, cost)} is used up within the year in more than ${percent(1 - cost.purchases.target)} of the draws: in the draw that is bought for, ${percent(before)} of it would be asked, ${percent(after)} after the change${why}`
}

function namedFleet(fleet: Chosen, { facts: { topology } }: CapacityPlan, { shapes }: CostPlan): string {
  return `${nodesOf(fleet, topology)} × ${shapes[fleet.shape]?.name}${fleet.parts > 1 && topology.kind !== 'ring' ? ` in ${fleet.parts} shards` : ''}`
}

/** First month in which what `series` gives passes what stands. Between sampled months all of it lies on straight lines. */
function firstMonth(
  path: string,
  { sampledMonths: sampled, months }: Demand,
  series: (month: number) => readonly Figure[],
  standing: readonly Figure[],
  passes: (values: readonly number[], standing: readonly number[]) => boolean,
  what: string,
): Figure<'months'> {
  const inputs = sampled.map(series)
  const width = inputs[0]?.length ?? 0
  const now = new Array<number>(width).fill(0)
  return derivedFrom(path, 'months', `first month in which ${what}`, [...inputs.flat(), ...standing], (values) => {
    const stands = values.slice(values.length - standing.length)
    /** Values of the sampled month at `at`, or so far on the way to it from the one before. */
    const passesAt = (at: number, way: number) => {
      for (let each = 0; each < width; each++) {
        const after = values[at * width + each] as number
        const before = at === 0 ? after : (values[(at - 1) * width + each] as number)
        now[each] = before + (after - before) * way
      }
      return passes(now, stands)
    }
    for (let at = 0; at < sampled.length; at++) {
      if (!passesAt(at, 1)) continue
      if (at === 0) return 0
      const [from, to] = [sampled[at - 1] as number, sampled[at] as number]
      let month = from + 1
      while (month < to && !passesAt(at, (month - from) / (to - from))) month++
      return month
    }
    return months + 1
  })
}

/** A large table is divided by time long before its servers are too small. */
function partitions(plan: CapacityPlan, demand: Demand): Trigger[] {
  const { topology, memoryBound } = plan.facts
  const countOf = (entity: string) => entityOf(demand.scenario, entity).count
  const [table] = plan.storage.entities.filter((each) => !plan.inParts.includes(each)).sort((a, b) => countOf(b) - countOf(a))
  if (table === undefined || topology.kind === 'ring' || memoryBound) return []
  const limit = given(
    'plan.partitionBytes',
    'bytes',
    partitionBytes,
    'assumed',
    'a table with its indexes beyond this is slow to vacuum, to restore and to change',
  )
  return [
    {
      stage: 'partitions',
      month: firstMonth(
        `trigger.${plan.candidate}.partitions`,
        demand,
        (month) => [plan.storage.entityBytes(table, month)],
        [limit],
        ([bytes], [most]) => (bytes as number) > (most as number),
        `${table} passes partitionBytes`,
      ),
      planned: null,
      shortage: null,
      threshold: `${table} with its indexes passes about 100 GB`,
      action: partitionText(entityOf(demand.scenario, table), demand.scenario),
      leadWeeks: 6,
      usd: 0,
    },
  ]
}

/** By time where rows have one, or where what owns them does; else a hash is all that there is to go by. */
function partitionText({ name, fields, owner, retentionMs }: Entity, scenario: Scenario): string {
  const holder = owner === null ? null : entityOf(scenario, owner.entity)
  const isTimed = (some: Entity['fields']) => some.some(({ type }) => type === 'timestamp')
  const gain =
    (holder?.retentionMs ?? retentionMs) === null
      ? 'each is indexed, changed and brought back by itself'
      : 'old parts are dropped, not deleted row by row'
  if (isTimed(fields)) return `divide ${name} by time: ${gain}`
  if (holder !== null && isTimed(holder.fields))
    return `divide ${name} by the time of its ${holder.name}, which each row must then hold, too: ${gain}`
  return `divide ${name} by a hash of its key: each part is indexed, changed and brought back by itself`
}

/** Where one node is not available enough, replicas are needed from the first day. */
function replicas(plan: CapacityPlan, { scenario, months }: Demand): Trigger {
  const wanted = scenario.requirements.availability
  const one = nodeAvailabilityFigure()
  const { topology } = plan.facts
  const { voters, quorum } = votersOf({ parts: 1, members: topology.copies }, topology)
  return {
    stage: 'replicas',
    month: derived(
      `trigger.${plan.candidate}.replicas`,
      'months',
      wanted === null ? 'no availability is required' : `0 where nodeAvailability is below ${wanted}`,
      [one],
      (availability) => (wanted !== null && availability < wanted ? 0 : months + 1),
    ),
    planned: null,
    shortage: null,
    threshold: wanted === null ? 'no availability is required' : `one server is up less than ${wanted * 100} % of the time`,
    action:
      topology.kind === 'ring' ? topology.name : `${topology.name}: available while ${quorum} of ${voters} servers ${quorum === 1 ? 'is' : 'are'} up`,
    leadWeeks: 1,
    usd: 0,
  }
}
