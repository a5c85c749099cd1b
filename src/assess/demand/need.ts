/** What a month needs, as figures in a fixed order and as the numbers that fleets are tried with. */
import type { PlanFacts } from '../../engines/engine.ts'
import { type Figure, given, productOf } from '../figures/figure.ts'
import type { FigureMemo } from '../figures/figure-memo.ts'
import { assumptions } from '../fleet/plan-assumptions.ts'
import type { Need } from '../fleet/supply.ts'
import type { HotShare } from './hot-share.ts'
import type { Load } from './load.ts'
import type { Storage } from './storage.ts'
import type { Traffic } from './traffic.ts'

/** What holds in every month. */
export interface Standing {
  carried: Figure<'multiple'>
  doubling: Figure<'ratio'>
  host: Figure<'ratio'>
  diskReserve: Figure<'ratio'>
  diskFill: Figure<'share'>
  memoryFill: Figure<'share'>
  ioHeadroom: Figure<'ratio'>
  fixedMemory: Figure<'bytes'>
  cacheOfRest: Figure<'share'>
  replicaWork: Figure<'ratio'>
  usdPerShard: Figure<'USD/month'>
  usdToDivide: Figure<'USD/month'>
}

export function standingOf(
  name: string,
  facts: PlanFacts,
  carried: Figure<'multiple'>,
  doubling: Figure<'ratio'>,
  hour: Figure<'USD/hour'>,
): Standing {
  const fact = <U extends 'ratio' | 'share'>(what: 'diskReserve' | 'cacheOfRest' | 'replicaWork', unit: U) =>
    given(`plan.${name}.${what}`, unit, facts[what].range, 'assumed', facts[what].source)
  return {
    carried,
    doubling,
    host: given('plan.hostFactor', 'ratio', assumptions.host, 'assumed', 'a cloud vCPU over a core of the machine that was measured on'),
    diskReserve: fact('diskReserve', 'ratio'),
    diskFill: given('plan.diskFill', 'share', assumptions.diskFill, 'assumed', 'of a volume, what data may fill before it is enlarged'),
    memoryFill: given('plan.memoryFill', 'share', assumptions.memoryFill, 'assumed', 'of the memory of a store in memory, what data may fill'),
    ioHeadroom: given('plan.ioHeadroom', 'ratio', assumptions.ioHeadroom, 'assumed', 'I/O that a disk is bought for, over what is asked at peak'),
    fixedMemory: productOf(
      `plan.${name}.fixedMemory`,
      'bytes',
      'fixedMemoryGib × 2³⁰',
      [given(`plan.${name}.fixedMemoryGib`, 'ratio', facts.fixedMemoryGib.range, 'assumed', facts.fixedMemoryGib.source)],
      2 ** 30,
    ),
    cacheOfRest: fact('cacheOfRest', 'share'),
    replicaWork: fact('replicaWork', 'ratio'),
    usdPerShard: labour(
      'usdPerShard',
      given('plan.shardHours', 'hours/month', assumptions.shardHours, 'assumed', 'of watching, upgrading and balancing each shard beside the first'),
      hour,
    ),
    usdToDivide: labour(
      'usdToDivide',
      given(
        'plan.divideHours',
        'hours/month',
        assumptions.divideHours,
        'assumed',
        'of what routes, moves and joins rows in the application, where the product does not',
      ),
      hour,
    ),
  }
}

const labour = (what: string, hours: Figure<'hours/month'>, hour: Figure<'USD/hour'>) =>
  productOf(`plan.${what}`, 'USD/month', 'hours × engineerHour', [hours, hour])

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
    standing.fixedMemory,
    standing.cacheOfRest,
    traffic.pages(month),
    traffic.flushes(month),
    traffic.written(month),
    traffic.network(month),
    storage.bytes(month),
    load.crossing(month),
    standing.usdPerShard,
    standing.usdToDivide,
    hot.likeMonth(month),
    hot.hotSpread,
    standing.diskFill,
    standing.memoryFill,
    standing.ioHeadroom,
  ]
}

/** Bytes on disk with their reserve, of the figures of a month. */
export const diskBytesOf = (figures: readonly Figure[]) => figures[diskBytesAt] as Figure<'bytes'>
const diskBytesAt = 7

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
  to.bytes = values[diskBytesAt] as number
  to.hotBytes = values[8] as number
  to.fixedMemoryBytes = values[9] as number
  to.cacheOfRest = values[10] as number
  to.pagesPerSecond = values[11] as number
  to.writesPerSecond = (values[12] as number) + (values[13] as number) / bytesPerWrite
  to.writtenBytesPerSecond = values[13] as number
  to.networkBytesPerSecond = values[14] as number
  to.dataBytes = values[15] as number
  to.crossing = values[16] as number
  to.usdPerShard = values[17] as number
  to.usdToDivide = values[18] as number
  to.month = values[19] as number
  to.hotSpread = values[20] as number
  to.diskFill = values[21] as number
  to.memoryFill = values[22] as number
  to.ioHeadroom = values[23] as number
  return to
}
