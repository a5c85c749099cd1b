/** The relational family: third normal form, and an index for every access that needs one. */
import { type Entity, type Operation, ownedBy, type Scenario, writesOf } from '../scenario/scenario.ts'
import type { Access, AccessStep, Index, PhysicalModel, Store } from './model.ts'
import { single } from './model.ts'
import { changedFields, namedOperations, rowBytes } from './sizes.ts'

const mostCoveredBytes = 64

export function relationalModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const stores = scenario.entities.map((entity) => tableOf(scenario, entity, operations))
  const indexOf = (operation: Operation) =>
    stores.find((store) => store.name === operation.entity)?.indexes.find((index) => index.serves.includes(operation.name))?.name ?? null
  const emulations = stores.flatMap((store) =>
    store.expiry === null
      ? []
      : [{ operation: `expiry of ${store.name}`, how: 'emulated: expired rows are purged in batches, as part of the measured work' }],
  )
  return { family: 'relational', stores, accesses: operations.map((operation) => accessOf(operation, indexOf(operation))), excuses: [], emulations }
}

function tableOf(scenario: Scenario, entity: Entity, operations: Operation[]): Store {
  const named = namedOperations(operations)
  const expiry = entity.ttlMs === null ? null : { field: 'expires_at', ttlMs: entity.ttlMs }
  return {
    name: entity.name,
    base: true,
    entity: entity.name,
    columns: entity.fields.map((field) => ({
      name: field.name,
      entity: entity.name,
      field: field.name,
      type: field.type,
      scale: field.scale,
      role: entity.key.includes(field.name) ? 'key' : 'value',
    })),
    partition: entity.key,
    clustering: [],
    bucket: null,
    embedded: [],
    indexes: merge(wantedIndexes(entity, named)),
    references: [
      ...entity.fields.flatMap((field) => (field.generator.kind === 'reference' ? [{ field: field.name, entity: field.generator.entity }] : [])),
      ...(entity.owner === null ? [] : [{ field: entity.key[0] as string, entity: entity.owner.entity }]),
    ],
    expiry,
    serves: named.filter((operation) => operation.entity === entity.name).map((operation) => operation.name),
    reason:
      entity.owner === null
        ? `one table per entity, primary key ${entity.key[0]}${ownedBy(scenario, entity.name).length > 0 ? '; its owned rows are reached by the prefix of their key' : ''}`
        : `owned by ${entity.owner.entity}: the primary key (${entity.key.join(', ')}) keeps the lines of an owner together`,
  }
}

function wantedIndexes(entity: Entity, operations: Operation[]): Index[] {
  const wanted: Index[] = []
  const add = (part: Partial<Index> & Pick<Index, 'columns' | 'reason'>) => {
    wanted.push({ name: '', kind: 'ordered', include: [], where: [], unique: false, serves: [], ...part })
  }
  const changed = changedFields(operations, entity)
  for (const field of entity.fields) {
    if (field.unique && !entity.key.includes(field.name))
      add({ columns: [{ field: field.name, descending: false }], unique: true, reason: `${field.name} is unique` })
  }
  for (const operation of operations) {
    if (operation.entity !== entity.name) continue
    if (operation.kind === 'list' || operation.kind === 'aggregate') {
      const equal = operation.where.filter((filter) => filter.constant === null).map((filter) => ({ field: filter.field, descending: false }))
      const constants = operation.where.filter((filter) => filter.constant !== null)
      const ordered =
        operation.kind === 'list' ? operation.order : operation.over === null ? [] : [{ field: operation.over.field, descending: false }]
      const columns = [...equal, ...ordered.filter((order) => equal.every((each) => each.field !== order.field))]
      if (columns.length === 0) continue
      const projection = operation.kind === 'list' ? operation.fields : [operation.groupBy?.field, operation.sum].filter((name) => name != null)
      const rest = projection.filter((name) => columns.every((column) => column.field !== name))
      const narrow = rest.length > 0 && rowBytes(entity, rest) <= mostCoveredBytes && rowBytes(entity, projection) <= rowBytes(entity) / 2
      const include = narrow && rest.every((name) => !changed.has(name)) ? rest : []
      const parts = [
        equal.length > 0 ? `equality on ${equal.map((each) => each.field).join(', ')}` : '',
        ordered.length > 0 ? `${operation.kind === 'list' ? 'order' : 'range'} by ${ordered.map((each) => each.field).join(', ')}` : '',
        include.length > 0 ? `covers ${include.join(', ')}: narrow and never changed` : '',
        constants.length > 0 ? `partial: ${constants.map((each) => `${each.field} is constant`).join(', ')}` : '',
      ]
      add({
        columns,
        include,
        where: constants,
        serves: [operation.name],
        reason: `${operation.name}: ${parts.filter((part) => part !== '').join('; ')}`,
      })
    }
    if (operation.kind === 'search') {
      add({
        kind: 'text',
        columns: operation.in.map((field) => ({ field, descending: false })),
        serves: [operation.name],
        reason: `${operation.name}: whole words of ${operation.in.join(', ')}`,
      })
    }
  }
  if (entity.ttlMs !== null)
    add({ kind: 'expiry', columns: [{ field: 'expires_at', descending: false }], reason: 'expired rows are purged in batches' })
  return wanted
}

/** An index that is a prefix of another is merged into it; names are given at the end. */
export function merge(wanted: Index[]): Index[] {
  const text = (index: Index) => index.columns.map((column) => `${column.field}${column.descending ? '-' : ''}`)
  const sameKind = (a: Index, b: Index) => a.kind === b.kind && JSON.stringify(a.where) === JSON.stringify(b.where)
  const kept: Index[] = []
  for (const index of [...wanted].sort((a, b) => b.columns.length - a.columns.length)) {
    const own = text(index)
    const host = kept.find((each) => !index.unique && sameKind(each, index) && own.every((column, at) => text(each)[at] === column))
    if (host === undefined) kept.push({ ...index })
    else {
      host.serves = [...host.serves, ...index.serves]
      host.include = [...new Set([...host.include, ...index.include.filter((name) => host.columns.every((column) => column.field !== name))])]
      host.reason = `${host.reason} · ${index.reason}`
    }
  }
  return kept.map((index) => ({
    ...index,
    name: `${index.kind === 'ordered' ? '' : `${index.kind}_`}${index.columns.map((column) => column.field).join('_')}`.slice(0, 44),
  }))
}

function accessOf(operation: Operation, index: string | null): Access {
  if (operation.kind === 'get') {
    const owned = operation.with.map((store): AccessStep => ({ action: 'read', store, index: 'primary key', requests: 1 }))
    return {
      operation: operation.name,
      kind: 'get',
      steps: [{ action: 'read', store: operation.entity, index: 'primary key', requests: 1 }, ...owned],
    }
  }
  const writes = writesOf(operation)
  if (writes.length === 0) return single(operation, 'read', operation.entity, index)
  const steps = writes.flatMap((write) => {
    const action = write.kind === 'delete' ? 'delete' : 'write'
    return [write.entity, ...(write.kind === 'insert' ? write.with : [])].map((store): AccessStep => ({ action, store, index: null, requests: 1 }))
  })
  return { operation: operation.name, kind: operation.kind, steps }
}
