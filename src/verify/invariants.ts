/** After the replay: row counts, conservation, every acknowledged write read back, and what guards keep. */
import type { Dataset, EntityData } from '../data/dataset.ts'
import type { Compiled, Session } from '../engines/engine.ts'
import type { WriteLog } from '../measure/recorder.ts'
import { type Durability, type Entity, rootOf, type Scenario } from '../scenario/scenario.ts'
import { grownBy } from './counts.ts'
import { Limits } from './limits.ts'
import { linesBefore, type ReadBack, type ReadBackOptions, readBack, rowBefore } from './read-back.ts'
import type { Reference } from './reference.ts'
import { Versions } from './versions.ts'
import { Writes } from './writes.ts'

export interface InvariantResult {
  name: string
  ok: boolean
  detail: string
}
/** Totals before the replay: key `entity` or `entity.field`. */
export type Totals = Map<string, { rows: bigint; sum: bigint }>

/** What the checks compare with. */
export interface Replayed {
  /** Of what the server held before: it has run the same verification. */
  reference: Reference
  before: Totals
  log: WriteLog
  /** Moments, on the replay's clock, at which the server ended by itself. */
  deathsNs: number[]
  nowMs: number
  /** Read back of each entity; absent: as many as take a few seconds. */
  maxRows?: number | undefined
}

/** What `relaxed` engines keep in memory alone is younger than this: the slowest syncs its log every 10 s. */
const forgoneSeconds = 10

/** Whether a write that was acknowledged at a moment may be lost, because that was never promised, with a server that ended at these. */
export function isForgone(durability: Durability, deathsNs: readonly number[]): (doneNs: number) => boolean {
  return (doneNs) => durability === 'relaxed' && deathsNs.some((deathNs) => doneNs <= deathNs && doneNs > deathNs - forgoneSeconds * 1e9)
}

/** Row counts of all entities and the sums of the declared invariants. */
export async function takeTotals(session: Pick<Session, 'total'>, scenario: Scenario): Promise<Totals> {
  const totals: Totals = new Map()
  for (const entity of scenario.entities) totals.set(entity.name, await session.total(entity.name))
  for (const { terms } of scenario.invariants) {
    for (const { entity, field } of terms) totals.set(`${entity}.${field}`, await session.total(entity, field))
  }
  return totals
}

export async function checkInvariants(
  session: Pick<Session, 'perform' | 'total'>,
  compiled: Pick<Compiled, 'scenario' | 'operations' | 'durability'>,
  dataset: Dataset,
  { reference, before, log, deathsNs, nowMs, maxRows }: Replayed,
  signal: AbortSignal,
): Promise<InvariantResult[]> {
  const { scenario, operations, durability } = compiled
  const writes = new Writes(operations, dataset, log, isForgone(durability, deathsNs))
  const after = await takeTotals(session, scenario)
  const rows = scenario.entities.map((entity) => rowsOf(entity, dataset, reference, writes, before, after))
  const sums = scenario.invariants.map(({ name, terms }) => {
    const value = (totals: Totals) =>
      terms.reduce((sum, term) => sum + BigInt(term.sign) * (totals.get(`${term.entity}.${term.field}`)?.sum ?? 0n), 0n)
    const [was, is] = [value(before), value(after)]
    return { name, ok: was === is, detail: `${was} before, ${is} after` }
  })
  const limits = new Limits(scenario)
  const versions = new Versions(scenario)
  const onRow: ReadBackOptions['onRow'] = (check, row, allows) => {
    limits.look(check, row)
    versions.look(check, row, allows)
  }
  const read = await readBack(session, compiled, dataset, reference, writes, nowMs, signal, { maxRows, onRow })
  return [...rows, ...sums, ...read.map(resultOf), ...limits.results(), ...versions.results()]
}

function rowsOf(entity: Entity, dataset: Dataset, reference: Reference, writes: Writes, before: Totals, after: Totals): InvariantResult {
  const owner = rootOf(dataset.scenario, entity)
  const data = dataset.entities.get(owner.name) as EntityData
  const { least, most } = grownBy(
    entity,
    dataset,
    writes,
    (row) => rowBefore(reference, data, row),
    (row) => linesBefore(reference, dataset.entities.get(entity.name) as EntityData, data, row),
  )
  const had = before.get(entity.name)?.rows ?? 0n
  const rows = (after.get(entity.name)?.rows ?? 0n) - had
  // Expired rows may or may not have been removed already.
  const fewest = owner.ttlMs === null ? BigInt(least) : -had
  return {
    name: `rows of ${entity.name}`,
    ok: rows >= fewest && rows <= BigInt(most),
    detail: `${rows >= 0n ? '+' : ''}${rows}, acknowledged writes allow ${fewest === BigInt(most) ? most : `${fewest} to ${most}`}`,
  }
}

function resultOf({ entity, written, read, lost, forgone, example }: ReadBack): InvariantResult {
  const gone =
    forgone === 0
      ? ''
      : `; ${forgone} more without what was written in the ${forgoneSeconds} s before the server ended, which relaxed does not promise`
  return {
    name: `acknowledged writes of ${entity}`,
    ok: lost === 0,
    detail: `${read} of ${written} written rows read back, ${lost} lost${example === '' ? '' : ` (${example})`}${gone}`,
  }
}
