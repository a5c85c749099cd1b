/** Small random scenarios over the whole grammar: valid, awkward, and the same for the same seed. */
import { stringify } from 'yaml'
import { Draws } from './draws.ts'
import { type Column, makeTables, type Table } from './generate-entities.ts'
import { makeOperations, type Text } from './generate-operations.ts'

const epochs = ['1970-01-02T00:00:00Z', '1999-12-31T23:59:59Z', '2024-02-29T12:00:00Z', '2038-01-19T03:14:08Z', '2200-01-01T00:00:00Z']

/** YAML of a scenario that `readScenario` accepts. */
export function generateScenario(seed: number): string {
  const draws = new Draws(seed)
  const epoch = draws.chance(0.25) ? draws.one(epochs) : '2026-03-01T12:00:00Z'
  const tables = makeTables(draws, Date.parse(epoch))
  const operations = makeOperations(draws, tables)
  const invariants = makeInvariants(draws, tables, operations)
  return stringify(
    {
      name: `soak-${seed}`,
      summary: `Random scenario of seed ${seed}`,
      seed: draws.int(0, 1e9),
      epoch,
      entities: Object.fromEntries(tables.map((table) => [table.name, table.text])),
      operations,
      ...(invariants === undefined ? {} : { invariants }),
      ...tenantOf(draws, tables, operations),
      requirements: { peak: '2x', durability: 'fsync' },
      candidates: ['postgres', 'mongodb', 'redis', 'cassandra'],
      bench: { effort: 'smoke' },
    },
    { aliasDuplicateObjects: false },
  )
}

/** A sum over fields that no operation changes is conserved. */
function makeInvariants(draws: Draws, tables: Table[], operations: Record<string, unknown>): Record<string, unknown> | undefined {
  const text = JSON.stringify(operations)
  const kinds = ['insert', 'put', 'update', 'delete', 'read_modify_write']
  const still = text.includes('"expects"') ? [] : tables.filter((table) => kinds.every((kind) => !text.includes(`"${kind}":"${table.name}"`)))
  const summed = still.flatMap((table) => (table.owner === null ? table.columns.filter(isSummed).map((column) => ({ table, column })) : []))
  if (summed.length === 0 || !draws.chance(0.5)) return undefined
  const { table, column } = draws.one(summed)
  return { kept: { conserve: `sum(${table.name}.${column.name})` } }
}

/** A reference by which rows are a tenant's: in every entity that has a field of its name, and no write makes or changes whose they are by a key. */
function tenantOf(draws: Draws, tables: Table[], operations: Record<string, Text>): Text {
  const writes = Object.values(operations).flatMap((operation) => (operation.transaction as Text[] | undefined) ?? [operation])
  const isStill = (table: string, name: string) =>
    writes.every(
      (write) =>
        write.put !== table && write.read_modify_write !== table && !(write.update === table && name in ((write.set as Text | undefined) ?? {})),
    )
  const isTenant = (name: string) => {
    const own = tables.flatMap((table) =>
      table.columns.filter((each) => each.name === name).map(({ refersTo, optional }) => ({ table, refersTo, optional })),
    )
    const [target] = own.map(({ refersTo }) => refersTo)
    return (
      target !== null &&
      own.every(
        ({ table, refersTo, optional }) =>
          !optional && refersTo === target && table.owner === null && table.name !== target && isStill(table.name, name),
      )
    )
  }
  const able = [...new Set(tables.flatMap((table) => table.columns.map((each) => each.name)))].filter(isTenant)
  return able.length > 0 && draws.chance(0.7) ? { tenant: draws.one(able) } : {}
}

const isSummed = (column: Column) => (column.type === 'int' || column.type === 'decimal') && !column.implicit && !column.key
