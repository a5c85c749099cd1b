/** The document family: owned rows embedded while they stay small and nobody addresses them alone; compound indexes equality, sort, range. */
import { type Entity, entityOf, type Operation, ownedBy, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Access, AccessStep, Emulation, Excuse, PhysicalModel, Store } from '../model.ts'
import { decisiveOrder, tablesOf } from '../relational/model.ts'
import { changedFields, namedOperations, rowBytes } from '../sizes.ts'
import { isQuery, servedByKey } from '../wanted-indexes.ts'
import { collectionIndexes } from './indexes.ts'
import { noTimeSeries } from './time-series.ts'

const maxEmbeddedBytes = 1e6
const maxDocumentBytes = 16e6
/** Of one message, and so of the owned rows of one insert that stand in a collection of their own. */
const maxMessageBytes = 48e6

export function documentModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const embedded = embeddedEntities(scenario, operations)
  const decisive = operations.map((operation) =>
    operation.kind === 'list' ? { ...operation, order: decisiveOrder(entityOf(scenario, operation.entity), operation.order) } : operation,
  )
  const stores = tablesOf(scenario, decisive)
    .filter((table) => !embedded.has(table.entity))
    .map((table) => collectionOf(scenario, table, decisive, embedded))
  const excuses = operations.flatMap((operation) => excuseOf(scenario, operation, embedded))
  const accesses = decisive
    .filter((operation) => excuses.every((excuse) => excuse.operation !== operation.name))
    .map((operation) => accessOf(scenario, operation, stores))
  return { family: 'document', stores, accesses, excuses, emulations: stores.flatMap((store) => narrowSearches(store, operations)) }
}

function collectionOf(scenario: Scenario, table: Store, operations: Operation[], embedded: Set<string>): Store {
  const entity = entityOf(scenario, table.entity)
  const inside = ownedBy(scenario, entity.name).filter((owned) => embedded.has(owned.name))
  const owned = inside.map((each) => `${each.name} embedded: at most ${Math.round(embeddedBytes(each))} bytes an owner, never addressed alone`)
  const apart = entity.owner === null ? [] : [`not embedded in ${entity.owner.entity}: ${refusal(entity, operations)}`]
  const series = noTimeSeries(scenario, entity, namedOperations(operations))
  const byKey = namedOperations(operations).filter((operation) => findsByKey(scenario, entity, operation, operations))
  return {
    ...table,
    embedded: inside.map((each) => each.name),
    indexes: collectionIndexes(
      entity,
      entity.owner !== null && entityOf(scenario, entity.owner.entity).ttlMs !== null,
      table.indexes,
      byKey.map((operation) => operation.name),
    ),
    references: table.references.filter((reference) => entity.owner === null || reference.field !== entity.key[0]),
    ...(series !== undefined && { division: { parts: null, why: series } }),
    reason: ['one collection per entity that is addressed', ...owned, ...apart, ...(series === undefined ? [] : [series])].join('; '),
  }
}

function findsByKey(scenario: Scenario, entity: Entity, operation: Operation, operations: Operation[]): boolean {
  return operation.entity === entity.name && isQuery(operation) && servedByKey(scenario, entity, operation, changedFields(operations, entity))
}

/** The text index finds a word in all that is searched; what only another search asks for is filtered by the server. */
function narrowSearches(store: Store, operations: Operation[]): Emulation[] {
  const columns = store.indexes.find((index) => index.kind === 'text')?.columns ?? []
  return operations.flatMap((operation) => {
    if (operation.kind !== 'search' || operation.entity !== store.entity) return []
    const others = columns.map((column) => column.field).filter((name) => !operation.in.includes(name))
    if (others.length === 0) return []
    return [{ operation: operation.name, how: `emulated: the one text index finds words of ${others.join(', ')} too, which are filtered out` }]
  })
}

function excuseOf(scenario: Scenario, operation: Operation, embedded: Set<string>): Excuse[] {
  const blind = removesLinesOfAny(scenario, operation, embedded)
  if (blind !== undefined) {
    const reason = `${operation.name} would remove rows of ${blind}, which stand apart, before the server has compared the tenant of their owner`
    return [{ engine: '', operation: operation.name, reason, bottleneck: 'a condition on one collection for a write to another' }]
  }
  const apart = writesOf(operation).flatMap((write) => (write.kind === 'insert' ? write.with.filter((name) => !embedded.has(name)) : []))
  const large = apart.find((name) => embeddedBytes(entityOf(scenario, name)) > maxMessageBytes)
  if (large === undefined) return []
  const reason = `${operation.name} inserts up to ${Math.round(embeddedBytes(entityOf(scenario, large)) / 1e6)} MB of ${large} at once: a message holds 48 MB`
  return [{ engine: '', operation: operation.name, reason, bottleneck: 'size of a message' }]
}

/** Owned rows in a collection of their own, which go before their owner does. */
function removesLinesOfAny(scenario: Scenario, operation: Operation, embedded: Set<string>): string | undefined {
  const removed = writesOf(operation).filter((write) => tenantAskedOf(entityOf(scenario, write.entity), write) !== null && write.kind === 'delete')
  return removed.flatMap((write) => ownedBy(scenario, write.entity)).find(({ name }) => !embedded.has(name))?.name
}

/** Where embedded rows lie in their owner's document: under their entity's name, unless a field of the owner has it. */
export function embeddedName(owner: Entity, owned: string): string {
  // An array called `constructor` is given back as bytes: the official driver looks its name up among the options of an object.
  return owned in Object.prototype || owner.fields.some((field) => field.name === owned) ? `_${owned}_rows` : owned
}

/** Bytes of the owned rows of one owner, at most. */
function embeddedBytes(owned: Entity): number {
  return (owned.owner?.most ?? 0) * (rowBytes(owned) + 16 * owned.fields.length)
}

function addressedAlone(owned: Entity, operations: Operation[]): string | undefined {
  return operations.find(
    (operation) => !operation.internal && (operation.entity === owned.name || writesOf(operation).some((write) => write.entity === owned.name)),
  )?.name
}

/** Owned rows that stay small and that no operation addresses alone live inside their owner. */
export function embeds(entity: Entity, operations: Operation[]): boolean {
  return entity.owner !== null && embeddedBytes(entity) < maxEmbeddedBytes && addressedAlone(entity, operations) === undefined
}

/** As far as a document holds them; a unique index would not tell two rows of one owner apart. */
function embeddedEntities(scenario: Scenario, operations: Operation[]): Set<string> {
  const embedded = new Set<string>()
  for (const owner of scenario.entities) {
    let bytes = rowBytes(owner)
    for (const owned of ownedBy(scenario, owner.name).filter((each) => embeds(each, operations) && uniqueField(each) === undefined)) {
      bytes += embeddedBytes(owned)
      if (bytes < maxDocumentBytes) embedded.add(owned.name)
    }
  }
  return embedded
}

const uniqueField = (entity: Entity) => entity.fields.find((field) => field.unique)?.name

function refusal(entity: Entity, operations: Operation[]): string {
  const alone = addressedAlone(entity, operations)
  if (alone !== undefined) return `${alone} addresses its rows alone`
  const unique = uniqueField(entity)
  return unique === undefined ? `an owner may hold ${Math.round(embeddedBytes(entity) / 1e3)} kB` : `${unique} is unique`
}

function accessOf(scenario: Scenario, operation: Operation, stores: Store[]): Access {
  const { name, kind } = operation
  const stands = (names: string[]) => names.filter((each) => stores.some((store) => store.name === each))
  const read = (store: string, index: string | null): AccessStep => ({ action: 'read', store, index, requests: 1 })
  if (operation.kind === 'get')
    return { operation: name, kind, steps: [operation.entity, ...stands(operation.with)].map((store) => read(store, '_id')) }
  const writes = writesOf(operation)
  if (writes.length === 0) return { operation: name, kind, steps: [read(operation.entity, indexOf(scenario, operation, stores))] }
  const steps = writes.flatMap((write) => {
    const action = write.kind === 'delete' ? 'delete' : 'write'
    const owned = write.kind === 'insert' ? write.with : write.kind === 'delete' ? ownedBy(scenario, write.entity).map((each) => each.name) : []
    const before = write.kind === 'update' && write.reads !== undefined ? [read(write.entity, '_id')] : []
    return [...before, ...[write.entity, ...stands(owned)].map((store): AccessStep => ({ action, store, index: '_id', requests: 1 }))]
  })
  return { operation: name, kind, steps }
}

function indexOf(scenario: Scenario, operation: Operation, stores: Store[]): string | null {
  const index = stores.find((store) => store.name === operation.entity)?.indexes.find((each) => each.serves.includes(operation.name))
  if (index !== undefined) return index.name
  return findsByKey(scenario, entityOf(scenario, operation.entity), operation, scenario.operations) ? '_id' : null
}
