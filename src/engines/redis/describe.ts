/** Operations as they run, for reports: commands, the pages that the reading scripts read, and the very scripts that write. */
import { setsOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { entityOf, type Operation, type OperationOf, writesOf } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { isUnique, linesField } from './keys.ts'
import { isReversed, type RedisOperations } from './operations.ts'
import type { Step } from './write-scripts.ts'

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
  const set = setName(store)
  const fields = operation.kind === 'aggregate' ? [operation.groupBy?.field, operation.sum].filter((name) => name != null) : operation.fields
  const row = `HMGET ${store.entity}:<key> ${(fields.length === 0 ? ['the key'] : fields).join(' ')}`
  if (isUnique(store)) return `script: HGET ${store.name}: <${store.partition[0]}>; ${row}`
  const command = operation.kind === 'list' && isReversed(operation) ? 'ZREVRANGEBYLEX' : 'ZRANGEBYLEX'
  const range = operation.kind === 'aggregate' && operation.over !== null ? '[<from> (<to>' : command === 'ZRANGEBYLEX' ? '- +' : '+ -'
  const limit = operation.kind === 'aggregate' ? '' : ` LIMIT 0 ${operation.limit}`
  return `script: ${command} ${set} ${range}${limit}; for each member ${row}`
}

function write(compiled: Compiled, { writes }: RedisOperations, operation: Operation): string {
  const form = writes.form(operation)
  const entity = entityOf(compiled.scenario, operation.entity)
  if (form === 'DEL') return `DEL ${entity.name}:<${entity.key.join(', ')}>`
  if (form === 'script') return writes.scripts.get(operation.name)?.text ?? ''
  const commands = writesOf(operation).flatMap((step) => newRow(compiled, step))
  return commands.length === 1 ? (commands[0] as string) : ['MULTI', ...commands, 'EXEC'].join('\n')
}

/** The commands of a new row: its hash, its life, the sets it stands in; those of its lines where they are rows of their own. */
function newRow(compiled: Compiled, step: Step): string[] {
  const { stores } = compiled.model
  const entity = entityOf(compiled.scenario, step.entity)
  const hash = `${entity.name}:<${entity.key.join(', ')}>`
  const embedded = stores.find((store) => store.base && store.entity === entity.name)?.embedded ?? []
  const lines = step.kind === 'insert' ? step.with : []
  const fields = [...entity.fields.map(({ name }) => name), ...lines.filter((name) => embedded.includes(name)).map(linesField)]
  return [
    `HSET ${hash} ${fields.map((name) => `${name} <${name}>`).join(' ')}`,
    ...(entity.ttlMs === null ? [] : [`PEXPIRE ${hash} <life>`]),
    ...setsOf(stores, entity.name).map((store) => `ZADD ${setName(store)} 0 <member>`),
    ...lines.filter((name) => !embedded.includes(name)).flatMap((name) => newRow(compiled, { kind: 'insert', entity: name, with: [] })),
  ]
}

const setName = ({ name, partition }: Store) => `${name}:${partition.length === 0 ? '' : `<${partition.join(', ')}>`}`
