/** Compiles operations on items. What each asks the server is told by the operation itself: it is held with names in place of a call's values. */
import { exampleOf } from '../data/examples.ts'
import { heldBy } from '../data/guard.ts'
import { parametersOf } from '../data/parameters.ts'
import type { Value } from '../data/value.ts'
import type { Engine, Limits } from '../engines/engine.ts'
import type { Layout } from '../families/key-value/item.ts'
import { conversation } from '../families/program.ts'
import { entityOf, type Field, type Operation, type Scenario, writesOf } from '../scenario/scenario.ts'
import { bytesOf, type Call, ItemOperations, type Refusals, type Said, type Storing } from './item-operations.ts'

/** What differs between products. */
interface ItemProduct {
  engine: string
  /** Of the server, as configured. */
  settings(limits: Limits): Record<string, string>
  refusals: Refusals
  /** A call in the product's own words; `values`: of the item that it stores, '' where it stores none. */
  shown(call: Call, values: string): string
}

/** The `compile` of a product that keeps no schema, and whose every operation is a conversation about one item. */
export function compileItems({ engine, settings, refusals, shown }: ItemProduct): Engine['compile'] {
  return (model, operations, scenario, durability) => {
    const limits = { cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }
    const talks = new ItemOperations({ scenario, operations }, refusals)
    const excused = new Set(model.excuses.map((excuse) => excuse.operation))
    const programs = operations.map((op) => (excused.has(op.name) ? null : conversation(op.name, rehearsed(scenario, talks, op, shown))))
    return { engine, durability, scenario, operations, model, ddl: [], afterLoad: [], programs, settings: settings(limits) }
  }
}

/** Every item is there, its line 1 with it, lives for long, and holds what a guard asks for; what is stored is stored. */
function rehearsed(scenario: Scenario, operations: ItemOperations, op: Operation, shown: ItemProduct['shown']): string[] {
  const layout = operations.layout(op.entity)
  const found = { value: exampleItem(scenario, layout, op), cas: '?version' }
  const parameters = parametersOf(scenario, op)
  const keys = [`key.${layout.entity.key[0]}`, `row.${layout.entity.key[0]}`]
  const owner = parameters.find(({ name, entity }) => name === `key.${entity.key[0]}`)?.name
  const bound = (name: string): Value => {
    if (keys.includes(name) || name === owner) return `?${name}`
    const parameter = parameters.find((each) => each.name === name)
    if (parameter?.shape === 'lines') return []
    return parameter?.field == null ? 0 : exampleValue(parameter.field)
  }
  const calls: string[] = []
  const talk = operations.talk(op, bound)
  for (let said = talk.next(); said.done !== true; said = talk.next(answerTo(said.value, found)))
    calls.push(shown(said.value, 'item' in said.value ? valuesOf(said.value, op) : ''))
  return calls
}

const answerTo = ({ command }: Call, found: Said): Said => (command === 'get' || command === 'gets' ? found : 'done')

/** The fields of an item in their order; changed ones with what they become. */
function valuesOf({ layout: { fields, owned } }: Storing, op: Operation): string {
  const [write] = writesOf(op)
  if (write?.kind !== 'update') {
    const lines = write?.kind === 'insert' ? write.with : []
    return [...fields.map(({ name }) => `?row.${name}`), ...owned.map(({ name }) => (lines.includes(name) ? `?lines.${name}` : `${name}[]`))].join(
      ' ',
    )
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
  ].join(' ')
}

function exampleItem(scenario: Scenario, layout: Layout, op: Operation): Buffer {
  const guard = op.kind === 'update' ? op.guard : undefined
  const value = (entity: string, field: Field) =>
    guard !== undefined && op.entity === entity && guard.field === field.name ? heldBy(entityOf(scenario, entity), guard) : exampleValue(field)
  const lines = layout.owned.map(({ name, fields }) => [fields.map((field, at) => (at === 0 ? 1 : value(name, field)))])
  const row = layout.fields.map((field) => (field.generator.kind === 'expiresAt' ? Number.MAX_SAFE_INTEGER : value(layout.entity.name, field)))
  return bytesOf({ layout, item: { row, lines } })
}

/** Line 1, where a line is meant. */
const exampleValue = (field: Field): Value => (field.generator.kind === 'line' ? 1 : exampleOf(field, 1))
