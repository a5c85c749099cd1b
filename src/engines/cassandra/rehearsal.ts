/** What an operation asks the server, told by the operation itself: its conversation, held with an example row in place of a server. */
import { exampleOf } from '../../data/examples.ts'
import { heldBy } from '../../data/guard.ts'
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import { constantOf, decimalText, type Value } from '../../data/value.ts'
import type { Store } from '../../families/model.ts'
import { type Entity, entityOf, type Field, type Filter, fieldOf, type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { selectOwner, selectPartition, selectRow } from './cql.ts'
import { CassandraOperations } from './operations.ts'
import type { Cql, CqlResult, Request, StoredRow } from './talk.ts'

/** Constants that choose the rows of a store: the example row has them before it is written, or after. */
interface Chosen {
  entity: string
  where: Filter[]
  when: 'before' | 'after'
}

/** The distinct requests in their order, whichever stores a row belongs to; those that are one logged batch as one text. Nobody has a value that is claimed. */
export function rehearsed(compiled: Compiled<string>, operation: number): string[] {
  const op = compiled.operations[operation] as Operation
  return [...new Set(choicesFor(op, compiled.model.stores).flatMap((chosen) => asked(compiled, op, operation, chosen)))]
}

function choicesFor(op: Operation, stores: Store[]): (Chosen | null)[] {
  const written = writesOf(op).flatMap((write) => [write.entity, ...(write.kind === 'insert' ? write.with : [])])
  const choices = stores.flatMap(({ entity, where = [] }) =>
    where.length === 0 || !written.includes(entity) ? [] : (['before', 'after'] as const).map((when) => ({ entity, where, when })),
  )
  return choices.length === 0 ? [null] : choices
}

function asked(compiled: Compiled<string>, op: Operation, operation: number, chosen: Chosen | null): string[] {
  const { scenario, model } = compiled
  const parameters = parametersOf(scenario, op)
  const bound = (name: string) => exampleFor(parameters.find((each) => each.name === name) as Parameter, scenario, chosen)
  const talk = new CassandraOperations(compiled).perform(operation, bound)
  const texts: string[] = []
  let answers: CqlResult[] = []
  for (;;) {
    const said = talk.next(answers)
    if (said.done === true) return texts
    texts.push(...said.value.map(textOf))
    answers = said.value.map(({ statements: [first] }) => ({ rows: [answerTo(first as Cql, model.stores, scenario, chosen, op)], pageState: null }))
  }
}

function textOf({ statements }: Request): string {
  const queries = [...new Set(statements.map(({ query }) => query))]
  return queries.length === 1 ? (queries[0] as string) : ['BEGIN BATCH', ...queries.map((query) => `  ${query};`), 'APPLY BATCH'].join('\n')
}

/** Of a partition the example row; whoever claims a value gets it. */
function answerTo({ query }: Cql, stores: Store[], scenario: Scenario, chosen: Chosen | null, op: Operation): StoredRow {
  const store = stores.find((each) => [selectPartition, selectOwner, selectRow].some((text) => text(each) === query))
  if (store === undefined) return { '[applied]': true }
  return Object.fromEntries(
    store.columns.map(({ name, entity, field, role }) => {
      if (role === 'version') return [name, 0]
      const [own] = field.split(' ') as [string]
      return [name, role === 'bucket' ? 1 : storedExample(entityOf(scenario, entity), own, chosen, op)]
    }),
  )
}

const [first, second] = [1, 2]

/** What is set, or put in place of a row, differs from what the row has; rows of one call have keys of their own. */
function exampleFor({ name, entity, field, shape, columns }: Parameter, scenario: Scenario, chosen: Chosen | null): Value {
  if (shape === 'now') return 0
  if (shape === 'lines') {
    const owned = entityOf(scenario, name.slice(name.lastIndexOf('lines.') + 'lines.'.length))
    return [columns.map((column) => chosenValue(owned, column, chosen, 'after') ?? exampleOf(column, first))]
  }
  if (field === null) return false
  const [, step = '0', own] = /^(?:(\d+)\.)?(.*)$/.exec(name) as unknown as [string, string | undefined, string]
  const isChanged = own.startsWith('set.') || (own.startsWith('row.') && !entity.key.includes(field.name))
  if (isChanged) return chosenValue(entity, field, chosen, 'after') ?? exampleOf(field, second)
  return exampleOf(field, first + Number(step))
}

function chosenValue(entity: Entity, { name }: Field, chosen: Chosen | null, when: Chosen['when']): Value | undefined {
  const filter = chosen?.when === when && chosen.entity === entity.name ? chosen.where.find((each) => each.field === name) : undefined
  return filter === undefined ? undefined : constantOf(entity, name, filter.constant)
}

/** As the server returns it; a guard of the operation holds. */
function storedExample(entity: Entity, name: string, chosen: Chosen | null, op: Operation): Value {
  const field = fieldOf(entity, name)
  const guard = op.kind === 'update' && op.entity === entity.name && op.guard?.field === name ? op.guard : undefined
  const own = guard === undefined ? chosenValue(entity, field, chosen, 'before') : heldBy(entity, guard)
  if (own !== undefined) return field.type === 'decimal' ? decimalText(own as bigint, field.scale) : own
  const value = exampleOf(field, first)
  if (field.type === 'json') return JSON.stringify(value)
  return field.type === 'decimal' ? String(value) : value
}
