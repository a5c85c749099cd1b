/** What a month needs, as figures in a fixed order and as the numbers that fleets are tried with. */
import type { PlanFacts } from '../engines/engine.ts'
import { type Figure, given, productOf } from './figure.ts'
import type { FigureMemo } from './figure-memo.ts'
import type { HotShare } from './hot-share.ts'
import type { Load } from './load.ts'
import { assumptions } from './plan-assumptions.ts'
import type { Storage } from './storage.ts'
import type { Need } from './supply.ts'
import type { Traffic } from './traffic.ts'

/** What holds in every month. */
export interface Standing {
  carried: Figure<'multiple'>
  doubling: Figure<'ratio'>
  host: Figure<'ratio'>
  diskReserve: Figure<'ratio'>
  cacheShare: Figure<'share'>
  replicaWork: Figure<'ratio'>
}

export function standingOf(name: string, facts: PlanFacts, carried: Figure<'multiple'>, doubling: Figure<'ratio'>): Standing {
  const fact = <U extends 'ratio' | 'share'>(what: 'diskReserve' | 'cacheShare' | 'replicaWork', unit: U) =>
    given(`plan.${name}.${what}`, unit, facts[what].range, 'assumed', facts[what].source)
  return {
    carried,
    doubling,
    host: given('plan.hostFactor', 'ratio', assumptions.host, 'assumed', 'a cloud vCPU over a core of the machine that was measured on'),
    diskReserve: fact('diskReserve', 'ratio'),
    cacheShare: fact('cacheShare', 'share'),
    replicaWork: fact('replicaWork', 'ratio'),
  }
}

/** In the order that `needOf` takes their values in. */
export function needFiguresOf(
  name: string,
  month: number,
  load: Load,
  storage: Storage,
  hot: HotShare,
  traffic: Traffic,
  standing: Standing,
  memo: FigureMemo,
): Figure[] {
  const bytes = memo.once(`capacity.${name}.diskBytes@${month}`, (path) =>
    productOf(path, 'bytes', 'bytes × diskReserve', [storage.bytes(month), standing.diskReserve]),
  )
  return [
    load.all(month),
    load.offloadable(month),
    load.writes(month),
    standing.replicaWork,
    standing.carried,
    standing.doubling,
    standing.host,
    bytes,
    hot.mustCache(month),
    standing.cacheShare,
    traffic.pages(month),
    traffic.flushes(month),
    traffic.written(month),
    traffic.network(month),
    hot.likeMonth(month),
  ]
}

/** Of a write that is no flush of its own: scattered pages of a checkpoint are smaller, a sequential log is larger. */
const bytesPerWrite = 16_384

/** Values in the order of `needFiguresOf`, put into `to`. */
export function needOf(values: readonly number[], to = {} as Need): Need {
  to.load = values[0] as number
  to.offloadable = values[1] as number
  to.writes = values[2] as number
  to.replicaWork = values[3] as number
  to.carried = values[4] as number
  to.doubling = values[5] as number
  to.host = values[6] as number
  to.bytes = values[7] as number
  to.hotBytes = values[8] as number
  to.cacheShare = values[9] as number
  to.pagesPerSecond = values[10] as number
  to.writesPerSecond = (values[11] as number) + (values[12] as number) / bytesPerWrite
  to.writtenBytesPerSecond = values[12] as number
  to.networkBytesPerSecond = values[13] as number
  to.month = values[14] as number
  return to
}
