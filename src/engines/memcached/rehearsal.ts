/** What an operation asks the server, told by the operation itself: it is held with names in place of a call's values. */
import { RequestBuffer } from '../../clients/request.ts'
import { exampleOf } from '../../data/examples.ts'
import { parametersOf } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import { type Field, type Operation, writesOf } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { binaryFlag, type Layout, writeItem } from './item.ts'
import type { Call, MemcachedOperations, Said } from './operations.ts'

/** Every item is there, its line 1 with it, and lives for long; what is stored is stored. */
export function rehearsed({ scenario }: Compiled, operations: MemcachedOperations, op: Operation): string[] {
  const layout = operations.layout(op.entity)
  const found = { value: exampleItem(layout), cas: '?version' }
  const parameters = parametersOf(scenario, op)
  const keys = [`key.${layout.entity.key[0]}`, `row.${layout.entity.key[0]}`]
  const owner = parameters.find(({ name, entity }) => name === `key.${entity.key[0]}`)?.name
  const bound = (name: string): Value => {
    if (keys.includes(name) || name === owner) return `?${name}`
    const parameter = parameters.find((each) => each.name === name)
    if (parameter?.shape === 'lines') return []
    return parameter?.field == null ? 0 : exampleValue(parameter.field)
  }
  const shown: string[] = []
  const talk = operations.perform(op, bound)
  for (let said = talk.next(); said.done !== true; said = talk.next(answerTo(said.value, found))) shown.push(shownCall(said.value, op))
  return shown
}

const answerTo = ({ command }: Call, found: Said): Said => (command === 'get' || command === 'gets' ? found : 'done')

function shownCall(call: Call, op: Operation): string {
  if (!('item' in call)) return `${call.command} ${call.key}`
  const head = `${call.command} ${call.key} ${binaryFlag} ${call.seconds} <bytes>${call.cas === '' ? '' : ` ${call.cas}`}`
  return `${head}\n  ${valuesOf(call.layout, op).join(' ')}`
}

/** The fields of an item in their order; changed ones with what they become. */
function valuesOf({ fields, owned }: Layout, op: Operation): string[] {
  const [write] = writesOf(op)
  if (write?.kind !== 'update') {
    const lines = write?.kind === 'insert' ? write.with : []
    return [...fields.map(({ name }) => `?row.${name}`), ...owned.map(({ name }) => (lines.includes(name) ? `?lines.${name}` : `${name}[]`))]
  }
  const texts = new Map([
    ...write.set.map((each) => [each.field, each.to === 'constant' ? JSON.stringify(each.constant) : `?set.${each.field}`] as const),
    ...write.add.map(({ field, amount }) => [field, `${field}${amount < 0 ? '' : '+'}${amount}`] as const),
  ])
  const text = (of: string) => (field: Field) => (write.entity === of ? texts.get(field.name) : undefined) ?? field.name
  const host = owned.some(({ name }) => name === write.entity) ? '' : write.entity
  return [
    ...fields.map(text(host)),
    ...owned.map(({ name, fields: own }) => `${name}[${name === write.entity ? own.map(text(name)).join(' ') : ''}]`),
  ]
}

function exampleItem(layout: Layout): Buffer {
  const to = new RequestBuffer()
  const lines = layout.owned.map(({ fields }) => [fields.map((field, at) => (at === 0 ? 1 : exampleValue(field)))])
  const row = layout.fields.map((field) => (field.generator.kind === 'expiresAt' ? Number.MAX_SAFE_INTEGER : exampleValue(field)))
  writeItem(layout, { row, lines }, to)
  return to.bytes.subarray(0, to.length)
}

/** Line 1, where a line is meant. */
const exampleValue = (field: Field): Value => (field.generator.kind === 'line' ? 1 : exampleOf(field, 1))
