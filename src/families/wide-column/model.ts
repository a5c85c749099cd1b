/** The wide-column family: a base table by key, one table per list and aggregate, a token store per search. Queries decide the tables. */
import { entityOf, type Operation, renewsLife, type Scenario, type Update, writesOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import { homeQuery, isKeyless } from '../keyless.ts'
import type { AccessStep, PhysicalModel, Store } from '../model.ts'
import { filterShare } from '../sizes.ts'
import { addQueryStore, addTokenStore, type Excused } from './queries.ts'
import { addStore, baseStore, baseStores, leaveBase, storesOfEntity, uniqueStores } from './stores.ts'
import { addVersions, versionOf } from './versions.ts'
import { windowDivision } from './windows.ts'

export function wideColumnModel(scenario: Scenario, operations: Operation[]): PhysicalModel {
  const model: PhysicalModel = { family: 'wide-column', stores: baseStores(scenario, operations), accesses: [], excuses: [], emulations: [] }
  const excuse: Excused = (operation, reason, bottleneck) => model.excuses.push({ engine: '', operation: operation.name, reason, bottleneck })
  for (const store of uniqueStores(scenario)) addStore(model, store)
  // A table of all rows serves who asks for those with a constant, too, and one of all columns who asks for few: they come first.
  const homes = new Set(scenario.entities.filter((entity) => isKeyless(scenario, entity)).map((entity) => homeQuery(scenario, entity)))
  const isLater = (operation: Operation) => (homes.has(operation.name) ? 0 : 1 + constantsOf(operation))
  for (const operation of [...operations].sort((a, b) => isLater(a) - isLater(b))) {
    const entity = entityOf(scenario, operation.entity)
    if (operation.kind === 'list' || operation.kind === 'aggregate') addQueryStore(model, scenario, operation, entity, excuse)
    if (operation.kind === 'search') addTokenStore(model, operation, entity)
  }
  for (const entity of scenario.entities) if (isKeyless(scenario, entity)) leaveBase(model, entity)
  addVersions(model, scenario, operations)
  for (const operation of operations) {
    if (operation.kind === 'get') {
      const entity = entityOf(scenario, operation.entity)
      const apart = operation.with.filter((name) => model.stores.some((store) => store.name === name))
      const steps = [baseStore(model.stores, entity.name).name, ...apart].map(
        (store): AccessStep => ({ action: 'read', store, index: 'partition', requests: 1 }),
      )
      if (apart.length > 0)
        model.emulations.push({
          operation: operation.name,
          how: `emulated: ${apart.length} more read${apart.length > 1 ? 's' : ''}, joined by the client`,
        })
      if (tenantAskedOf(entity, operation) !== null) model.emulations.push({ operation: operation.name, how: tenantCompared })
      model.accesses.push({ operation: operation.name, kind: 'get', steps })
    }
  }
  const position = new Map(operations.map((operation, at) => [operation.name, at]))
  const inOrder = (a: { operation: string | null }, b: { operation: string | null }) =>
    (position.get(a.operation ?? '') ?? 0) - (position.get(b.operation ?? '') ?? 0)
  for (const list of [model.accesses, model.emulations, model.excuses]) list.sort(inOrder)
  // Writes come last: they touch every store that the reads asked for.
  for (const operation of operations) if (writesOf(operation).length > 0) addWrite(model, operation, scenario, excuse)
  for (const store of model.stores) {
    const division = windowDivision(store, scenario)
    if (division !== undefined) Object.assign(store, { division, reason: `${store.reason}; ${division.why}` })
  }
  return model
}

/** Rows are found by keys that nobody guesses: a tenant in front of them would have to be known to whoever refers to one. */
const tenantCompared = 'emulated: the tenant of a row is compared by the client, once the row is read'

function constantsOf(operation: Operation): number {
  const where = operation.kind === 'list' || operation.kind === 'aggregate' ? operation.where : []
  return where.filter((filter) => filter.constant !== null).length
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
  const guarded = writes.find((write) => write.kind === 'update' && write.guard !== undefined)
  if (guarded !== undefined && isPutInBatch(scenario, guarded.entity)) {
    excuse(
      operation,
      `${operation.name} writes under a guard what a transaction puts, too: a row of a logged batch has no condition, and would come between the reading and the writing`,
      'transactions: a logged batch is atomic but cannot read what it changes',
    )
    return
  }
  if (guarded === undefined && writes.some((write) => write.kind === 'update' && write.add.length > 0)) {
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
      if (tenantAskedOf(entity, write) !== null) model.emulations.push({ operation: operation.name, how: tenantCompared })
    }
    const isTouch = renewsLife(entity, write)
    if (isTouch)
      model.emulations.push({
        operation: operation.name,
        how: 'emulated: the whole row is written again, because every cell has a time to live of its own',
      })
    const changed = write.kind === 'update' && !isTouch ? [...write.set, ...write.add].map((each) => each.field) : null
    const touched =
      changed === null ? own : own.filter((store) => store.columns.some((each) => changed.some((field) => each.field.split(' ').includes(field))))
    const left = (store: Store) => write.kind === 'delete' || (write.kind === 'update' && leaves(store, write))
    for (const store of new Set([...touched, ...lines]))
      steps.push({ action: left(store) ? 'delete' : 'write', store: store.name, index: null, requests: 1 })
    if (write.kind === 'update') sayMoves(model, scenario, operation, write, touched)
  }
  const written = model.stores.filter((store) => steps.some((step) => step.action !== 'read first' && step.store === store.name))
  const claimed = operation.kind === 'delete' ? [] : written.filter((store) => store.unique)
  if (claimed.length > 0)
    model.emulations.push({
      operation: operation.name,
      how: `emulated: a lightweight transaction claims the value of ${claimed.map((store) => store.partition[0]).join(', ')} before the write`,
    })
  const alone = written.filter((store) => isAlone(operation) && versionOf(store) !== undefined)
  if (alone.length > 0)
    model.emulations.push({
      operation: operation.name,
      how:
        guarded === undefined
          ? `emulated: a lightweight transaction on ${alone.map((store) => store.name).join(', ')} asks for the version that was read, and is tried again where another was faster: a row that is deleted stays deleted`
          : `emulated: the guard is compared with the row that was read, and again in a lightweight transaction on ${alone.map((store) => store.name).join(', ')}, which asks for the version that was read and is tried again where another was faster`,
    })
  const tables = new Set(written.filter((store) => !store.unique && !alone.includes(store)))
  if (tables.size > 1) model.emulations.push({ operation: operation.name, how: `one logged batch over ${tables.size} tables` })
  model.accesses.push({ operation: operation.name, kind: operation.kind, steps })
}

/** Whether a transaction that is not excused puts rows of an entity, or of what owns them. */
function isPutInBatch(scenario: Scenario, name: string): boolean {
  const { owner } = entityOf(scenario, name)
  return scenario.operations.some(
    (operation) =>
      operation.kind === 'transaction' &&
      operation.steps.every(({ kind }) => kind === 'insert' || kind === 'put') &&
      operation.steps.some((step) => step.kind === 'put' && step.entity === (owner?.entity ?? name)),
  )
}

/** An insert has a key that nobody else knows; in a transaction rows are put whole. */
const isAlone = ({ kind }: Operation) => kind === 'update' || kind === 'put' || kind === 'delete'

/** Whether a change takes a row out of a store of rows with a constant. */
function leaves({ where = [] }: Pick<Store, 'where'>, { set, add }: Update): boolean {
  const added = where.some(({ field }) => add.some((each) => each.field === field))
  return (
    added || where.some(({ field, constant }) => set.some((each) => each.field === field && each.to === 'constant' && each.constant !== constant))
  )
}

/** Until then no deletion is forgotten, so that a replica that was away for as long learns of it: the server's default. */
const tombstoneDays = 10

/** A column of a key is never changed in place. */
function sayMoves(model: PhysicalModel, scenario: Scenario, { name, ratePerSecond }: Operation, { set, add }: Update, touched: Store[]): void {
  const keys = (store: Store) => [...store.partition, ...store.clustering.map((each) => each.column)]
  const changed = [...set, ...add]
  const moved = touched.filter((store) => store.unique === undefined && changed.some(({ field }) => keys(store).includes(field)))
  if (moved.length === 0) return
  const fields = changed.map((each) => each.field).filter((field) => moved.some((store) => keys(store).includes(field)))
  const leaving = Math.max(...moved.map((store) => Math.min(ratePerSecond, arrivingPerSecond(scenario, store))))
  const tombstones = Math.round(leaving * tombstoneDays * 86_400).toLocaleString('en')
  const how = `emulated: ${fields.join(', ')} in the key of ${moved.map((store) => store.name).join(', ')}: a row is deleted where it stood and written where it stands, which leaves up to ${tombstones} tombstones in ${tombstoneDays} days`
  model.emulations.push({ operation: name, how })
}

/** Rows that come into a store, by being new or by a change to what it holds: not more of them leave it. A store of all rows is left with every move. */
function arrivingPerSecond(scenario: Scenario, { entity: name, where = [] }: Store): number {
  if (where.length === 0) return Number.POSITIVE_INFINITY
  const entity = entityOf(scenario, name)
  const share = where.reduce((product, filter) => product * filterShare(scenario, entity, filter), 1)
  const arriving = scenario.operations.flatMap((operation) =>
    writesOf(operation).map((write) => {
      if (write.entity !== name || write.kind === 'delete') return 0
      if (write.kind !== 'update') return operation.ratePerSecond * share
      const isChosen = write.set.some((each) => where.some((filter) => filter.field === each.field))
      return isChosen && !leaves({ where }, write) ? operation.ratePerSecond : 0
    }),
  )
  return arriving.reduce((sum, rate) => sum + rate, 0)
}
