/** When a plan must change: the thresholds of the progressive path, each with the month in which growth crosses it, what to do, and how long before. */
import { entityOf } from '../scenario/scenario.ts'
import { nodeAvailability, votersOf } from './availability.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { choiceOf } from './choice.ts'
import type { CostPlan } from './cost.ts'
import type { Demand } from './demand.ts'
import { assumed, derived, derivedFrom, type Figure, given } from './figure.ts'
import { cacheOf, carries, copiesInPart, mostMembers, type Need, nodesOf } from './supply.ts'

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
  const { topology } = plan.facts
  const fleet = choiceOf(chosen)
  const shape = cost.shapes[fleet.shape]
  if (shape === undefined) return []
  const largest = [...cost.shapes].sort((a, b) => b.vcpus - a.vcpus || b.memoryGib - a.memoryGib)[0] as typeof shape
  const isRing = topology.kind === 'ring'
  /** First month in which what `series` gives passes what stands; `what` names both. Between sampled months all of it lies on straight lines. */
  const first = (
    stage: string,
    series: (month: number) => readonly Figure[],
    standing: readonly Figure[],
    passes: (values: readonly number[], standing: readonly number[]) => boolean,
    what: string,
  ) => {
    const inputs = sampled.map(series)
    const width = inputs[0]?.length ?? 0
    const now = new Array<number>(width).fill(0)
    return derivedFrom(`trigger.${name}.${stage}`, 'months', `first month in which ${what}`, [...inputs.flat(), ...standing], (values) => {
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
  const need = {} as Need
  const resources = plan.facts.memoryBound ? 'CPU, memory or network' : 'CPU, disk, I/O or network'
  const today = isRing
    ? `${nodesOf(fleet, topology)} servers of ${shape.name} carry with one of them lost`
    : fleet.parts === 1
      ? `one ${shape.name} carries`
      : `${fleet.parts} shards of ${shape.name} carry`
  const triggers: Trigger[] = [
    {
      stage: 'bigger',
      month: first(
        'bigger',
        plan.needFigures,
        [],
        (values) => !carries(shape, fleet, plan.needOf(values, need), terms),
        `the load passes what ${today}, by ${resources}`,
      ),
      threshold: `peak load passes what ${today}, by ${resources}`,
      action: isRing
        ? 'add servers to the ring, one at a time'
        : fleet.parts > 1
          ? `add a shard, or move to larger servers, up to ${largest.name}`
          : `move to a larger server, up to ${largest.name}: build a replica on it, then switch over`,
      leadWeeks: 2,
    },
  ]
  const { fixedMemory, cacheOfRest } = plan
  if (!plan.facts.memoryBound)
    triggers.push({
      stage: 'cache',
      month: first(
        'cache',
        (month) => [plan.hot.workingSet(month)],
        [fixedMemory, cacheOfRest],
        ([hot], [fixed, share]) =>
          (hot as number) * copiesInPart(topology) >
          cacheOf(shape, { fixedMemoryBytes: fixed as number, cacheOfRest: share as number }) * fleet.parts,
        `the working set passes the memory of ${fleet.parts} × ${shape.name}`,
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
        (month) => [plan.storage.entityBytes(table, month)],
        [
          given(
            'plan.partitionBytes',
            'bytes',
            partitionBytes,
            'assumed',
            'a table with its indexes beyond this is slow to vacuum, to restore and to change',
          ),
        ],
        ([bytes], [limit]) => (bytes as number) > (limit as number),
        `${table} passes partitionBytes`,
      ),
      threshold: `${table} with its indexes passes about 100 GB`,
      action: `partition ${table} by time: old partitions are dropped, not deleted row by row`,
      leadWeeks: 6,
    })
  if (!isRing)
    triggers.push({
      stage: 'shards',
      month: first(
        'shards',
        plan.needFigures,
        [],
        (values) => {
          plan.needOf(values, need)
          return !carries(largest, { parts: 1, members: mostMembers(need, topology) }, need, terms)
        },
        `one ${largest.name} no longer carries it`,
      ),
      threshold: `a primary on the largest server of the catalogue (${largest.name}) no longer carries it`,
      action: topology.sharded
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
    threshold: wanted === null ? 'no availability is required' : `one server is up less than ${wanted * 100} % of the time`,
    action: topology.kind === 'ring' ? topology.name : `${topology.name}: up while ${quorum} of ${voters} ${quorum === 1 ? 'is' : 'are'}`,
    leadWeeks: 1,
  }
}
