/** Steps that were counted one by one, and one as often as the other: rows with those that they own, and what is added to the rows that those refer to. */
import type { Sum } from './statements.ts'
import { isWhole, type Table } from './tables.ts'

/** Fewer calls may be alike by chance. */
const minCalls = 20
const tolerance = 0.02
const isAlike = (one: number, other: number) => Math.min(one, other) >= minCalls && Math.abs(one - other) <= tolerance * Math.max(one, other)

/** A server does not tell transactions: that they are ones is a guess, which is said. */
export function transactionsOf(sums: Sum[], tables: Table[]): Sum[] {
  const taken = new Set<Sum>()
  const updatesOf = new Map<Sum, Sum[]>()
  for (const insert of sums) {
    const found = sums.filter((update) => !taken.has(update) && viaOf(insert, update, tables) !== undefined)
    for (const update of found) taken.add(update)
    if (found.length > 0) updatesOf.set(insert, found)
  }
  return sums
    .filter((sum) => !taken.has(sum))
    .map((sum) => {
      const updates = updatesOf.get(sum)
      return updates === undefined ? sum : joined(sum, updates, tables)
    })
}

/** The reference by which the owned rows of an insert lead to those that are updated. */
function viaOf(insert: Sum, update: Sum, tables: Table[]): { lines: Table; column: string } | undefined {
  const [name, another] = [...insert.linesOf]
  const lines = tables.find((table) => table.name === name)
  const { adds } = update
  if (insert.inserts === undefined || insert.calls === 0 || another !== undefined || lines === undefined || adds === undefined) return undefined
  const column = lines.columns.find(({ name: own, references }) => references === adds.table.name && own !== lines.key[0])?.name
  const isOne = update.isBatch === true ? isAlike(update.statements, insert.statements) : isAlike(update.calls, insert.linesRows)
  return column !== undefined && isOne ? { lines, column } : undefined
}

function joined(insert: Sum, updates: Sum[], tables: Table[]): Sum {
  const [lines] = [...insert.linesOf]
  const steps = updates.flatMap((update) => {
    const via = viaOf(insert, update, tables)
    if (via === undefined || update.adds === undefined) return []
    const amounts = [...update.adds.signs].map(([column, sign]) => `${column}: ${amountOf(sign, column, update.adds?.table as Table, via.lines)}`)
    return [`{ update: ${update.adds.table.name}, via: ${via.lines.name}.${via.column}, add: { ${amounts.join(', ')} } }`]
  })
  return {
    ...insert,
    definition: `transaction: [{ ${insert.definition}, with: [${lines}] }, ${steps.join(', ')}]`,
    totalMs: updates.reduce((sum, { totalMs }) => sum + totalMs, insert.totalMs),
    linesOf: new Set(),
    note: 'as often, so taken for one transaction',
  }
}

/** What the owned rows count, where there is one such number. */
function amountOf(sign: '+' | '-', column: string, table: Table, lines: Table): string {
  const [count, another] = lines.columns.filter((each) => isWhole(each) && !lines.key.includes(each.name) && each.references === undefined)
  const isOfWholes = isWhole(table.columns.find(({ name }) => name === column))
  return `${sign === '-' ? '-' : ''}${count !== undefined && another === undefined && isOfWholes ? `${lines.name}.${count.name}` : '1'}`
}
