/** What ANALYZE FORMAT=JSON tells of one call, in numbers. */
import type { CallPlan } from '../engine.ts'

/** A table as one step reads it; counts are means over its loops. */
interface TableStep {
  table_name: string
  access_type: string
  r_loops?: number
  r_rows?: number | null
  r_filtered?: number | null
}
type Json = { [name: string]: Json } | Json[] | string | number | null

/** `text`: as the server wrote it; `returned`: rows of the call, which it does not count. */
export function readPlan(text: string, returned: number): Omit<CallPlan, 'text'> {
  const plan = JSON.parse(mended(text)) as Json
  const tables = tablesIn(plan)
  return {
    read: { rows: sumOf(tables, lookedAt), returned },
    scans: tables.filter(({ access_type }) => access_type === 'ALL').map((each) => ({ store: each.table_name, rows: lookedAt(each) })),
    sortedRows: sortedIn(plan),
  }
}

/** Conditions, which nobody reads, hold constants with their quotes and the bytes of keys, which no JSON has: as they are, or behind a backslash. */
const mended = (text: string) =>
  text
    .replaceAll(/(?<="\w*condition": ").*?(?="(?:,?\n\s*["}]))/gs, (condition) => condition.replaceAll('"', ' '))
    .replaceAll(/\\(.)/gs, (pair, next: string) => ('"\\/bfnrtu'.includes(next) ? pair : `\\\\${next}`))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .replaceAll(/[\u0000-\u001f]/g, ' ')

/** A row that is found by a constant key is read while the call is planned: no loop counts it. */
const lookedAt = ({ access_type, r_loops = 0, r_rows }: TableStep) =>
  access_type === 'const' || access_type === 'system' ? 1 : Math.round(r_loops * (r_rows ?? 0))
const keptBy = (step: TableStep | undefined) => (step === undefined ? 0 : Math.round((lookedAt(step) * (step.r_filtered ?? 100)) / 100))
const sumOf = (tables: TableStep[], of: (step: TableStep) => number) => tables.reduce((sum, each) => sum + of(each), 0)

function tablesIn(json: Json): TableStep[] {
  return entriesOf(json).flatMap(([name, value]) => [
    ...(name === 'table' && 'table_name' in (value as object) ? [value as unknown as TableStep] : []),
    ...tablesIn(value),
  ])
}

/** What is grouped first is sorted by its groups. */
function sortedIn(json: Json): number {
  return entriesOf(json).reduce((sum, [name, value]) => {
    if (name !== 'filesort') return sum + sortedIn(value)
    const own = value as { r_output_rows?: number; temporary_table?: Json }
    const sorted = own.temporary_table === undefined ? keptBy(tablesIn(value).at(-1)) : Number(own.r_output_rows ?? 0)
    return sum + sorted + sortedIn(value)
  }, 0)
}

const entriesOf = (json: Json): [string, Json][] => (json === null || typeof json !== 'object' ? [] : Object.entries(json))
