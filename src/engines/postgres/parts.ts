/**
 * Tables in parts by time, as PostgreSQL makes, finds and drops them. The last part is for all times to come, and no default: with one a page in the
 * order of the time would be merged from all parts, and not read from one after the other (partitions_are_ordered in the server's source).
 */
import type { TablePart } from '../../clients/sql-session.ts'
import type { Definition } from '../../families/definitions.ts'
import { type Parts, partStamp, partStampMs, partStart } from '../../families/parts.ts'
import type { DividedTable, DividedTables } from '../../families/relational/dialect.ts'
import { columnName, tableName } from './names.ts'

/** The part of rows from a time on; null: of all later ones. */
const partOf = ({ prefix }: Parts, startMs: number | null) => `${prefix}${startMs === null ? 'rest' : partStamp(startMs)}`

const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('.000Z', '+00')
const text = (ms: number) => `'${time(ms)}'`
const span = (from: number, to: number | null) => `FOR VALUES FROM (${text(from)}) TO (${to === null ? 'MAXVALUE' : text(to)})`

/** Parts come and go: the server knows which there are. In the order of their times. */
export const partNames = (table: string) =>
  `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '${table}'::regclass ORDER BY 1`

/** [] of the part for all later rows. */
export function tablePart(whole: string, name: string, parts: Parts, lives: string): TablePart[] {
  if (name === partOf(parts, null)) return []
  const part = tableName(name)
  return [
    {
      startMs: partStampMs(name.slice(parts.prefix.length)),
      counts: `SELECT count(*), count(*) FILTER (WHERE ${lives}) FROM ${part}`,
      drop: [`ALTER TABLE ${whole} DETACH PARTITION ${part} CONCURRENTLY`, `DROP TABLE ${part}`],
    },
  ]
}

export const dividedTables: DividedTables = {
  clause: ({ field }) => `PARTITION BY RANGE (${columnName(field)})`,
  steps: (divided) => [
    {
      name: `parts_${divided.table}`,
      up: eachPart(divided),
      down: `DROP TABLE ${[...divided.starts.slice(0, -1), null].map((start) => tableName(partOf(divided, start))).join(', ')}`,
    },
  ],
  upkeep: (divided) => [nextPart(divided), ...oldestPart(divided)],
}

/** One statement however many parts: counted in UTC, whatever the time zone of the session. */
function eachPart({ starts, unit, ...divided }: DividedTable): string {
  const [first, last] = [starts[0], starts.at(-1)] as [number, number]
  const local = (ms: number) => `timestamp '${time(ms).replace('+00', '')}'`
  const to = `start + interval '${unit}'`
  return `DO $$
DECLARE start timestamp;
BEGIN
  FOR start IN SELECT generate_series(${local(first)}, ${local(last)} - interval '${unit}', interval '${unit}') LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF ${tableName(divided.table)} FOR VALUES FROM (%L) TO (%L)',
      '${divided.prefix}' || to_char(start, 'YYYYMMDDHH24'), start AT TIME ZONE 'UTC', (${to}) AT TIME ZONE 'UTC');
  END LOOP;
  CREATE TABLE ${tableName(partOf({ ...divided, unit }, null))} PARTITION OF ${tableName(divided.table)} ${span(last, null)};
END $$`
}

/** Of the part for all later rows, which is empty as long as this is done ahead: else it is refused. */
function nextPart(divided: DividedTable): Definition {
  const from = divided.starts.at(-1) as number
  const to = partStart(divided.unit, from, 1)
  const [whole, next, rest] = [divided.table, partOf(divided, from), partOf(divided, null)].map(tableName)
  const detach = `ALTER TABLE ${whole} DETACH PARTITION ${rest}`
  const attach = (start: number) => `ALTER TABLE ${whole} ATTACH PARTITION ${rest} ${span(start, null)}`
  const together = (steps: string[]) => ['BEGIN', ...steps, 'COMMIT'].join(';\n')
  return {
    name: `next_part_of_${divided.table}`,
    up: together([detach, `CREATE TABLE ${next} PARTITION OF ${whole} ${span(from, to)}`, attach(to)]),
    down: together([detach, `DROP TABLE ${next}`, attach(from)]),
  }
}

/** Detached beside the calls that use the table; dropped once nobody needs it any more, of which a backup is the way back. */
function oldestPart(divided: DividedTable): Definition[] {
  const [from, to] = divided.starts as [number, number]
  const [whole, oldest] = [divided.table, partOf(divided, from)].map(tableName)
  return [
    {
      name: `detach_oldest_part_of_${divided.table}`,
      up: `ALTER TABLE ${whole} DETACH PARTITION ${oldest} CONCURRENTLY`,
      down: `ALTER TABLE ${whole} ATTACH PARTITION ${oldest} ${span(from, to)}`,
    },
    {
      name: `drop_oldest_part_of_${divided.table}`,
      up: `DROP TABLE ${oldest}`,
      down: `CREATE TABLE ${oldest} (LIKE ${whole} INCLUDING ALL)`,
    },
  ]
}
