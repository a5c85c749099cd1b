/** What an engine may decline of a scenario, by what it says of itself and by what an operation asks: anything else is a fault. */
import type { Capabilities } from '../../src/families/capabilities.ts'
import { scannedRows } from '../../src/families/key-value/model.ts'
import { needsNulls } from '../../src/families/selection.ts'
import { entityOf, fieldOf, type Operation, type Scenario, type Write, writesOf } from '../../src/scenario/scenario.ts'

/** In the order of the operations. */
export function permittedExcuses(capabilities: Capabilities, scenario: Scenario, operations: Operation[]): string[] {
  return operations
    .filter((operation) => !finds(capabilities, scenario, operation) || !isAtomic(capabilities, scenario, operation))
    .map(({ name }) => name)
}

function finds({ access, findsNulls, maxAggregatedRows }: Capabilities, scenario: Scenario, operation: Operation): boolean {
  if (operation.kind !== 'list' && operation.kind !== 'aggregate' && operation.kind !== 'search') return true
  if (access === 'keys') return false
  if (operation.kind === 'search') return true
  const entity = entityOf(scenario, operation.entity)
  const isRank = operation.kind === 'aggregate' && operation.before !== undefined
  // Who counts members of a set counts those that have expired, too.
  if (isRank && (access !== 'queries' || (maxAggregatedRows !== null && entity.ttlMs !== null))) return false
  if (!findsNulls && needsNulls(entity, operation) !== null) return false
  if (maxAggregatedRows !== null && scannedRows(scenario, entity, operation) > maxAggregatedRows) return false
  if (access === 'queries' || operation.where.length > 0) return true
  const first = operation.kind === 'list' ? operation.order[0]?.field : operation.over?.field
  return first !== undefined && fieldOf(entity, first).type === 'timestamp'
}

function isAtomic({ atomicity, rollback }: Capabilities, scenario: Scenario, operation: Operation): boolean {
  const writes = writesOf(operation)
  if (atomicity === 'rows')
    return rollback || !writes.some((write, at) => isGuarded(write) && writes.slice(0, at).some((before) => touches(scenario, before, write.entity)))
  if (atomicity === 'row') return operation.kind !== 'transaction' && !writes.some((write) => writesUnique(scenario, write))
  const changes = writes.filter((write) => write.kind === 'update' || write.kind === 'delete')
  return operation.kind === 'transaction'
    ? changes.length === 0
    : !changes.some((write) => write.kind === 'update' && write.add.length > 0 && !isGuarded(write))
}

const isGuarded = (write: Write) => write.kind === 'update' && write.guard !== undefined

/** Whether a write may change rows of an entity, which may be one that it owns. */
function touches(scenario: Scenario, write: Write & { entity: string }, entity: string): boolean {
  if (write.entity === entity) return true
  return write.kind === 'insert' ? write.with.includes(entity) : write.kind === 'delete' && entityOf(scenario, entity).owner?.entity === write.entity
}

/** A value that no other row may have: who has it must be known and kept together with the row. */
function writesUnique(scenario: Scenario, write: Write & { entity: string }): boolean {
  const isUnique = (name: string) =>
    entityOf(scenario, name).fields.some((field) => field.unique && !entityOf(scenario, name).key.includes(field.name))
  if (write.kind === 'delete') return false
  if (write.kind === 'update') return write.set.some(({ field }) => fieldOf(entityOf(scenario, write.entity), field).unique)
  return [write.entity, ...(write.kind === 'insert' ? write.with : [])].some(isUnique)
}
