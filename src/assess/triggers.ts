/** When a plan must change: the thresholds of the progressive path, each with the month in which growth crosses it, what to do, and how long before. */
import { entityOf } from '../scenario/scenario.ts'
import { availabilityOf, nodeAvailability, quorumOf } from './availability.ts'
import { type CapacityPlan, choiceOf } from './capacity-plan.ts'
import type { CostPlan } from './cost.ts'
import type { Demand } from './demand.ts'
import { assumed, derived, derivedFrom, type Figure, given } from './figure.ts'
import { carriedBy } from './supply.ts'

export interface Trigger {
  stage: 'bigger' | 'replicas' | 'cache' | 'partitions' | 'shards'
  /** Month in which it is crossed; beyond the horizon: horizon + 1. */
  month: Figure<'months'>
  /** What crosses what. */
  threshold: string
  action: string
  /** Weeks that the change takes, assumed: it must begin so much earlier. */
  leadWeeks: number
}

const partitionBytes = assumed(50e9, 100e9, 200e9)

export function triggersOf(plan: CapacityPlan, cost: CostPlan, demand: Demand, chosen: number): Trigger[] {
  const name = plan.candidate
  const { scenario, months } = demand
  const countOf = (entity: string) => entityOf(scenario, entity).count
  const { sampledMonths: sampled } = demand
  const terms = plan.terms(cost.block, cost.shapes)
  const { parts, shape: index } = choiceOf(chosen)
  const shape = cost.shapes[index]
  if (shape === undefined) return []
  const largest = [...cost.shapes].sort((a, b) => b.vcpus - a.vcpus || b.memoryGib - a.memoryGib)[0] as typeof shape
  const shared = [plan.carried, plan.doubling, plan.host]
  const isRing = plan.facts.topology.kind === 'ring'
  /** First month in which a series passes what stands; `what` names both. Between sampled months the series is straight. */
  const first = (
    stage: string,
    series: readonly Figure[],
    standing: readonly Figure[],
    passes: (value: number, standing: readonly number[]) => boolean,
    what: string,
  ) =>
    derivedFrom(`trigger.${name}.${stage}`, 'months', `first month in which ${what}`, [...series, ...standing], (values) => {
      const stands = values.slice(series.length)
      for (let at = 0; at < series.length; at++) {
        if (!passes(values[at] as number, stands)) continue
        if (at === 0) return 0
        const [from, to] = [sampled[at - 1] as number, sampled[at] as number]
        const [before, after] = [values[at - 1] as number, values[at] as number]
        let month = from + 1
        while (month < to && !passes(before + ((after - before) * (month - from)) / (to - from), stands)) month++
        return month
      }
      return months + 1
    })
  const speed = (of: typeof shape, [carried, doubling, host]: readonly number[]) =>
    carriedBy(of, { carried, doubling, host } as Parameters<typeof carriedBy>[1], terms.benchCpus)
  const loads = sampled.map(plan.load)
  const triggers: Trigger[] = [
    {
      stage: 'bigger',
      month: first(
        'bigger',
        loads,
        shared,
        (load, stands) => load > speed(shape, stands) * parts,
        `load passes what ${parts} × ${shape.name} carries`,
      ),
      threshold: isRing
        ? `peak load passes what ${parts + 1} servers of ${shape.name} carry`
        : parts === 1
          ? `peak load passes what one ${shape.name} carries`
          : `peak load passes what ${parts} shards of ${shape.name} carry`,
      action: isRing
        ? 'add servers to the ring, one at a time'
        : parts > 1
          ? `add a shard, or move to larger servers, up to ${largest.name}`
          : `move to a larger server, up to ${largest.name}: build a replica on it, then switch over`,
      leadWeeks: 2,
    },
  ]
  const workingSets = sampled.map((month) => plan.storage.workingSet(month))
  const { cacheShare } = plan
  const memory = shape.memoryGib * 2 ** 30
  if (!plan.facts.memoryBound)
    triggers.push({
      stage: 'cache',
      month: first(
        'cache',
        workingSets,
        [cacheShare],
        (hot, [share]) => hot * (isRing ? plan.facts.topology.copies : 1) > memory * (share as number) * parts,
        `the working set passes the memory of ${parts} × ${shape.name}`,
      ),
      threshold: `the working set passes the memory that caches it: reads begin to wait for disks, which was not measured`,
      action: 'more memory, or a cache in front of the reads that may be old',
      leadWeeks: 4,
    })
  triggers.push(replicas(plan, demand))
  const [table] = [...plan.storage.entities].sort((a, b) => countOf(b) - countOf(a))
  if (table !== undefined && !isRing && !plan.facts.memoryBound)
    triggers.push({
      stage: 'partitions',
      month: first(
        'partitions',
        sampled.map((month) => plan.storage.entityBytes(table, month)),
        [
          given(
            'plan.partitionBytes',
            'bytes',
            partitionBytes,
            'assumed',
            'a table with its indexes beyond this is slow to vacuum, to restore and to change',
          ),
        ],
        (bytes, [limit]) => bytes > (limit as number),
        `${table} passes partitionBytes`,
      ),
      threshold: `${table} with its indexes passes about 100 GB`,
      action: `partition ${table} by time: old partitions are dropped, not deleted row by row`,
      leadWeeks: 6,
    })
  if (!isRing)
    triggers.push({
      stage: 'shards',
      month: first('shards', loads, shared, (load, stands) => load > speed(largest, stands), `load passes what one ${largest.name} carries`),
      threshold: `the primary's work passes what the largest server of the catalogue (${largest.name}) carries`,
      action: plan.facts.topology.sharded
        ? 'shard: see the proposal of a shard key'
        : 'shard in the application, or move the heaviest group of operations to a store of its own',
      leadWeeks: 16,
    })
  return triggers
}

/** Where one node is not available enough, replicas are needed from the first day. */
function replicas(plan: CapacityPlan, { scenario, months }: Demand): Trigger {
  const wanted = scenario.requirements.availability
  const one = given('plan.nodeAvailability', 'share', nodeAvailability, 'assumed', 'of one server with its zone')
  const { topology } = plan.facts
  const quorum = quorumOf(topology)
  return {
    stage: 'replicas',
    month: derived(
      `trigger.${plan.candidate}.replicas`,
      'months',
      wanted === null ? 'no availability is required' : `0 where nodeAvailability is below ${wanted}`,
      [one],
      (availability) => (wanted !== null && availability < wanted ? 0 : months + 1),
    ),
    threshold: wanted === null ? 'no availability is required' : `one server is up less than ${wanted * 100} % of the time`,
    action: `${topology.name}: up while ${quorum} of ${topology.copies} ${quorum === 1 ? 'is' : 'are'}, ${(availabilityOf(topology, 1) * 100).toFixed(4)} % by the binomial of independent failures`,
    leadWeeks: 1,
  }
}
