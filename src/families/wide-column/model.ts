/** The wide-column family: a base table by key, one table per list and aggregate, a token store per search. Queries decide the tables. */
import { entityOf, type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import type { AccessStep, PhysicalModel } from '../model.ts'
import { addQueryStore, addTokenStore, type Excused } from './queries.ts'
import { addStore, baseStore, baseStores, storesOfEntity, uniqueStores } from './stores.ts'

export function wideColumnModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const model: PhysicalModel = { family: 'wide-column', stores: baseStores(scenario, operations), accesses: [], excuses: [], emulations: [] }
  const excuse: Excused = (operation, reason, bottleneck) => model.excuses.push({ engine: '', operation: operation.name, reason, bottleneck })
  for (const store of uniqueStores(scenario)) addStore(model, store)
  for (const operation of operations) {
    const entity = entityOf(scenario, operation.entity)
    if (operation.kind === 'list' || operation.kind === 'aggregate') addQueryStore(model, scenario, operation, entity, excuse)
    if (operation.kind === 'search') addTokenStore(model, operation, entity)
    if (operation.kind === 'get') {
      const apart = operation.with.filter((name) => model.stores.some((store) => store.name === name))
      const steps = [baseStore(model.stores, entity.name).name, ...apart].map(
        (store): AccessStep => ({ action: 'read', store, index: 'partition', requests: 1 }),
      )
      if (apart.length > 0)
        model.emulations.push({
          operation: operation.name,
          how: `emulated: ${apart.length} more read${apart.length > 1 ? 's' : ''}, joined by the client`,
        })
      model.accesses.push({ operation: operation.name, kind: 'get', steps })
    }
  }
  // Writes come last: they touch every store that the reads asked for.
  for (const operation of operations) if (writesOf(operation).length > 0) addWrite(model, operation, scenario, excuse)
  return model
}

function addWrite(model: PhysicalModel, operation: Operation, scenario: Scenario, excuse: Excused): void {
  const writes = writesOf(operation)
  const changing = writes.filter((write) => write.kind === 'update' || write.kind === 'delete')
  if (operation.kind === 'transaction' && changing.length > 0) {
    excuse(
      operation,
      `${operation.name} needs an atomic multi-row update across partitions`,
      'transactions: a logged batch is atomic but cannot read what it changes',
    )
    return
  }
  if (writes.some((write) => write.kind === 'update' && write.add.length > 0)) {
    excuse(
      operation,
      `${operation.name} adds to a stored number: without a transaction concurrent additions would be lost`,
      'atomic read-modify-write',
    )
    return
  }
  const steps: AccessStep[] = []
  for (const write of writes) {
    const entity = entityOf(scenario, write.entity)
    const own = storesOfEntity(model, entity)
    const lines = write.kind === 'insert' ? write.with.flatMap((name) => storesOfEntity(model, entityOf(scenario, name))) : []
    const derived = own.some((store) => store.name !== baseStore(model.stores, entity.name).name)
    const readFirst = write.kind === 'update' || write.kind === 'delete' || (write.kind === 'put' && derived)
    if (readFirst) {
      steps.push({ action: 'read first', store: baseStore(model.stores, entity.name).name, index: 'partition', requests: 1 })
      model.emulations.push({ operation: operation.name, how: 'emulated: read before write' })
    }
    const changed = write.kind === 'update' ? write.set.map((each) => each.field) : null
    const touched =
      changed === null ? own : own.filter((store) => store.columns.some((each) => changed.some((field) => each.field.split(' ').includes(field))))
    for (const store of new Set([...touched, ...lines]))
      steps.push({ action: write.kind === 'delete' ? 'delete' : 'write', store: store.name, index: null, requests: 1 })
  }
  const written = model.stores.filter((store) => steps.some((step) => step.action !== 'read first' && step.store === store.name))
  const claimed = operation.kind === 'delete' ? [] : written.filter((store) => store.unique)
  if (claimed.length > 0)
    model.emulations.push({
      operation: operation.name,
      how: `emulated: a lightweight transaction claims the value of ${claimed.map((store) => store.partition[0]).join(', ')} before the write`,
    })
  const tables = new Set(written.filter((store) => !store.unique))
  if (tables.size > 1) model.emulations.push({ operation: operation.name, how: `one logged batch over ${tables.size} tables` })
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps })
}
