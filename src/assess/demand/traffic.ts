/** What the operations of a plan ask of disks, network and connections at peak, beside the CPU. */

import type { CandidateResult } from '../../result/result.ts'
import { entityOf, type Operation } from '../../scenario/scenario.ts'
import { isReadOperation, payloadBytes } from '../capacity/calls.ts'
import { pagesOf } from '../capacity/pages.ts'
import type { Rows } from '../capacity/rows.ts'
import { serviceOf } from '../capacity/service.ts'
import type { Work } from '../capacity/work.ts'
import { type Figure, productOf, sumOf } from '../figures/figure.ts'
import type { FigureMemo } from '../figures/figure-memo.ts'
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

export function trafficOf(
  candidate: CandidateResult,
  own: Operation[],
  rowsOf: Map<string, number>,
  rows: Rows,
  demand: Demand,
  work: Work,
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
  const { timed, seconds } = serviceOf(candidate, own, rows, memo)
  const total = atPeak(name, demand, memo)
  return {
    pages: total('pages', 'I/O/s', 'peakRate × pages', reads, pagesOfCall),
    flushes: total('flushes', 'I/O/s', 'peakRate × flushes', writes, (operation) => work.flushes.get(operation.name) as Figure),
    written: total('written', 'bytes/s', 'peakRate × written', writes, (operation) => work.written.get(operation.name) as Figure),
    network: total('network', 'bytes/s', 'peakRate × payload', own, payload),
    connections: total('connections', 'connections', 'peakRate × service', timed, (operation, month) => seconds(operation, month) as Figure),
    seconds,
    pagesOfCall,
    payload,
    readers: reads.map((operation) => ({
      operation,
      pages: pages.get(operation.name) as number,
      tableShare: Math.min(1, rowsIn(operation) / Math.max(1, entityOf(scenario, operation.entity).count)),
      spare: spareOf(candidate, operation),
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

/** By its strictest objective, at the lowest rate that was confirmed; null: it has none, or was not timed. */
function spareOf({ trials }: CandidateResult, { name, objectives }: Operation): Reader['spare'] {
  const confirmed = trials
    .filter(({ phase, client, saturated }) => phase === 'confirmation' && client === 'wire' && !saturated)
    .sort((a, b) => (a.arrival.multiple ?? 0) - (b.arrival.multiple ?? 0))
  const response = confirmed.map((trial) => trial.operations[name]?.responseUs).find((each) => each != null && each.count > 0)
  if (response == null) return null
  return objectives
    .map(({ name: own, limitMs, quantile }) => ({ ms: limitMs - response[own] / 1000, share: 1 - quantile }))
    .reduce<Reader['spare']>((least, each) => (least === null || each.ms < least.ms ? each : least), null)
}
