/** Bytes of a candidate's data in any month, from what two shares of one load took. */
import { loadedRows } from '../../data/dataset.ts'
import { rowBytes } from '../../families/sizes.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import { type Entity, entityOf, ownedBy } from '../../scenario/scenario.ts'
import { derived, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import { rowBytesSpread } from '../fleet/plan-assumptions.ts'
import type { Demand } from './demand.ts'

/** Sizes on disk are whole pages, and a load ends within one: two of the largest common size. */
const grainBytes = 16_384

export interface Storage {
  /** Those with a store of their own. */
  entities: string[]
  /** One copy, tables and indexes, without reserve. */
  bytes(month: number): Figure<'bytes'>
  /** Of one entity with what is embedded in it. */
  entityBytes(entity: string, month: number): Figure<'bytes'>
}

type Stored = CandidateResult['storage']['at'][number]

/** Of all entities or of some. null where storage was not measured at two shares. */
export function storageOf(candidate: CandidateResult, result: Result, demand: Demand, only?: string[]): Storage | null {
  const [half, whole] = candidate.storage.at
  if (half === undefined || whole === undefined) return null
  const entities = [...new Set(candidate.model.stores.map((store) => store.entity))].filter((name) => only === undefined || only.includes(name))
  const perRow = bytesPerRow(candidate, result, demand, entities, half, whole)
  const memo = new FigureMemo()
  const entityBytes = (name: string, month: number) =>
    memo.once(`storage.${candidate.name}.${name}.bytes@${month}`, (path) =>
      productOf(path, 'bytes', 'rows × perRow', [
        demand.rows(entityOf(demand.scenario, name), month),
        perRow.get(name) as Figure<'bytes/row'>,
        ...largerRows(candidate, demand, name, month),
      ]),
    )
  return {
    entities,
    entityBytes,
    bytes: (month) =>
      memo.once(`storage.${candidate.name}.bytes@${month}`, (path) =>
        sumOf(
          path,
          'bytes',
          entities.map((name) => entityBytes(name, month)),
        ),
      ),
  }
}

/** By entity: the slope between two shares of one load. */
function bytesPerRow(
  candidate: CandidateResult,
  { trialPlan: { shares, share } }: Result,
  { scenario }: Demand,
  entities: readonly string[],
  half: Stored,
  whole: Stored,
): Map<string, Figure<'bytes/row'>> {
  const loaded = (entity: Entity, at: number) => loadedRows(entity, (shares[entity.name] ?? share) * at, scenario) * (entity.owner?.mean ?? 1)
  const spread = rowBytesSpread()
  return new Map(
    entities.map((name) => {
      const entity = entityOf(scenario, name)
      const [rowsBefore, rowsAfter] = [loaded(entity, half.share), loaded(entity, whole.share)]
      const [before, after] = [bytesOf(candidate, half, name), bytesOf(candidate, whole, name)]
      const added = Math.max(1, rowsAfter - rowsBefore)
      const slope = Math.max(0, after - before) / added
      const grain = grainBytes / added
      const range = { low: Math.max(0, slope - grain), mid: slope, high: slope + grain, confidence: null }
      const path = `storage.${candidate.name}.${name}`
      const source = `${before} B at ${Math.round(rowsBefore)} rows, ${after} B at ${Math.round(rowsAfter)}: the slope, give or take ${grainBytes / 1024} KiB`
      return [
        name,
        productOf(`${path}.perRow`, 'bytes/row', 'slope × rowBytesSpread', [given(`${path}.slope`, 'bytes/row', range, 'measured', source), spread]),
      ]
    }),
  )
}

/** Tables and indexes of an entity. */
function bytesOf({ model: { stores } }: CandidateResult, { tables, indexes }: Stored, entity: string): number {
  const entityOfStore = (name: string) => stores.find((store) => store.name === name)?.entity ?? null
  return [...tables, ...indexes.map(({ table, bytes }) => ({ name: table, bytes }))]
    .filter((each) => entityOfStore(each.name) === entity)
    .reduce((sum, each) => sum + each.bytes, 0)
}

/** Owners that hold the rows which they own become larger where those grow faster than they. */
function largerRows(candidate: CandidateResult, demand: Demand, name: string, month: number): Figure<'ratio'>[] {
  const { scenario } = demand
  const inside = ownedBy(scenario, name).filter((owned) => !candidate.model.stores.some((store) => store.entity === owned.name))
  const bytes = (owned: Entity) => rowBytes(owned) * (owned.owner?.mean ?? 1)
  const all = rowBytes(entityOf(scenario, name)) + inside.reduce((sum, owned) => sum + bytes(owned), 0)
  return inside.flatMap((owned) => {
    const drift = demand.linesDrift(owned, month)
    const share = bytes(owned) / all
    const path = `storage.${candidate.name}.${name}.larger@${month}`
    const percent = Math.round(share * 100)
    return drift === null
      ? []
      : [derived(path, 'ratio', `${100 - percent} % + ${percent} % × linesDrift`, [drift], (lines) => 1 - share + share * lines)]
  })
}
