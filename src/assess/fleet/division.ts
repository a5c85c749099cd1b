/** What dividing the rows over shards does to the operations: who must ask every shard, and what is no longer atomic. */
import type { PlanFacts } from '../../engines/engine.ts'
import type { PhysicalModel, Store } from '../../families/model.ts'
import { type Entity, entityOf, fieldOf, type Operation, rootOf, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { addresses, type ShardKey, shardKeysOf } from './shard-key.ts'

export interface Division {
  /** Its work is done on every shard: nothing in the call says which. Sums over many rows are divided as the rows are. */
  crosses(operation: Operation): boolean
  /** Atomic on one server, and not on several. */
  isTorn(operation: Operation): boolean
}

export function divisionOf(scenario: Scenario, model: PhysicalModel, { topology, atomicity }: PlanFacts): Division {
  const keys = new Map<string, ShardKey | undefined>()
  const keyOf = (entity: Entity) => {
    if (!keys.has(entity.name)) keys.set(entity.name, shardKeysOf(scenario, entity)[0])
    return keys.get(entity.name)
  }
  const ownerOf = (name: string) => rootOf(scenario, entityOf(scenario, name))
  /** Rows of stores with the same home lie together: those of a customer, wherever they are. */
  const homeOf = (entity: Entity) => {
    const key = keyOf(entity)
    if (key === undefined) return entity.name
    const { generator } = fieldOf(entity, key.field)
    return generator.kind === 'reference' ? generator.entity : entity.name
  }
  /** A store that repeats rows for a query lies by what it is asked by. */
  const homeOfStore = (store: Store) => {
    const entity = ownerOf(store.entity)
    const isByKey = store.partition.length === 1 && store.partition[0] === keyOf(entity)?.field
    return store.base || isByKey ? homeOf(entity) : store.name
  }
  const touched = (operation: Operation) => {
    const steps = model.accesses.find((access) => access.operation === operation.name)?.steps ?? []
    return steps.flatMap((step) => model.stores.find((store) => store.name === step.store) ?? [])
  }
  return {
    crosses: (operation) => {
      if (topology.kind === 'ring' || operation.kind === 'aggregate') return false
      const entity = ownerOf(operation.entity)
      const key = keyOf(entity)
      return key !== undefined && !addresses(operation, entity, key)
    },
    isTorn: (operation) => {
      if (topology.kind === 'ring' || atomicity.acrossParts) return false
      const isWrite = writesOf(operation).length > 0
      if (!isWrite && !atomicity.readsToo) return false
      // What is found in a store of its own is read where the rows are.
      const stores = touched(operation).map(homeOfStore)
      const rows = [operation.entity, ...writesOf(operation).map((write) => write.entity)].map((name) => homeOf(ownerOf(name)))
      return new Set([...rows, ...stores]).size > 1
    },
  }
}
