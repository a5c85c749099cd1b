/** Unique values: each is claimed by a lightweight transaction of its own before the batch that writes the rows, and given back where another is taken. */
import { cqlError } from '../../clients/protocols/cql-errors.ts'
import { canonical, type Value } from '../../data/value.ts'
import { claimRow } from './cql.ts'
import type { Cql, CqlResult, StoredRow, Talk } from './talk.ts'

const claimsInFlight = 8

/** What is left to write once all values are claimed. @throws ServerError where another row has a value. */
export function* claimed(statements: Cql[], consistency: number): Talk<Cql[]> {
  const claims = statements.filter((statement) => statement.release !== undefined)
  const applied: Cql[] = []
  let taken: Cql | null = null
  for (let from = 0; from < claims.length; from += claimsInFlight) {
    const some = claims.slice(from, from + claimsInFlight)
    const results = yield some.map((claim) => ({ statements: [{ ...claim, query: claimRow(claim.query) }], consistency, pageState: null }))
    for (const [index, claim] of some.entries()) {
      const [row = {}] = (results[index] as CqlResult).rows
      if (row['[applied]'] === true) applied.push(claim)
      else if (!isOwn(claim, row)) taken = claim
    }
  }
  // A value that the row has already is written again with it: its life is renewed.
  if (taken === null) return statements.filter((statement) => !applied.includes(statement))
  if (applied.length > 0) yield [{ statements: applied.map((claim) => claim.release as Cql), consistency, pageState: null }]
  throw cqlError('Unique', `another row has this value of ${taken.columns[0]?.field}`)
}

/** Whether the row that has the value is the one that is written. */
function isOwn({ columns, params }: Cql, found: StoredRow): boolean {
  return columns.every((column, at) => column === null || canonical(found[column.name] as Value) === canonical(params[at] as Value))
}
