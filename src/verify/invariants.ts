/** After the replay: row counts, conservation, and every acknowledged write read back. */
import { type Dataset, rowValues } from '../data/dataset.ts'
import { fixedParameters, keyValues, parametersOf } from '../data/parameters.ts'
import { type Answer, canonical, type Value } from '../data/value.ts'
import type { Compiled, Session } from '../engines/engine.ts'
import { messageOf } from '../errors.ts'
import type { WriteLog } from '../measure/recorder.ts'
import { type Entity, entityOf, fieldOf, type Operation, type Scenario, writesOf } from '../scenario/scenario.ts'

export interface InvariantResult {
  name: string
  ok: boolean
  detail: string
}
/** Totals before the replay: key `entity` or `entity.field`. */
export type Totals = Map<string, { rows: bigint; sum: bigint }>

const mostReadBack = 20_000
const readsInFlight = 16

/** Row counts of all entities and the sums of the declared invariants. */
export async function takeTotals(session: Session, scenario: Scenario): Promise<Totals> {
  const totals: Totals = new Map()
  for (const entity of scenario.entities) totals.set(entity.name, await session.total(entity.name))
  for (const { terms } of scenario.invariants) {
    for (const { entity, field } of terms) totals.set(`${entity}.${field}`, await session.total(entity, field))
  }
  return totals
}

export async function checkInvariants(
  session: Session,
  compiled: Compiled,
  dataset: Dataset,
  before: Totals,
  log: WriteLog,
  nowMs: number,
  signal: AbortSignal,
): Promise<InvariantResult[]> {
  const { scenario, operations } = compiled
  const after = await takeTotals(session, scenario)
  const results: InvariantResult[] = []
  for (const entity of scenario.entities) {
    const { certain, maybe } = inserted(entity, operations, log, dataset)
    const rows = (after.get(entity.name)?.rows ?? 0n) - (before.get(entity.name)?.rows ?? 0n)
    const removable = deleted(entity, operations, log)
    // Expired rows may or may not have been removed already; upserts of keys that were there add nothing.
    const least = entity.ttlMs === null ? certain - removable : -Number(before.get(entity.name)?.rows ?? 0n)
    const most = certain + maybe
    const ok = rows >= BigInt(least) && rows <= BigInt(most)
    results.push({
      name: `rows of ${entity.name}`,
      ok,
      detail: `${rows >= 0n ? '+' : ''}${rows}, acknowledged writes allow ${least === most ? most : `${least} to ${most}`}`,
    })
  }
  for (const invariant of scenario.invariants) {
    const value = (totals: Totals) =>
      invariant.terms.reduce((sum, term) => sum + BigInt(term.sign) * (totals.get(`${term.entity}.${term.field}`)?.sum ?? 0n), 0n)
    const [was, is] = [value(before), value(after)]
    results.push({ name: invariant.name, ok: was === is, detail: `${was} before, ${is} after` })
  }
  results.push(...(await readBack(session, compiled, dataset, log, nowMs, signal)))
  return results
}

/** Rows that acknowledged (and unknown) writes added to an entity. */
function inserted(entity: Entity, operations: Operation[], log: WriteLog, dataset: Dataset): { certain: number; maybe: number } {
  const counts = { certain: 0, maybe: 0 }
  const seen = new Set<number>()
  const data = dataset.entities.get(entity.name)
  for (let i = 0; i < log.operation.length; i++) {
    const row = log.row[i] as number
    for (const write of writesOf(operations[log.operation[i] as number] as Operation)) {
      const lines = write.kind === 'insert' && write.with.includes(entity.name) ? (data?.linesOf(row) ?? 0) : 0
      const own =
        write.entity === entity.name && (write.kind === 'insert' || (write.kind === 'put' && row >= (data?.rows ?? 0) && !seen.has(row))) ? 1 : 0
      if (own === 1) seen.add(row)
      if (log.outcome[i] === 1) counts.certain += own + lines
      else if (log.outcome[i] === 0) counts.maybe += own + lines
    }
  }
  return counts
}

function deleted(entity: Entity, operations: Operation[], log: WriteLog): number {
  const owner = entity.owner?.entity ?? entity.name
  let count = 0
  for (let i = 0; i < log.operation.length; i++) {
    const operation = operations[log.operation[i] as number] as Operation
    if (log.outcome[i] !== 2 && writesOf(operation).some((write) => write.kind === 'delete' && write.entity === owner))
      count += entity.owner?.most ?? 1
  }
  return count
}

interface WriteAt {
  operation: Operation
  version: number
  nowMs: number
  sentNs: number
  doneNs: number
  acknowledged: boolean
}

/** Reads back each row that was written: it must hold the value of a write that no acknowledged write strictly followed. */
async function readBack(
  session: Session,
  compiled: Compiled,
  dataset: Dataset,
  log: WriteLog,
  nowMs: number,
  signal: AbortSignal,
): Promise<InvariantResult[]> {
  const { scenario, operations } = compiled
  const results: InvariantResult[] = []
  for (const [index, check] of operations.entries()) {
    if (!check.internal || check.kind !== 'get') continue
    const entity = entityOf(scenario, check.entity)
    const rows = writesByRow(entity, operations, log)
    const wanted = [...rows.keys()].slice(0, mostReadBack)
    let lost = 0
    let example = ''
    const queue = wanted.values()
    const reader = async () => {
      for (const row of queue) {
        signal.throwIfAborted()
        const data = dataset.entities.get(entity.name)
        if (data === undefined) return
        const key = keyValues(entity, data, row)
        const params = fixedParameters(parametersOf(scenario, check).map((parameter, at) => (parameter.shape === 'now' ? nowMs : (key[at] as Value))))
        const answer = await session.perform(index, params).then(
          (reply) => reply.answer(),
          (error: unknown) => messageOf(error),
        )
        if (
          typeof answer !== 'string' &&
          explained(answer, check.fields, entity, rows.get(row) as WriteAt[], (version, now) => rowValues(data, row, version, now), nowMs)
        )
          continue
        lost++
        example ||= `row ${row}: ${typeof answer === 'string' ? answer : canonical(answer as unknown as Value).slice(0, 120)}`
      }
    }
    await Promise.all(Array.from({ length: readsInFlight }, reader))
    if (rows.size > 0) {
      results.push({
        name: `acknowledged writes of ${entity.name}`,
        ok: lost === 0,
        detail: `${wanted.length} of ${rows.size} written rows read back, ${lost} lost${example === '' ? '' : ` (${example})`}`,
      })
    }
  }
  return results
}

/** Single-row writes by row number; rows that a transaction changed through references are covered by conservation. */
function writesByRow(entity: Entity, operations: Operation[], log: WriteLog): Map<number, WriteAt[]> {
  const rows = new Map<number, WriteAt[]>()
  for (let i = 0; i < log.operation.length; i++) {
    const operation = operations[log.operation[i] as number] as Operation
    const first = writesOf(operation)[0]
    if (first?.entity !== entity.name || log.outcome[i] === 2) continue
    const write: WriteAt = {
      operation,
      version: log.version[i] as number,
      nowMs: log.nowMs[i] as number,
      sentNs: log.sentNs[i] as number,
      doneNs: log.doneNs[i] as number,
      acknowledged: log.outcome[i] === 1,
    }
    const own = rows.get(log.row[i] as number)
    if (own === undefined) rows.set(log.row[i] as number, [write])
    else own.push(write)
  }
  return rows
}

function explained(
  answer: Answer,
  fields: string[],
  entity: Entity,
  writes: WriteAt[],
  values: (version: number, nowMs: number) => Value[],
  nowMs: number,
): boolean {
  const found = answer.kind === 'rows' ? answer.rows[0] : undefined
  const candidates = writes.filter((write) => !writes.some((other) => other.acknowledged && other.sentNs > write.doneNs))
  const certain = writes.some((write) => write.acknowledged)
  const removes = writes.some((write) => write.operation.kind === 'delete')
  if (found === undefined)
    return removes || !certain || (entity.ttlMs !== null && candidates.every((write) => write.nowMs + (entity.ttlMs as number) <= nowMs))
  if (removes) return candidates.some((write) => write.operation.kind !== 'delete') || !certain
  const names = entity.fields.map((field) => field.name)
  const changes = (write: WriteAt): Map<string, Value> => {
    const row = values(write.version, write.nowMs)
    const own = writesOf(write.operation)[0]
    if (own?.kind !== 'update') return new Map(names.map((name, at) => [name, row[at] as Value]))
    return new Map(
      own.set.map((each) => [
        each.field,
        each.to === 'constant'
          ? typed(entity, each.field, each.constant)
          : each.to === 'now'
            ? write.nowMs
            : (row[names.indexOf(each.field)] as Value),
      ]),
    )
  }
  // Updates of different fields may both survive: each written field must hold what some candidate wrote into it.
  const written = candidates.map(changes)
  const touched = new Set(written.flatMap((each) => [...each.keys()]))
  const adds = new Set(
    writes.flatMap((write) => writesOf(write.operation).flatMap((each) => (each.kind === 'update' ? each.add.map((add) => add.field) : []))),
  )
  return [...touched].every((field) => {
    const at = fields.indexOf(field)
    if (at < 0 || adds.has(field)) return true
    const value = canonical(found[at] as Value)
    return written.some((each) => each.has(field) && canonical(each.get(field) as Value) === value) || (!certain && candidates.length > 0)
  })
}

function typed(entity: Entity, field: string, constant: string | number | boolean): Value {
  return fieldOf(entity, field).type === 'decimal' ? BigInt(constant as number) : constant
}
