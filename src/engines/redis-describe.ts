/** Operations as an operator would type them, for reports. */
import type { PhysicalModel, Store } from '../model/model.ts'
import { type Entity, type Operation, writesOf } from '../scenario/scenario.ts'

export function describe(model: PhysicalModel, entity: Entity, operation: Operation): string[] {
  const access = model.accesses.find((each) => each.operation === operation.name)
  const stores = (access?.steps ?? []).map((step) => ({ step, store: model.stores.find((each) => each.name === step.store) as Store }))
  if (operation.kind === 'get')
    return stores.map(({ store }) =>
      store.entity === entity.name
        ? `HMGET ${hash(store)} ${[...operation.fields, ...operation.with.filter((name) => store.embedded.includes(name))].join(' ')}`
        : `page of ${store.entity} by its owner`,
    )
  if (operation.kind === 'list' || operation.kind === 'search' || operation.kind === 'aggregate') {
    const [first] = stores
    if (first === undefined) return []
    const fields = operation.kind === 'aggregate' ? [operation.groupBy?.field, operation.sum].filter((name) => name != null) : operation.fields
    const reversed = first.store.clustering.at(-1)?.descending === true ? 'REV ' : ''
    const limit = operation.kind === 'aggregate' ? '' : ` LIMIT 0 ${operation.limit}`
    return [`script: ZRANGE ${set(first.store)} BYLEX ${reversed}${limit.trim()}; for each member HMGET ${entity.name}:<key> ${fields.join(' ')}`]
  }
  return stores.map(({ step, store }) => {
    if (step.action === 'read first') return `HMGET ${hash(store)} (the fields that place the row in its sets)`
    const what = store.base
      ? step.action === 'delete'
        ? `DEL ${hash(store)}`
        : `${hashCommand(operation, store)} ${hash(store)}`
      : `${step.action === 'delete' ? 'ZREM' : 'ZADD'} ${set(store)}`
    return `script: ${what}`
  })
}

/** Additions are the server's own arithmetic. */
function hashCommand(operation: Operation, store: Store): string {
  const updates = writesOf(operation).filter((write) => write.entity === store.entity && write.kind === 'update')
  const adds = updates.some((write) => write.kind === 'update' && write.add.length > 0)
  const sets = updates.length === 0 || updates.some((write) => write.kind === 'update' && write.set.length > 0)
  return [...(sets ? ['HSET'] : []), ...(adds ? ['HINCRBY'] : [])].join(' and ')
}

const hash = (store: Store) => `${store.entity}:<${store.partition.join(', ')}>`
const set = (store: Store) => `${store.name}:<${store.partition.join(', ')}>`
