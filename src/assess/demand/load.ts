/** The work at peak in multiples of today's average on one bench-sized server: all of it, what crosses shards, what replicas may answer, the writes. */
import type { Topology } from '../../engines/engine.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { isReadOperation, mayBeOld } from '../capacity/calls.ts'
import type { Rows } from '../capacity/rows.ts'
import type { Work } from '../capacity/work.ts'
import { derived, type Figure, productOf, sumOf } from '../figures/figure.ts'
import { type FigureMemo, ratio } from '../figures/figure-memo.ts'
import type { Demand } from './demand.ts'

export interface Load {
  /** Of a ring with its replication. */
  all(month: number): Figure<'multiple'>
  /** What every shard must do, once there are several. */
  crossing(month: number): Figure<'multiple'>
  offloadable(month: number): Figure<'multiple'>
  writes(month: number): Figure<'multiple'>
}

/** Servers that one call keeps busy: a ring's servers share the work of all copies, elsewhere each member does its own. */
export const copiesAsked =
  ({ kind, consulted, copies }: Topology) =>
  (operation: Operation) =>
    kind !== 'ring' ? 1 : isReadOperation(operation) ? consulted[operation.consistency] : copies

export function loadOf(
  name: string,
  own: Operation[],
  topology: Topology,
  crossing: Operation[],
  demand: Demand,
  work: Work,
  rows: Rows,
  coresAtAverage: Figure<'cores'>,
  memo: FigureMemo,
): Load {
  /** Of some operations, each as often as copies or readers ask. */
  const of = (what: string, month: number, some: Operation[], times: (operation: Operation) => number): Figure<'multiple'> =>
    memo.once(`capacity.${name}.${what}@${month}`, (path) => {
      const cores = sumOf(
        `capacity.${name}.${what}Cores@${month}`,
        'cores',
        some.map((operation) => {
          const more = rows.cost(operation, month)
          return productOf(
            `capacity.${name}.${operation.name}.${what}Cores@${month}`,
            'cores',
            `peakRate × cpu${more === null ? '' : ' × rowsCost'}${times(operation) === 1 ? '' : ` × ${times(operation)} copies`}`,
            [
              demand.peakRate(operation, month),
              work.perOperation.get(operation.name) as Figure<'core-s/operation'>,
              ...(more === null ? [] : [more]),
            ],
            times(operation),
          )
        }),
      )
      return derived(path, 'multiple', `${what}Cores ÷ coresAtAverage`, [cores, coresAtAverage], ratio)
    })
  const isRing = topology.kind === 'ring'
  const single = () => 1
  const old = isRing ? [] : own.filter(mayBeOld)
  const writes = own.filter((operation) => !isReadOperation(operation))
  return {
    all: (month) => of('load', month, own, copiesAsked(topology)),
    crossing: (month) => of('crossing', month, crossing, single),
    offloadable: (month) => of('offloadable', month, old, single),
    writes: (month) => of('writes', month, writes, single),
  }
}
