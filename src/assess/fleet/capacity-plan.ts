/** One candidate's plan: what production asks of it month by month, what a server carries, and the cheapest fleets that do. */

import type { PlanFacts } from '../../engines/engine.ts'
import { isInParts } from '../../families/model.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { productionRows } from '../capacity/calls.ts'
import { drivenCapacity } from '../capacity/capacity.ts'
import { carriedOf, coresAtAverage } from '../capacity/carried.ts'
import { type Rows, rowsOf } from '../capacity/rows.ts'
import { doublingOf, fitScalability, type Scalability, sweepOf } from '../capacity/scaling.ts'
import { type Work, workOf } from '../capacity/work.ts'
import { engineerHour } from '../cost/labour.ts'
import type { BlockStorage, Shape } from '../cost/prices.ts'
import type { Demand } from '../demand/demand.ts'
import { HotShare } from '../demand/hot-share.ts'
import { loadOf } from '../demand/load.ts'
import { needFiguresOf, needOf, standingOf } from '../demand/need.ts'
import { type Storage, storageOf } from '../demand/storage.ts'
import { trafficOf } from '../demand/traffic.ts'
import { derivedFrom, type Figure, given } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import { middleOf } from '../figures/simulate.ts'
import { cheapest } from './cheapest.ts'
import { choiceOf, encodeChoice, fleetText } from './choice.ts'
import { divisionOf } from './division.ts'
import { assumptions, networkBytesPerSecond } from './plan-assumptions.ts'
import type { Need, Terms } from './supply.ts'

/** What a plan is of, and with which numbers. */
export interface PlanInput {
  candidate: CandidateResult
  result: Result
  demand: Demand
  /** What it serves: all that it can do, or a part of it beside another store. */
  serves?: { operations: Operation[]; entities: string[] }
}
export interface CapacityPlan {
  candidate: string
  /** What an acknowledged write survives. */
  durability: CandidateResult['durability']
  /** Those that it serves. */
  operations: Operation[]
  facts: PlanFacts
  work: Work
  storage: Storage
  /** What caches of its data leave to the disks. */
  hot: HotShare
  scalability: Scalability | null
  /** Operations per second of its mix at today's average load. */
  averageRate: number
  /** Of the whole mix, on a core of the bench. */
  coresAtAverage: Figure<'cores'>
  /** Multiples that one bench-sized server carries. */
  carried: Figure<'multiple'>
  fixedMemory: Figure<'bytes'>
  cacheOfRest: Figure<'share'>
  /** Those that are atomic on one server, and not on several: with any, it cannot be divided. */
  torn: Operation[]
  /** Those that every shard must do, once there are several. */
  crossing: Operation[]
  /** Entities whose rows lie in parts by their time. */
  inParts: string[]
  /** In use at peak, on all servers: operations in flight by Little's law. */
  connections(month: number): Figure<'connections'>
  rows: Rows
  needFigures(month: number): Figure[]
  /** Values of `needFigures`, in order, put into `to`. */
  needOf(values: readonly number[], to?: Need): Need
  terms(block: BlockStorage, shapes: readonly Shape[]): Terms
  /** Mean of a call with as many rows as it touches then; null: none was timed. */
  seconds(operation: Operation, month: number): Figure<'seconds'> | null
  /** Pages that one call reads, cached or not. */
  pagesOfCall(operation: Operation, month: number): Figure<'ratio'>
  /** Bytes that one call returns or writes. */
  payload(operation: Operation): Figure<'bytes'>
  /** The cheapest fleet, for `choiceOf`. */
  choice(month: number, shapes: readonly Shape[], block: BlockStorage, path: string): Figure<'ratio'>
}
/** A sentence that says why there is no plan. */
export type NoPlan = { candidate: string; reason: string }

export const isPlan = (plan: CapacityPlan | NoPlan): plan is CapacityPlan => 'facts' in plan

/** What a month needs with every number at its middle. */
export const middleNeed = (plan: CapacityPlan, month: number): Need => plan.needOf(plan.needFigures(month).map((figure) => middleOf(figure)))

export function planCapacity({ candidate, result, demand, serves }: PlanInput): CapacityPlan | NoPlan {
  const { name } = candidate
  const none = (reason: string): NoPlan => ({ candidate: name, reason })
  const { plan: facts } = candidate.traits
  if (candidate.failure !== null) return none(`it did not run to the end: ${candidate.failure}`)
  if (facts === null) return none('its engine states no topology: the result was written by an earlier dbtrial')
  // What each would need with production's rows was not told apart: measured is their sum, with the hits of the rows that were loaded.
  if (result.scenario.candidates.some((each) => each.name === name && each.cache !== undefined))
    return none('its store and its cache are two fleets, and only what both used together was measured')
  const beyond = demand.beyond()
  if (beyond !== null) return none(beyond)
  const { scenario } = demand
  // Of a server that somebody else runs nobody reads the CPU: an operation that seems to cost nothing is not planned with.
  if (candidate.trials.every((trial) => trial.resources.server === null))
    return none('the CPU of its server could not be read: what its operations cost is not known, only what one server sustained')
  const work = workOf(candidate, scenario.operations)
  if (work === null) return none('no trial tells what its operations cost')
  const storage = storageOf(candidate, result, demand, serves?.entities)
  if (storage === null) return none('its storage was not measured at two shares of a load')
  const mix = scenario.operations.filter((operation) => work.perOperation.has(operation.name))
  const own = mix.filter((operation) => serves === undefined || serves.operations.includes(operation))
  const scalability = fitScalability(sweepOf(candidate))
  const cores = coresAtAverage(name, mix, demand, work)
  const driven = drivenCapacity(candidate, scenario.operations)
  const carried = carriedOf(candidate, driven, mix, demand, work, cores, scalability)
  if (carried === null) return none(`no rate was found that it sustains on one server (${candidate.capacity.boundBy})`)
  const division = divisionOf(scenario, candidate.model, facts)
  const torn = own.filter(division.isTorn)
  const crossing = own.filter(division.crosses)
  const memo = new FigureMemo()
  const rows = rowsOf(result, demand)
  const load = loadOf(name, own, facts.topology, crossing, demand, work, rows, cores, memo)
  const traffic = trafficOf(candidate, own, productionRows(result), rows, demand, work, driven.multiple?.mid ?? Number.POSITIVE_INFINITY, memo)
  const hot = new HotShare(name, demand, storage, traffic.readers, own.filter(changesRows))
  const standing = standingOf(name, facts, carried, doublingFigure(candidate), engineerHour(scenario))
  const needFigures = (month: number) => needFiguresOf(name, month, load, storage, hot, traffic, standing, memo)
  const terms = termsOf(facts, torn.length === 0, candidate.provision?.limits.cpus ?? 1, hot.missAt)
  return {
    candidate: name,
    durability: candidate.durability,
    operations: own,
    facts,
    work,
    storage,
    hot,
    scalability,
    averageRate: mix.reduce((sum, operation) => sum + operation.ratePerSecond, 0),
    coresAtAverage: cores,
    carried,
    fixedMemory: standing.fixedMemory,
    cacheOfRest: standing.cacheOfRest,
    torn,
    inParts: candidate.model.stores.filter(isInParts).map(({ entity }) => entity),
    crossing,
    connections: traffic.connections,
    needFigures,
    needOf,
    terms,
    seconds: traffic.seconds,
    rows,
    pagesOfCall: traffic.pagesOfCall,
    payload: traffic.payload,
    choice: (month, shapes, block, path) => choiceFigure(`${path}@${month}`, needFigures(month), shapes, terms(block, shapes)),
  }
}

/** Pages of the rows that they change are read first, and then lie in the cache. */
const changesRows = ({ kind }: Operation) => kind === 'update' || kind === 'put' || kind === 'delete'

/** What more cores add: as measured on several sizes of server, or as assumed. */
function doublingFigure({ name, sizes }: CandidateResult): Figure<'ratio'> {
  const measured = doublingOf(sizes)
  return given(
    `plan.${name}.doubling`,
    'ratio',
    measured ?? assumptions.doubling,
    measured === null ? 'assumed' : 'measured',
    `throughput of twice the cores, over twice that of one${measured === null ? '; fewer than three sizes were measured (bench.sizes)' : `, on ${sizes.map((size) => size.cpus).join(', ')} cores`}`,
  )
}

function termsOf(
  { topology, memoryBound, commandThreads }: PlanFacts,
  divisible: boolean,
  benchCpus: number,
  missAt: Terms['missAt'],
): CapacityPlan['terms'] {
  return (block, shapes) => ({
    topology,
    memoryBound,
    commandThreads: commandThreads.count,
    divisible,
    benchCpus,
    missAt,
    block,
    minUsdPerHour: shapes.length === 0 ? 0 : Math.min(...shapes.map((shape) => shape.usdPerHour ?? Number.POSITIVE_INFINITY)),
    networkBytesPerSecond,
  })
}

function choiceFigure(path: string, needs: Figure[], shapes: readonly Shape[], terms: Terms): Figure<'ratio'> {
  const need = {} as Need
  let likely = -1
  const figure = derivedFrom(path, 'ratio', 'the cheapest fleet that carries it', needs, (values) => {
    const choice = cheapest(shapes, needOf(values, need), terms, likely)
    likely = choice.shape
    return encodeChoice(choice)
  })
  return { ...figure, display: (value) => fleetText(choiceOf(value), shapes) }
}
