/** Products that find rows by their keys alone: an item per row, with its owned rows inside. What is no single item is declined. */
import { type Entity, entityOf, type Operation, ownedBy, renewsLife, rootOf, type Scenario, type Write, writesOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import { type AccessStep, type Excuse, type PhysicalModel, type Store, single } from '../model.ts'
import { namedOperations } from '../sizes.ts'
import { column, emptyStore } from '../wide-column/stores.ts'

export function itemModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const model: PhysicalModel = { family: 'key-value', stores: [], accesses: [], excuses: [], emulations: [] }
  for (const entity of scenario.entities) if (entity.owner === null) model.stores.push(itemStore(scenario, entity, operations))
  for (const operation of operations) {
    const excuse = excuseOf(scenario, operation)
    if (excuse === null) addAccess(model, scenario, operation)
    else model.excuses.push({ engine: '', operation: operation.name, ...excuse })
  }
  return model
}

/** The entity whose items hold the rows of an entity: itself, or its owner. */
export function hostOf(scenario: Pick<Scenario, 'entities'>, name: string): Entity {
  return rootOf(scenario, entityOf(scenario, name))
}

/** Whether a write must know the item that is there: it keeps some of it. */
export function readsFirst(scenario: Pick<Scenario, 'entities'>, { kind, entity }: Pick<Write, 'kind'> & { entity: string }): boolean {
  if (kind === 'delete') return entityOf(scenario, entity).ttlMs !== null || entityOf(scenario, entity).tenant !== undefined
  return kind === 'update' || (kind === 'put' && ownedBy(scenario, entity).length > 0)
}

function itemStore(scenario: Scenario, entity: Entity, operations: Operation[]): Store {
  const inside = ownedBy(scenario, entity.name).map((owned) => owned.name)
  return {
    ...emptyStore(entity.name, entity),
    base: true,
    columns: entity.fields.map((field) => column(entity, field, entity.key.includes(field.name) ? 'key' : 'value')),
    partition: entity.key,
    embedded: inside,
    serves: namedOperations(operations)
      .filter((operation) => excuseOf(scenario, operation) === null && hostOf(scenario, operation.entity).name === entity.name)
      .map((operation) => operation.name),
    reason: ['an item per row, all fields in one value', ...inside.map((name) => `${name} inside its owner's item`)].join('; '),
  }
}

type Why = Pick<Excuse, 'reason' | 'bottleneck'>

function excuseOf(scenario: Scenario, operation: Operation): Why | null {
  const { name, kind } = operation
  if (kind === 'list' || kind === 'search' || kind === 'aggregate')
    return { reason: `${name} asks for rows by something else than their key: nothing in this server finds them`, bottleneck: 'access by key alone' }
  if (kind === 'transaction')
    return {
      reason: `${name} writes several rows together: every item of this server stands for itself`,
      bottleneck: 'transactions over several items',
    }
  const unique = writesOf(operation).flatMap((write) => uniqueValues(scenario, write))[0]
  return unique === undefined
    ? null
    : {
        reason: `${name} writes ${unique}, which is unique: nothing in this server knows who has a value`,
        bottleneck: 'unique values beside the key',
      }
}

/** Unique fields, besides the key, that a write gives values. */
function uniqueValues(scenario: Scenario, write: Write & { entity: string }): string[] {
  if (write.kind === 'delete') return []
  const names = [write.entity, ...(write.kind === 'insert' ? write.with : [])]
  return names.flatMap((name) => {
    const { fields, key } = entityOf(scenario, name)
    const written = write.kind === 'update' ? fields.filter((field) => write.set.some((each) => each.field === field.name)) : fields
    return written.filter((field) => field.unique && !key.includes(field.name)).map((field) => `${name}.${field.name}`)
  })
}

function addAccess(model: PhysicalModel, scenario: Scenario, operation: Operation): void {
  const { name: store } = hostOf(scenario, operation.entity)
  const emulate = (how: string) => model.emulations.push({ operation: operation.name, how: `emulated: ${how}` })
  const [write] = writesOf(operation)
  const entity = entityOf(scenario, operation.entity)
  if ((operation.kind === 'get' || operation.kind === 'update') && tenantAskedOf(entity, operation) !== null)
    emulate('the tenant of a row is compared by the client, once its item is read')
  if (write === undefined) {
    if (store !== operation.entity) emulate(`the whole item of its ${store} is read`)
    model.accesses.push(single(operation, 'read', store))
    return
  }
  const last: AccessStep = { action: write.kind === 'delete' ? 'delete' : 'write', store, index: null, requests: 1 }
  const first: AccessStep[] = readsFirst(scenario, write) ? [{ action: 'read first', store, index: null, requests: 1 }] : []
  if (first.length > 0)
    emulate(
      write.kind === 'delete'
        ? `the item is read, because one that ${[...(entity.ttlMs === null ? [] : ['has expired']), ...(entity.tenant === undefined ? [] : ['is of another tenant'])].join(' or ')} is not there`
        : renewsLife(entity, write)
          ? "the item is read and stored again with its new end, unless it has changed meanwhile: the server's own touch would change how long it keeps the item, not the end that readers compare"
          : 'the item is read, changed by the client, and written unless it has changed meanwhile, else read again',
    )
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps: [...first, last] })
}
