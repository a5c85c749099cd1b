/** What an operation asks the server, told by the operation itself: its conversation, held with an example row in place of a server. */
import { exampleOf } from '../../data/examples.ts'
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import type { Store } from '../../families/model.ts'
import { entityOf, type Field, fieldOf, type Operation, type Scenario } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import { selectPartition } from './cql.ts'
import { CassandraOperations } from './operations.ts'
import type { Cql, CqlResult, Request, StoredRow } from './talk.ts'

/** The distinct requests in their order; those that are one logged batch as one text. Nobody has a value that is claimed. */
export function rehearsed(compiled: Compiled<string>, operation: number): string[] {
  const { scenario, model } = compiled
  const op = compiled.operations[operation] as Operation
  const parameters = parametersOf(scenario, op)
  const bound = (name: string) => exampleFor(parameters.find((each) => each.name === name) as Parameter)
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

const [first, second] = [1, 2]

/** What is set, or put in place of a row, differs from what the row has; rows of one call have keys of their own. */
function exampleFor({ name, entity, field, shape, columns }: Parameter): Value {
  if (shape === 'now') return 0
  if (shape === 'lines') return [columns.map((column) => exampleOf(column, first))]
  if (field === null) return false
  const [, step = '0', own] = /^(?:(\d+)\.)?(.*)$/.exec(name) as unknown as [string, string | undefined, string]
  const isChanged = own.startsWith('set.') || (own.startsWith('row.') && !entity.key.includes(field.name))
  return exampleOf(field, isChanged ? second : first + Number(step))
}

/** As the server returns it. */
function storedExample(field: Field): Value {
  const value = exampleOf(field, first)
  if (field.type === 'json') return JSON.stringify(value)
  return field.type === 'decimal' ? String(value) : value
}
