/** In which schemas a statement looks for its tables, where several have one of that name: the search path of who sent it, unless that changes on the way. */
import type { Client } from 'pg'
import type { ObservedStatement } from '../../init/reading.ts'
import type { Table } from '../../init/tables.ts'

/** Who sent it, and how many different meanings the server found in one text: one for each table that a name stood for. */
export interface Caller {
  account: number
  meanings: number
}

export async function withSchemas(client: Client, statements: (ObservedStatement & Caller)[], tables: Table[]): Promise<ObservedStatement[]> {
  const names = tables.map(({ source }) => source?.name)
  if (new Set(names).size === names.length) return statements
  const paths = await pathsOf(client)
  const wanderers = new Set(
    statements.flatMap(({ text, account }) => (/\bset_config\s*\(|^\s*set\s[^=]*\bsearch_path\b/i.test(text) ? [account] : [])),
  )
  return statements.map((statement) => ({
    ...statement,
    schemas: statement.meanings > 1 || wanderers.has(statement.account) ? null : (paths.get(statement.account) ?? null),
  }))
}

/** Of every account, what it was given or what the database or the server gives all. */
async function pathsOf(client: Client): Promise<Map<number, string[]>> {
  const { rows } = await client.query<{ account: number; name: string; path: string }>(`
    WITH given AS (
      SELECT s.setrole, s.setdatabase, split_part(line, '=', 2) AS path
      FROM pg_db_role_setting s, unnest(s.setconfig) AS line
      WHERE line LIKE 'search\\_path=%' AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    )
    SELECT r.oid::int8::float8 AS account, r.rolname AS name, coalesce(
      (SELECT g.path FROM given g WHERE g.setrole IN (r.oid, 0) ORDER BY g.setrole = 0, g.setdatabase = 0 LIMIT 1),
      (SELECT CASE WHEN source IN ('default', 'configuration file') THEN setting ELSE boot_val END FROM pg_settings WHERE name = 'search_path')
    ) AS path
    FROM pg_roles r`)
  return new Map(rows.map(({ account, name, path }) => [account, schemasOf(path, name)]))
}

/** `"$user", public` */
const schemasOf = (path: string, user: string) =>
  [...path.matchAll(/"((?:[^"]|"")*)"|[^,\s"]+/g)].map(([whole, quoted]) => {
    const name = quoted?.replaceAll('""', '"') ?? whole.toLowerCase()
    return name === '$user' ? user : name
  })
