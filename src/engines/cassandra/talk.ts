/** What Cassandra is asked, as data: an operation yields requests that may run side by side, and is handed their results, whichever client carries them. */
import { pageSize } from '../../clients/protocols/cql-messages.ts'
import type { Value } from '../../data/value.ts'
import type { StoreColumn } from '../../families/model.ts'

/** A statement with its values; `columns` says what each is of (null: a number or text as it stands). */
export interface Cql {
  query: string
  columns: (StoreColumn | null)[]
  params: Value[]
  /** Of an insert of a unique value: what claims it first, and what gives it back. */
  claim?: { insert: Cql; release: Cql }
  /** Is applied only where the row has the version that was read: it is sent before all that is not. */
  conditional?: true
  /** Of a new row: there is nothing that a null would have to take the place of, and none is written. */
  isNew?: true
}
export interface Request {
  /** More than one: a logged batch. */
  statements: Cql[]
  consistency: number
  /** Where the last page of this statement ended. */
  pageState: Buffer | null
  /** Rows of a page; absent: as many as is usual. */
  pageRows?: number
}
/** uuid: 16 bytes · timestamp: epoch milliseconds · decimal: its text · everything else as it is. */
export type StoredRow = Record<string, Value>
export interface CqlResult {
  rows: StoredRow[]
  /** null: this was the last page. */
  pageState: Buffer | null
}

/** A conversation that ends with a T. */
export type Talk<T> = Generator<Request[], T, CqlResult[]>

export const consistencies = { one: 1, quorum: 4 }

/** One request and its rows. */
export function* ask(statement: Cql, consistency: number): Talk<StoredRow[]> {
  const [result] = yield [{ statements: [statement], consistency, pageState: null }]
  return (result as CqlResult).rows
}

/** One request and the rows of all its pages. */
export function askAll(statements: Cql[], consistency: number): Talk<StoredRow[][]> {
  return askUntil(statements, consistency, () => false)
}

/**
 * The rows that fit, of as many pages as it takes to have `limit` of them. Which do (null: all) the server does not know, as of rows that have
 * expired, so that it cannot limit them; but they come first as a rule, and a first page of so many is enough. Pages that follow are twice as
 * large each.
 */
export function* askPages(statements: Cql[], limit: number, fits: ((row: StoredRow) => boolean) | null, consistency: number): Talk<StoredRow[][]> {
  const fitting = (rows: StoredRow[]) => (fits === null ? rows : rows.filter(fits))
  const pages = yield* askUntil(statements, consistency, (rows) => fitting(rows).length >= limit, fits === null ? pageSize : limit)
  return pages.map(fitting)
}

function* askUntil(statements: Cql[], consistency: number, isEnough: (rows: StoredRow[]) => boolean, firstPageRows = pageSize): Talk<StoredRow[][]> {
  const rows = statements.map((): StoredRow[] => [])
  let pageRows = Math.min(pageSize, firstPageRows)
  let open = statements.map((statement, at) => ({
    at,
    request: { statements: [statement], consistency, pageState: null as Buffer | null, pageRows },
  }))
  while (open.length > 0) {
    const results = yield open.map((each) => each.request)
    pageRows = Math.min(pageSize, 2 * pageRows)
    open = open.flatMap(({ at, request }, index) => {
      const { rows: page, pageState } = results[index] as CqlResult
      const own = rows[at] as StoredRow[]
      for (const row of page) own.push(row)
      return pageState === null || isEnough(own) ? [] : [{ at, request: { ...request, pageState, pageRows } }]
    })
  }
  return rows
}

/** Whether a stored row still lives in replay time. */
export const isAlive = (row: StoredRow | undefined, nowMs: number | null) => nowMs === null || Number(row?.expires_at ?? 0) > nowMs
