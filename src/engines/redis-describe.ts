/** Operations as they run, for reports: commands, the pages that the reading scripts read, and the very scripts that write. */
import type { Store } from '../model/model.ts'
import { entityOf, type Operation, type OperationOf, writesOf } from '../scenario/scenario.ts'
import type { Compiled } from './engine.ts'
import { isUnique } from './redis-keys.ts'
import { isReversed, type RedisOperations } from './redis-operations.ts'
import type { Step } from './redis-write-scripts.ts'

export function describe(compiled: Compiled, operations: RedisOperations, operation: Operation): string[] {
  switch (operation.kind) {
    case 'get':
      return get(compiled, operations, operation)
    case 'list':
    case 'search':
    case 'aggregate':
      return [page(operations.storeOf(operation.name), operation)]
    default:
      return [write(compiled, operations, operation)]
  }
}

function get(compiled: Compiled, operations: RedisOperations, operation: OperationOf<'get'>): string[] {
  const { fields, inside } = operations.fieldsOfGet(operation)
  const key = entityOf(compiled.scenario, operation.entity).key.join(', ')
  const apart = operation.with.filter((name) => !inside.includes(name))
  return [
    `HMGET ${operation.entity}:<${key}> ${[...new Set(fields)].join(' ')}`,
    ...apart.map((name) => `script: ZRANGEBYLEX ${name}.of.${operation.entity}:<${key}> - +; for each member HMGET ${name}:<key>`),
  ]
}

function page(store: Store, operation: OperationOf<'list' | 'search' | 'aggregate'>): string {
  const set = `${store.name}:${store.partition.length === 0 ? '' : `<${store.partition.join(', ')}>`}`
  const fields = operation.kind === 'aggregate' ? [operation.groupBy?.field, operation.sum].filter((name) => name != null) : operation.fields
  const row = `HMGET ${store.entity}:<key> ${(fields.length === 0 ? ['the key'] : fields).join(' ')}`
  if (isUnique(store)) return `script: HGET ${store.name}: <${store.partition[0]}>; ${row}`
  const command = operation.kind === 'list' && isReversed(operation) ? 'ZREVRANGEBYLEX' : 'ZRANGEBYLEX'
  const range = operation.kind === 'aggregate' && operation.over !== null ? '[<from> (<to>' : command === 'ZRANGEBYLEX' ? '- +' : '+ -'
  const limit = operation.kind === 'aggregate' ? '' : ` LIMIT 0 ${operation.limit}`
  return `script: ${command} ${set} ${range}${limit}; for each member ${row}`
}

function write(compiled: Compiled, { writes }: RedisOperations, operation: Operation): string {
  const native = writes.native(operation)
  const [first] = writesOf(operation) as [Step, ...Step[]]
  const entity = entityOf(compiled.scenario, first.entity)
  const hash = `${entity.name}:<${entity.key.join(', ')}>`
  if (native === 'DEL') return `DEL ${hash}`
  if (native === 'HSET') return `HSET ${hash} ${entity.fields.map(({ name }) => `${name} <${name}>`).join(' ')}`
  return writes.scripts.get(operation.name)?.text ?? ''
}
