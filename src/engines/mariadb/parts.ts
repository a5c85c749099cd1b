/** Tables in parts by time, as MariaDB and MySQL make, find and drop them: a part is a name within its table, from where the one before it ends. */
import type { TablePart } from '../../clients/sql-session.ts'
import { partStamp, partStampMs, partStart } from '../../families/parts.ts'
import type { DividedTables } from '../../families/relational/dialect.ts'
import { columnName, id } from './names.ts'

const rest = 'PARTITION later VALUES LESS THAN (MAXVALUE)'
const time = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
const nameOf = (startMs: number) => `from_${partStamp(startMs)}`
const part = (startMs: number, endMs: number) => `PARTITION ${nameOf(startMs)} VALUES LESS THAN ('${time(endMs)}')`

export const dividedTables: DividedTables = {
  clause: ({ field, starts }) => {
    const parts = starts.slice(0, -1).map((start, at) => part(start, starts[at + 1] as number))
    return `PARTITION BY RANGE COLUMNS (${columnName(field)}) (\n  ${[...parts, rest].join(',\n  ')}\n)`
  },
  steps: () => [],
  upkeep: (divided) => {
    const { table, unit, starts } = divided
    const [first, second, third] = starts as [number, number, number]
    const next = starts.at(-1) as number
    const change = (text: string) => `ALTER TABLE ${id(table)} ${text}`
    return [
      {
        name: `next_part_of_${table}`,
        up: change(`REORGANIZE PARTITION later INTO (${part(next, partStart(unit, next, 1))}, ${rest})`),
        down: change(`REORGANIZE PARTITION ${nameOf(next)}, later INTO (${rest})`),
      },
      {
        // Of its rows a backup is the way back.
        name: `drop_oldest_part_of_${table}`,
        up: change(`DROP PARTITION ${nameOf(first)}`),
        down: change(`REORGANIZE PARTITION ${nameOf(second)} INTO (${part(first, second)}, ${part(second, third)})`),
      },
    ]
  },
}

/** In the order of their times. */
export const partNames = (table: string) =>
  `SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = '${table}' AND partition_name LIKE 'from%' ORDER BY partition_ordinal_position`

export function tablePart(table: string, name: string, lives: string): TablePart {
  return {
    startMs: partStampMs(name.slice('from_'.length)),
    counts: `SELECT count(*), count(CASE WHEN ${lives} THEN 1 END) FROM ${id(table)} PARTITION (${name})`,
    drop: [`ALTER TABLE ${id(table)} DROP PARTITION ${name}`],
  }
}

/** A file for each part: what is told of one is told of the table. */
export const wholeOf = (table: string) => table.replace(/#p#.*$/i, '')
