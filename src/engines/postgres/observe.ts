/** What a running PostgreSQL knows of an application: its catalogue, the statistics of its planner, and what pg_stat_statements has counted. */
import type { Client } from 'pg'
import { TrialError } from '../../errors.ts'
import { apart, identifierOf } from '../../init/draft.ts'
import type { Observed } from '../../init/observed.ts'
import type { ObservedStatement } from '../../init/reading.ts'
import { type Column, plainColumn, type Table } from '../../init/tables.ts'
import { id } from './names.ts'
import { type Caller, withSchemas } from './search-path.ts'

/** A column with no more values is an enumeration. */
const maxValues = 12
const dayMs = 86_400_000
const maxStatements = 500

/** Reads alone, in one transaction, on one connection. */
export async function observe(client: Client): Promise<Observed> {
  await client.query("SET statement_timeout = '60s'")
  await client.query('BEGIN READ ONLY')
  try {
    const tables = await tablesOf(client)
    if (tables.length === 0)
      throw new TrialError('no-tables', 'there is no table in this database', { hint: 'name the database in the URL', exitCode: 2 })
    return { tables, statements: await statementsOf(client, tables) }
  } finally {
    // A connection that was lost has told its reason already.
    await client.query('ROLLBACK').catch(() => {})
  }
}

interface ColumnRow {
  table: number
  name: string
  type: string
  labels: string[] | null
  distinct: number | null
  bytes: number | null
  nulls: number | null
  values: string[] | null
  shares: number[] | null
  bounds: string[] | null
}

interface Constraint {
  table: number
  /** p: primary key · u: unique, by a constraint or an index · f: foreign key. */
  kind: string
  other: number | null
  columns: string[]
}

async function tablesOf(client: Client): Promise<Table[]> {
  const { rows: tables } = await client.query<{ table: number; schema: string; name: string; rows: number | null }>(`
    SELECT c.oid::int8::float8 AS "table", n.nspname AS schema, c.relname AS name,
      (CASE c.relkind WHEN 'p' THEN
        (SELECT sum(nullif(p.reltuples, -1)) FROM pg_partition_tree(c.oid) t JOIN pg_class p ON p.oid = t.relid WHERE t.isleaf)
      ELSE nullif(c.reltuples, -1) END)::float8 AS rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname`)
  const { rows: columns } = await client.query<ColumnRow>(`
    SELECT a.attrelid::int8::float8 AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
      (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid) AS labels,
      s.n_distinct::float8 AS "distinct", s.avg_width::float8 AS bytes,
      CASE WHEN a.attnotnull THEN 0 ELSE s.null_frac::float8 END AS nulls,
      s.most_common_vals::text::text[] AS "values", s.most_common_freqs::float8[] AS shares, s.histogram_bounds::text::text[] AS bounds
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
    WHERE a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum`)
  const { rows: constraints } = await client.query<Constraint>(`
    SELECT k.conrelid::int8::float8 AS "table", k.contype AS kind, k.confrelid::int8::float8 AS other,
      (SELECT array_agg(a.attname::text ORDER BY p.at) FROM unnest(k.conkey) WITH ORDINALITY p (number, at)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number) AS columns
    FROM pg_constraint k WHERE k.contype IN ('p', 'f') AND k.conrelid > 0
    UNION ALL
    SELECT i.indrelid::int8::float8, 'u', NULL, ARRAY[a.attname::text]
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL`)
  const now = Date.now()
  const taken = new Set<string>()
  const names = new Map(
    tables.map(({ table, schema, name }) => {
      const plain = identifierOf(name)
      return [table, apart(taken.has(plain) ? identifierOf(`${schema}_${name}`) : plain, taken)]
    }),
  )
  return tables.map(({ table, schema, name: called, rows }) => {
    const own = constraints.filter((each) => each.table === table)
    const only = (kind: string) => own.filter((each) => each.kind === kind && each.columns.length === 1)
    const fields = new Set<string>()
    const made = columns.filter((each) => each.table === table).map((each) => columnOf(each, apart(identifierOf(each.name), fields), rows ?? 0, now))
    for (const column of made) {
      const isIts = ({ columns: [first] }: { columns: string[] }) => identifierOf(first as string) === column.name
      column.unique = only('u').some(isIts)
      const reference = only('f').find(isIts)
      if (reference?.other != null) column.references = names.get(reference.other)
    }
    const key = (own.find(({ kind }) => kind === 'p')?.columns ?? []).map(identifierOf)
    return { name: names.get(table) as string, source: { schema, name: called }, columns: made, key, rows }
  })
}

function columnOf({ type, labels, distinct, bytes, nulls, values, shares, bounds }: ColumnRow, name: string, rows: number, now: number): Column {
  const column = plainColumn(name)
  const [, word = '', sizes = ''] = /^([a-z0-9_]+)[^(]*(?:\(([\d,]+)\))?/i.exec(type) ?? []
  column.type = type.endsWith('[]') ? 'array' : word.toLowerCase()
  column.sizes = sizes === '' ? [] : sizes.split(',').map(Number)
  if (bytes !== null && bytes > 0) column.averageBytes = bytes
  if (nulls !== null && nulls > 0) column.nullShare = nulls
  // Negative: a share of the rows.
  const count = distinct === null ? Number.POSITIVE_INFINITY : distinct < 0 ? -distinct * rows : distinct
  const shareOf = (value: string) => (shares === null ? null : (shares[(values ?? []).indexOf(value)] ?? null))
  if (labels !== null) column.values = labels.map((value) => ({ value, share: shareOf(value) }))
  // Values stand in the scenario then: only where they are a vocabulary, which all rows share.
  else if (/^(character|text|citext)/.test(column.type) && count <= maxValues && count < rows / 10 && values !== null)
    column.values = values.map((value) => ({ value, share: shareOf(value) }))
  // The most common values are not among the bounds of the others.
  const numbers = [...(values ?? []), ...(bounds ?? [])].map(Number)
  if (/^(smallint|integer|bigint|numeric)$/.test(column.type) && numbers.length > 0 && numbers.every(Number.isFinite))
    column.range = [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))]
  const ages = (bounds ?? []).map((bound) => (now - Date.parse(bound)) / dayMs)
  if (/^(timestamp|date)/.test(column.type) && ages.length > 1 && ages.every(Number.isFinite)) {
    const [oldest, newest] = [ages[0] as number, ages.at(-1) as number]
    column.ages = { oldest, newest, mean: ages.slice(1).reduce((sum, age, at) => sum + (age + (ages[at] as number)) / 2, 0) / (ages.length - 1) }
  }
  if (shares !== null && Number.isFinite(count)) column.popularity = { shares, distinct: Math.round(count), sampled: Math.min(rows, analyzedRows) }
  return column
}

/** Of a table, as long as nobody changed default_statistics_target. */
const analyzedRows = 30_000

/** Of the extension, 1.…: what it counts, and since when, stands in these columns from here on; since when each, from there on. */
const minMinorVersion = 9
const minMinorVersionOfEach = 11

interface Counted extends ObservedStatement, Caller {}

async function statementsOf(client: Client, tables: Table[]): Promise<Observed['statements']> {
  const { rows: found } = await client.query<{ schema: string; version: string }>(
    "SELECT n.nspname AS schema, e.extversion AS version FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'",
  )
  const [extension] = found
  const uncounted = (why: string): Observed['statements'] => ({ counted: null, why: `statements are not counted here: ${why}` })
  const install = 'add pg_stat_statements to shared_preload_libraries, CREATE EXTENSION pg_stat_statements, and let the application run'
  if (extension === undefined) return uncounted(install)
  const minor = Number(extension.version.split('.')[1])
  if (minor < minMinorVersion) return uncounted(`pg_stat_statements ${extension.version} is too old, 1.${minMinorVersion} is needed (PostgreSQL 14)`)
  const own = `${id(extension.schema)}.pg_stat_statements s WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`
  try {
    const { rows: counted } = await client.query<Counted>(
      `SELECT s.query AS text, s.userid::int8::float8 AS account, count(DISTINCT s.queryid)::float8 AS meanings,
        sum(s.calls)::float8 AS calls, (sum(s.total_exec_time) / greatest(sum(s.calls), 1))::float8 AS "meanMs", sum(s.rows)::float8 AS rows
      FROM ${own} AND s.query IS NOT NULL
      GROUP BY s.query, s.userid ORDER BY sum(s.total_exec_time) DESC LIMIT ${maxStatements}`,
    )
    if (counted.some(({ text }) => text === '<insufficient privilege>'))
      return uncounted('those of other accounts are hidden from this one: GRANT pg_read_all_stats to it')
    const since = minor < minMinorVersionOfEach ? 'i.stats_reset' : `greatest(i.stats_reset, (SELECT min(s.stats_since) FROM ${own} AND s.calls > 1))`
    const { rows: periods } = await client.query<{ seconds: number; dropped: number }>(
      `SELECT extract(epoch FROM now() - ${since})::float8 AS seconds, i.dealloc::float8 AS dropped FROM ${id(extension.schema)}.pg_stat_statements_info i`,
    )
    const { seconds = 1, dropped = 0 } = periods[0] ?? {}
    const notes = dropped > 0 ? ['the rarest statements were dropped, and with them their calls: pg_stat_statements.max is too small'] : []
    return { counted: await withSchemas(client, counted, tables), seconds: Math.max(1, seconds), notes }
  } catch (error) {
    // The extension is there, and its library was not loaded.
    if (String((error as { code?: unknown }).code) !== '55000') throw error
    return uncounted(install)
  }
}
