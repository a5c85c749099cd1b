/** The lines of a bill with what each rests on, and what stands beside it: labour, and the same bill where servers are bound to a term. */

import type { Priced } from '../figures/drawn.ts'
import type { Figure } from '../figures/figure.ts'
import type { CostPlan } from './cost.ts'
import type { Catalogue } from './prices.ts'

export interface Source {
  from: string
  /** null: it has none. */
  date: string | null
}
export interface CostLine extends Source {
  name: string
  /** Part of the total; else beside it. */
  billed: boolean
  figure: Figure<'USD/month'>
}
/** As it is told. */
export type ToldLine = Omit<CostLine, 'figure'> & { usdPerMonth: Priced }

const people: Source = { from: 'hours of an engineer, assumed', date: null }

/** Lines add up at the middle of all numbers, to less or more than the median of the total: what lies between is a line, so that they come to it. */
export function withDraws(lines: readonly ToldLine[], { p50, middle }: Priced): ToldLine[] {
  const added = p50 - middle
  const billed = lines.filter((line) => line.billed)
  const own: ToldLine = {
    name: 'draws',
    billed: true,
    usdPerMonth: { p10: added, p50: added, p90: added, middle: added },
    from: 'the draws of all numbers that have a range',
    date: null,
  }
  return [...billed, own, ...lines.filter((line) => !line.billed)]
}

/** In the order in which a reader adds them up: those that are billed come to the total, in every draw. */
export function billOf(
  cost: Pick<CostPlan, 'lines' | 'archivedRows' | 'labour' | 'committed' | 'regionExtra'>,
  catalogue: Catalogue,
  localDisk: boolean,
  month: number,
): CostLine[] {
  const { servers, storage, provisionedIo, shards, backup, archive, transfer } = cost.lines(month)
  const archivedRows = cost.archivedRows(month)
  const extra = cost.regionExtra(month)
  const own: Source = { from: catalogue.source, date: catalogue.date }
  const named = (name: string | undefined): Source => (name === undefined ? own : (catalogue.sources[name] ?? own))
  const { volumes, snapshots, objects, moved } = {
    volumes: named(catalogue.sourceOf.blockStorage),
    snapshots: named(catalogue.sourceOf.snapshots),
    objects: named(catalogue.sourceOf.objectStorage),
    moved: named(catalogue.sourceOf.transfer),
  }
  const billed = (name: string, figure: Figure<'USD/month'>, source: Source) => ({ name, figure, billed: true, ...source })
  return [
    billed('servers', servers, own),
    billed('storage', storage, volumes),
    billed('provisionedIo', provisionedIo, volumes),
    billed('backup', backup, catalogue.snapshotUsdPerGbMonth === undefined || localDisk ? objects : snapshots),
    billed('archive', archive, objects),
    ...(archivedRows === null ? [] : [billed('archivedRows', archivedRows, objects)]),
    billed('transfer', transfer, moved),
    billed('shards', shards, people),
    ...(extra === null ? [] : [billed('region', extra, { from: 'dearer than the list by a factor that is assumed', date: null })]),
    { name: 'labour', figure: cost.labour(month).usdPerMonth, billed: false, ...people },
    ...([1, 3] as const).flatMap((years) => {
      const committed = cost.committed(month, years)
      return committed === null ? [] : [{ name: `committed${years}`, figure: committed.total, billed: false, ...committed.source }]
    }),
  ]
}
