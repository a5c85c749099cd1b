/** Unique values: each is claimed by a lightweight transaction of its own before the batch that writes the rows, and given back where another is taken. */
import { cqlError } from '../../clients/protocols/cql-errors.ts'
import { canonical, type Value } from '../../data/value.ts'
import type { Cql, CqlResult, StoredRow, Talk } from './talk.ts'

const claimsInFlight = 8

/** What is left to write once all values are claimed; `claims` gains those that nobody had. @throws ServerError where another row has a value. */
export function* claimed(statements: Cql[], consistency: number, claims: Cql[]): Talk<Cql[]> {
  const wanted = statements.filter((statement) => statement.claim !== undefined)
  const applied: Cql[] = []
  let taken: Cql | null = null
  for (let from = 0; from < wanted.length; from += claimsInFlight) {
    const some = wanted.slice(from, from + claimsInFlight)
    const results = yield some.map(({ claim }) => ({ statements: [claim?.insert as Cql], consistency, pageState: null }))
    for (const [index, statement] of some.entries()) {
      const [row = {}] = (results[index] as CqlResult).rows
      if (row['[applied]'] === true) applied.push(statement)
      else if (!isOwn(statement, row)) taken = statement
    }
  }
  claims.push(...applied)
  // A value that the row has already is written again with it: its life is renewed.
  if (taken === null) return statements.filter((statement) => !applied.includes(statement))
  yield* released(claims, consistency)
  throw cqlError('Unique', `another row has this value of ${taken.columns[0]?.field}`)
}

/** Gives back what was claimed for a row that is not written. */
export function* released(claims: Cql[], consistency: number): Talk<void> {
  if (claims.length > 0) yield [{ statements: claims.map(({ claim }) => claim?.release as Cql), consistency, pageState: null }]
}

/** Whether the row that has the value is the one that is written. */
function isOwn({ claim }: Cql, found: StoredRow): boolean {
  const { columns, params } = (claim as NonNullable<Cql['claim']>).insert
  return columns.every((column, at) => column === null || canonical(found[column.name] as Value) === canonical(params[at] as Value))
}
