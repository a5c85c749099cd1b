/** What an operation asks the server, told by the operation itself: its conversation, held with an example row in place of a server. */
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import type { Store } from '../../families/model.ts'
import { type Entity, entityOf, type Field, fieldOf, lineFields, type Operation, type Scenario } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { selectPartition } from './cql.ts'
import { CassandraOperations } from './operations.ts'
import type { Cql, CqlResult, Request, StoredRow } from './talk.ts'

/** The distinct requests in their order; those that are one logged batch as one text. Nobody has a value that is claimed. */
export function rehearsed(compiled: Compiled<string>, operation: number): string[] {
  const { scenario, model } = compiled
  const op = compiled.operations[operation] as Operation
  const parameters = parametersOf(scenario, op)
  const bound = (name: string) => exampleOf(scenario, op, parameters.find((each) => each.name === name) as Parameter)
  const talk = new CassandraOperations(compiled).perform(operation, bound)
  const texts = new Set<string>()
  let answers: CqlResult[] = []
  for (;;) {
    const said = talk.next(answers)
    if (said.done === true) return [...texts]
    for (const request of said.value) texts.add(textOf(request))
    answers = said.value.map(({ statements: [first] }) => ({ rows: [answerTo(first as Cql, model.stores, scenario)], pageState: null }))
  }
}

function textOf({ statements }: Request): string {
  const queries = [...new Set(statements.map(({ query }) => query))]
  return queries.length === 1 ? (queries[0] as string) : ['BEGIN BATCH', ...queries.map((query) => `  ${query};`), 'APPLY BATCH'].join('\n')
}

/** Of a partition the example row; whoever claims a value gets it. */
function answerTo({ query }: Cql, stores: Store[], scenario: Scenario): StoredRow {
  const store = stores.find((each) => selectPartition(each) === query)
  if (store === undefined) return { '[applied]': true }
  return Object.fromEntries(
    store.columns.map(({ name, entity, field, role }) => {
      const [own] = field.split(' ') as [string]
      return [name, role === 'bucket' ? 1 : storedExample(fieldOf(entityOf(scenario, entity), own))]
    }),
  )
}

/** What is set, or put in place of a row, differs from what the row has; rows of one call have keys of their own. */
function exampleOf(scenario: Scenario, op: Operation, { name, field, shape }: Parameter): Value {
  const [, at = '0', own] = /^(?:(\d+)\.)?(.*)$/.exec(name) as unknown as [string, string | undefined, string]
  if (shape === 'now') return 0
  if (shape === 'lines') {
    const fields = lineFields(entityOf(scenario, own.slice('lines.'.length)))
    return [fields.map((each) => example(each, first))]
  }
  if (field === null) return false
  const step = op.kind === 'transaction' ? (op.steps[Number(at)]?.entity ?? op.entity) : op.entity
  return example(field, isChanged(own, entityOf(scenario, step)) ? second : first + Number(at))
}

const [first, second] = [1, 2]

const isChanged = (name: string, entity: Entity) =>
  name.startsWith('set.') || (name.startsWith('row.') && !entity.key.includes(name.slice('row.'.length)))

function example({ type, generator }: Field, which: number): Value {
  switch (type) {
    case 'uuid':
    case 'bytes':
      return Buffer.alloc(16, which)
    case 'int':
    case 'decimal':
    case 'timestamp':
      return which
    case 'bool':
      return which === first
    case 'json':
      return {}
    case 'enum':
      return (generator.kind === 'enum' ? generator.values[which - 1] : undefined) ?? 'value'
    default:
      return `word${which}`
  }
}

/** As the server returns it. */
function storedExample(field: Field): Value {
  const value = example(field, first)
  if (field.type === 'json') return JSON.stringify(value)
  return field.type === 'decimal' ? String(value) : value
}
