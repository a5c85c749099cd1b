/** Rows of text as answers: what driver and wire client read alike. */
import { type Answer, decimalValue, type Value } from '../../data/value.ts'
import { entityOf, fieldOf, lineFields, type Operation, type OperationOf, type Scenario } from '../../scenario/scenario.ts'
import { decode } from './values.ts'

export type Rows = (string | null)[][]

/** `results`: the rows of each statement that returned some. */
export function answerOf(scenario: Scenario, op: Operation, results: Rows[]): Answer {
  const rows = results[0] ?? []
  switch (op.kind) {
    case 'get':
      return assembled(scenario, op, rows, results.slice(1))
    case 'aggregate':
      return { kind: 'groups', groups: rows.map((row) => group(scenario, op, row)) }
    case 'list':
    case 'search':
      return { kind: 'rows', rows: rows.map((row) => decoded(scenario, op.entity, op.fields, row)) }
    default:
      throw new Error(`${op.kind} returns no rows`)
  }
}

function decoded(scenario: Scenario, entityName: string, names: string[], row: (string | null)[]): Value[] {
  const entity = entityOf(scenario, entityName)
  return names.map((name, index) => decode(fieldOf(entity, name), row[index] as string | null))
}

/** The first statement joins the first owned entity, each other one has a statement of its own. */
function assembled(scenario: Scenario, op: OperationOf<'get'>, rows: Rows, others: Rows[]): Answer {
  if (rows.length === 0) return { kind: 'rows', rows: [] }
  const base = decoded(scenario, op.entity, op.fields, rows[0] as (string | null)[])
  const lines = op.with.map((owned, index) => {
    const fields = lineFields(entityOf(scenario, owned)).map((field) => field.name)
    const own = index === 0 ? rows.map((row) => row.slice(op.fields.length)).filter((row) => row[0] !== null) : (others[index - 1] as Rows)
    return own.map((row) => decoded(scenario, owned, fields, row))
  })
  return { kind: 'rows', rows: [[...base, ...lines]] }
}

function group(scenario: Scenario, op: OperationOf<'aggregate'>, row: (string | null)[]): Value[] {
  const entity = entityOf(scenario, op.entity)
  const values: Value[] = []
  let at = 0
  if (op.groupBy !== null) values.push(decode(fieldOf(entity, op.groupBy.field), row[at++] as string))
  values.push(Number(row[at++]))
  if (op.sum !== null) values.push(decimalValue(String(row[at]), fieldOf(entity, op.sum).scale))
  return values
}
