/** What the operations of a plan ask of disks, network and connections at peak, beside the CPU. */

import type { CandidateResult } from '../../result/result.ts'
import { entityOf, type Operation } from '../../scenario/scenario.ts'
import { isReadOperation, payloadBytes } from '../capacity/calls.ts'
import { lowestOf } from '../capacity/latency-by-load.ts'
import { pagesOf } from '../capacity/pages.ts'
import { loadOf } from '../capacity/response-curve.ts'
import type { Rows } from '../capacity/rows.ts'
import { serviceOf } from '../capacity/service.ts'
import type { Work } from '../capacity/work.ts'
import { type Figure, productOf, sumOf } from '../figures/figure.ts'
import type { FigureMemo } from '../figures/figure-memo.ts'
import { middleOf } from '../figures/simulate.ts'
import { readsAcrossZones, zoneHop } from '../fleet/plan-assumptions.ts'
import type { Demand } from './demand.ts'
import type { Reader } from './hot-share.ts'
export interface Traffic {
  /** Pages read, if none were cached. */
  pages(month: number): Figure<'I/O/s'>
  flushes(month: number): Figure<'I/O/s'>
  written(month: number): Figure<'bytes/s'>
  network(month: number): Figure<'bytes/s'>
  /** In use, on all servers: operations in flight by Little's law. */
  connections(month: number): Figure<'connections'>
  /** Of one call, on average, with as many rows as it touches then; null: none was timed. */
  seconds(operation: Operation, month: number): Figure<'seconds'> | null
  /** Of one call, by the access path, with as many rows as it touches then. */
  pagesOfCall(operation: Operation, month: number): Figure<'ratio'>
  /** Bytes that one call returns or writes. */
  payload(operation: Operation): Figure<'bytes'>
  /** Those that read, with the pages of a call and what their objectives leave for disks. */
  readers: Reader[]
}

/** `carried`: multiples that its server does. */
export function trafficOf(
  candidate: CandidateResult,
  own: Operation[],
  rowsOf: Map<string, number>,
  rows: Rows,
  demand: Demand,
  work: Work,
  carried: number,
  memo: FigureMemo,
): Traffic {
  const { name } = candidate
  const { scenario } = demand
  const rowsIn = (operation: Operation) => rowsOf.get(operation.name) ?? 1
  const reads = own.filter(isReadOperation)
  const writes = own.filter((operation) => !isReadOperation(operation))
  const pages = new Map(own.map((operation) => [operation.name, pagesOf(operation, candidate.model, scenario, rowsIn(operation))]))
  const pagesOfCall = (operation: Operation, month: number): Figure<'ratio'> => {
    const now = memo.constant(
      `plan.${name}.${operation.name}.pages`,
      'ratio',
      pages.get(operation.name) as number,
      'from the access path of the model',
    )
    const grown = rows.growth(operation, month)
    if (grown === null) return now
    return memo.once(`plan.${name}.${operation.name}.pages@${month}`, (path) => productOf(path, 'ratio', 'pages × rowsGrowth', [now, grown]))
  }
  const payload = (operation: Operation) =>
    memo.constant(
      `plan.${name}.${operation.name}.payload`,
      'bytes',
      payloadBytes(operation, scenario, rowsIn(operation)),
      'rows returned or written × bytes of their fields',
    )
  const { timed, seconds } = serviceOf(candidate, own, rows, carried, memo)
  const total = atPeak(name, demand, memo)
  return {
    pages: total('pages', 'I/O/s', 'peakRate × pages', reads, pagesOfCall),
    flushes: total('flushes', 'I/O/s', 'peakRate × flushes', writes, (operation) => work.flushes.get(operation.name) as Figure),
    written: total('written', 'bytes/s', 'peakRate × written', writes, (operation) => work.written.get(operation.name) as Figure),
    network: total('network', 'bytes/s', 'peakRate × payload', own, payload),
    connections: total('connections', 'connections', 'peakRate × (service + zoneHop × readsAcrossZones)', timed, (operation, month) =>
      memo.once(`capacity.${name}.connections.${operation.name}.held@${month}`, (path) =>
        sumOf(path, 'seconds', [
          seconds(operation, month) as Figure<'seconds'>,
          productOf(`${path}.hop`, 'seconds', 'zoneHop × readsAcrossZones', [zoneHop(), readsAcrossZones()]),
        ]),
      ),
    ),
    seconds,
    pagesOfCall,
    payload,
    readers: reads.map((operation) => ({
      operation,
      pages: pages.get(operation.name) as number,
      tableShare: Math.min(1, rowsIn(operation) / Math.max(1, middleOf(demand.rows(entityOf(scenario, operation.entity), 0)))),
      spare: spareOf(candidate, operation, carried),
    })),
  }
}

/** Sums over operations of their rate at peak times what one call of each takes. */
function atPeak(name: string, demand: Demand, memo: FigureMemo) {
  return <U extends Figure['unit']>(
    what: string,
    unit: U,
    formula: string,
    some: Operation[],
    ofCall: (operation: Operation, month: number) => Figure,
  ) =>
    (month: number): Figure<U> =>
      memo.once(`capacity.${name}.${what}@${month}`, (path) =>
        sumOf(
          path,
          unit,
          some.map((operation) =>
            productOf(`capacity.${name}.${what}.${operation.name}@${month}`, unit, formula, [
              demand.peakRate(operation, month),
              ofCall(operation, month),
            ]),
          ),
        ),
      )
}

/**
 * By the strictest objective that is met without any disk, at the lowest rates that the server carries. What is late already, or was measured in
 * an overload only, no memory mends: it asks for none. null: nothing is left that does.
 */
export function spareOf({ trials }: Pick<CandidateResult, 'trials'>, { name, objectives }: Operation, carried: number): Reader['spare'] {
  const within = trials.filter((trial) => trial.mix !== 'common' && trial.arrival.multiple !== null && loadOf(trial) <= carried)
  return objectives
    .flatMap(({ limitMs, quantile }) => {
      const lowest = lowestOf(within, name, quantile)
      return lowest === null || lowest.ms >= limitMs ? [] : [{ ms: limitMs - lowest.ms, share: 1 - quantile }]
    })
    .reduce<Reader['spare']>((least, each) => (least === null || each.ms < least.ms ? each : least), null)
}
