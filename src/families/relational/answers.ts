/** Rows of a product's cells as answers: what driver and wire client read alike. */
import { type Answer, decimalValue, type Value } from '../../data/value.ts'
import { entityOf, type Field, fieldOf, lineFields, type Operation, type OperationOf, type Scenario } from '../../scenario/scenario.ts'

/** The value of a cell; of what the product answers null is null. */
export type Decode<Cell> = (field: Field, cell: Cell) => Value

/** `results`: the rows of each statement that returned some. */
export function answerOf<Cell>(scenario: Scenario, op: Operation, results: Cell[][][], decode: Decode<Cell>): Answer {
  const rows = results[0] ?? []
  switch (op.kind) {
    case 'get':
      return assembled(scenario, op, results, decode)
    case 'aggregate':
      return { kind: 'groups', groups: rows.map((row) => group(scenario, op, row, decode)) }
    case 'list':
    case 'search':
      return { kind: 'rows', rows: rows.map((row) => decoded(scenario, op.entity, op.fields, row, decode)) }
    default:
      throw new Error(`${op.kind} returns no rows`)
  }
}

function decoded<Cell>(scenario: Scenario, entityName: string, names: string[], row: Cell[], decode: Decode<Cell>): Value[] {
  const entity = entityOf(scenario, entityName)
  return names.map((name, index) => decode(fieldOf(entity, name), row[index] as Cell))
}

/** The first statement joins the first owned entity, each other one has a statement of its own. */
function assembled<Cell>(scenario: Scenario, op: OperationOf<'get'>, [rows = [], ...others]: Cell[][][], decode: Decode<Cell>): Answer {
  if (rows.length === 0) return { kind: 'rows', rows: [] }
  const base = decoded(scenario, op.entity, op.fields, rows[0] as Cell[], decode)
  const lines = op.with.map((owned, index) => {
    const fields = lineFields(entityOf(scenario, owned)).map((field) => field.name)
    const own = index === 0 ? rows.map((row) => row.slice(op.fields.length)).filter((row) => row[0] !== null) : (others[index - 1] as Cell[][])
    return own.map((row) => decoded(scenario, owned, fields, row, decode))
  })
  return { kind: 'rows', rows: [[...base, ...lines]] }
}

function group<Cell>(scenario: Scenario, op: OperationOf<'aggregate'>, row: Cell[], decode: Decode<Cell>): Value[] {
  const entity = entityOf(scenario, op.entity)
  const values: Value[] = []
  let at = 0
  if (op.groupBy !== null) values.push(decode(fieldOf(entity, op.groupBy.field), row[at++] as Cell))
  values.push(Number(row[at++]))
  if (op.sum !== null) values.push(decimalValue(String(row[at]), fieldOf(entity, op.sum).scale))
  return values
}
