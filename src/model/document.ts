/** The document family: owned rows embedded while they stay small and nobody addresses them alone; compound indexes equality, sort, range. */
import { type Entity, type Operation, ownedBy, type Scenario, writesOf } from '../scenario/scenario.ts'
import type { Access, AccessStep, PhysicalModel, Store } from './model.ts'
import { merge, tablesOf } from './relational.ts'
import { rowBytes } from './sizes.ts'

const largestEmbeddedBytes = 1e6

export function documentModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const embedded = new Set(scenario.entities.filter((entity) => embeds(entity, operations)).map((entity) => entity.name))
  const excuses: PhysicalModel['excuses'] = []
  const tables = new Map(tablesOf(scenario, operations).map((store) => [store.name, store]))
  const stores = scenario.entities
    .filter((entity) => !embedded.has(entity.name))
    .map((entity): Store => {
      const table = tables.get(entity.name) as Store
      const inside = ownedBy(scenario, entity.name).filter((owned) => embedded.has(owned.name))
      // A collection has one text index; an index entry carries no extra columns, so a covered projection goes to the key's end.
      const texts = table.indexes.filter((index) => index.kind === 'text')
      for (const extra of texts.slice(1).flatMap((index) => index.serves)) {
        excuses.push({
          engine: '',
          operation: extra,
          reason: 'a collection has one text index, and another search uses it',
          bottleneck: 'text search',
        })
      }
      const indexes = table.indexes
        .filter((index) => index.kind !== 'text' || index === texts[0])
        .map((index) => ({ ...index, include: [], columns: [...index.columns, ...index.include.map((field) => ({ field, descending: false }))] }))
      const owned = inside.map((each) => `${each.name} embedded: at most ${Math.round(embeddedBytes(each))} bytes an owner, never addressed alone`)
      return {
        ...table,
        embedded: inside.map((each) => each.name),
        indexes: merge(indexes),
        references: table.references.filter((reference) => entity.owner === null || reference.field !== entity.key[0]),
        reason: [
          'one collection per entity that is addressed',
          ...owned,
          entity.owner === null ? '' : `not embedded in ${entity.owner.entity}: ${refusal(entity, operations)}`,
        ]
          .filter((part) => part !== '')
          .join('; '),
      }
    })
  const indexOf = (operation: Operation) =>
    stores.find((store) => store.name === operation.entity)?.indexes.find((index) => index.serves.includes(operation.name))?.name ?? null
  const excused = new Set(excuses.map((excuse) => excuse.operation))
  const accesses = operations
    .filter((operation) => !excused.has(operation.name))
    .map((operation) => accessOf(operation, embedded, indexOf(operation)))
  return { family: 'document', stores, accesses, excuses, emulations: [] }
}

/** Where embedded rows lie in their owner's document: under their entity's name, unless a field of the owner has it. */
export function embeddedName(owner: Entity, owned: string): string {
  return owner.fields.some((field) => field.name === owned) ? `_${owned}_rows` : owned
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
  return entity.owner !== null && embeddedBytes(entity) < largestEmbeddedBytes && addressedAlone(entity, operations) === undefined
}

function refusal(entity: Entity, operations: Operation[]): string {
  const alone = addressedAlone(entity, operations)
  return alone === undefined ? `an owner may hold ${Math.round(embeddedBytes(entity) / 1e3)} kB` : `${alone} addresses its rows alone`
}

function accessOf(operation: Operation, embedded: Set<string>, index: string | null): Access {
  const outside = (names: string[]) => names.filter((name) => !embedded.has(name))
  const read = (store: string, at: string | null): AccessStep => ({ action: 'read', store, index: at, requests: 1 })
  const { name, kind } = operation
  if (operation.kind === 'get')
    return { operation: name, kind, steps: [operation.entity, ...outside(operation.with)].map((store) => read(store, '_id')) }
  const writes = writesOf(operation)
  if (writes.length === 0) return { operation: name, kind, steps: [read(operation.entity, index)] }
  const steps = writes.flatMap((write) =>
    [write.entity, ...(write.kind === 'insert' ? outside(write.with) : [])].map(
      (store): AccessStep => ({ action: write.kind === 'delete' ? 'delete' : 'write', store, index: '_id', requests: 1 }),
    ),
  )
  return { operation: name, kind, steps }
}
