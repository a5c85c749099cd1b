/**
 * Which rows have a version: those that one operation deletes while another changes them, and those that are changed under a guard, whose
 * change is of what was read and compared.
 *
 * A change in CQL is an upsert: one that comes after a deletion which its author had not seen writes a part of the row again. Of such rows every
 * change, put and deletion is therefore a lightweight transaction on the base table, which asks for the version that was read and sets the next
 * one: they come one after the other, and who was late reads again. (Plain and lightweight writes of a row may not be mixed: a plain one may be
 * given its time before a transaction and be seen after it.) The other tables follow in a logged batch, which has the version for its time. A
 * version is the microsecond after its predecessor or, where that is later, the clock of the writer: so what follows an earlier transaction is
 * older than what follows a later one, in whichever order the batches arrive and whatever the clocks say, and a deletion is the last.
 *
 * Two things are left to clocks. An insert of a new key stays plain, for nobody else writes a key that nobody knows; its cells have the server's
 * time, and a node gives its plain writes and its transactions times from one counter: between nodes the clocks must agree better than the
 * time between an insert's answer and the next change of its row. A row that is put again after its deletion has no version to go on from: the
 * clocks of the two writers must agree better than the transaction between them takes. A put within a transaction of the scenario is a part of that
 * batch, and has no condition: it writes a whole row with a new version, and one that races a deletion may leave its row in a further table.
 */
import type { Entity, Operation, Scenario } from '../../scenario/scenario.ts'
import type { PhysicalModel, Store, StoreColumn } from '../model.ts'

/** Gives base tables the versions that they need, and marks the tables that follow them. */
export function addVersions(model: PhysicalModel, scenario: Scenario, operations: Operation[]): void {
  for (const base of model.stores.filter((store) => store.base && needsVersion(model, scenario, operations, store))) {
    const name = `${base.entity}.version`
    base.columns.push({ name, entity: base.entity, field: name, type: 'int', scale: 0, role: 'version' })
    base.reason += isGuarded(operations, base)
      ? '; its rows are changed under a guard: each has a version, so that what was compared is what is changed'
      : '; its rows are changed and deleted: each has a version, so that a change cannot bring back a part of one that is gone'
    for (const store of model.stores) if (!store.base && isOf(base, store.entity)) store.timed = true
  }
}

/** The column that says which version of a row, and of the lines beside it, a base table holds. */
export const versionOf = (store: Store): StoreColumn | undefined => store.columns.find((column) => column.role === 'version')

/** What of a transaction is excused is never done, and what it writes are rows of their own or whole ones: single operations change and delete. */
function needsVersion({ stores }: PhysicalModel, { entities }: Scenario, operations: Operation[], base: Store): boolean {
  const { owner } = entities.find((entity) => entity.name === base.entity) as Entity
  const isDeleted = operations.some(({ kind, entity }) => kind === 'delete' && entity === (owner?.entity ?? base.entity))
  const isChanged = operations.some((operation) => operation.kind === 'update' && operation.add.length === 0 && isOf(base, operation.entity))
  // A whole row that is put in one table is there or is not.
  const isPut = operations.some(({ kind, entity }) => kind === 'put' && entity === base.entity)
  return isGuarded(operations, base) || (isDeleted && (isChanged || (isPut && stores.some((store) => !store.base && store.entity === base.entity))))
}

const isGuarded = (operations: Operation[], base: Store) =>
  operations.some((operation) => operation.kind === 'update' && operation.guard !== undefined && isOf(base, operation.entity))

const isOf = (base: Store, entity: string) => base.entity === entity || base.embedded.includes(entity)
