/**
 * Operations from the statements that a running server has counted: each is read as a tree, and what it does said in the scenario's language.
 * What that cannot say is left out, with the reason. Values are not known: constants and parameters look alike in what a server counts.
 */
import type { DraftOperation } from './draft.ts'
import { read } from './meaning.ts'
import type { ObservedStatement, Read, StatementDialect } from './reading.ts'
import { Unparsed, Unsaid } from './sql-tree.ts'
import type { Table } from './tables.ts'
import { transactionsOf } from './transactions.ts'

export interface Sum extends Read {
  calls: number
  /** Of statements that read or write the rows of an owner, and those rows. */
  linesCalls: number
  linesRows: number
  /** Statements, however many rows each had in a list. */
  statements: number
  deepCalls: number
  totalMs: number
  linesOf: Set<string>
}

const shownLength = 100
/** Rarer ones, in all that was counted, are no part of a load. */
const minCalls = 2

/** `seconds`: during which they were counted. */
export function operationsOf(
  statements: readonly ObservedStatement[],
  tables: Table[],
  seconds: number,
  dialect: StatementDialect = 'postgresql',
): { operations: DraftOperation[]; leftOut: string[] } {
  const sums = new Map<string, Sum>()
  const leftOut: string[] = []
  for (const statement of [...statements].sort((a, b) => b.calls * b.meanMs - a.calls * a.meanMs)) {
    if (statement.calls < minCalls) continue
    try {
      const found = read(statement, tables, dialect)
      if (found !== null) add(sums, found, statement)
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error
      const text = error instanceof Unparsed ? leadOf(statement.text, tables) : statement.text.replaceAll(/\s+/g, ' ')
      leftOut.push(`${rateText(statement.calls / seconds)}, ${error.message}: ${text.length > shownLength ? `${text.slice(0, shownLength)}…` : text}`)
    }
  }
  return { operations: named(transactionsOf([...sums.values()], tables)).map((sum) => operationOf(sum, seconds)), leftOut }
}

/** The verb of a statement, and those of its words that are tables: the rest may be values of others. */
function leadOf(text: string, tables: Table[]): string {
  const words = new Set(text.match(/[\w$]+/g))
  const [verb = ''] = /\b(?:select|insert|replace|update|delete|with)\b/i.exec(text) ?? []
  return [verb.toUpperCase(), ...tables.map(({ name, source }) => source?.name ?? name).filter((name) => words.has(name))].join(' ')
}

function add(sums: Map<string, Sum>, found: Read, { calls, meanMs, rows }: ObservedStatement): void {
  const { definition, lines, fields } = found
  const none = { calls: 0, linesCalls: 0, linesRows: 0, statements: 0, deepCalls: 0, totalMs: 0, linesOf: new Set<string>() }
  const sum = sums.get(definition) ?? { ...found, ...none }
  sums.set(definition, sum)
  sum.totalMs += calls * meanMs
  if (lines === undefined) {
    // Of several who ask for different columns nobody speaks for all.
    if (sum.calls > 0 && fields?.join() !== sum.fields?.join()) delete sum.fields
    else if (sum.calls === 0 && fields !== undefined) sum.fields = fields
    sum.calls += found.isBatch === true ? rows : calls
    sum.statements += calls
  } else {
    sum.linesOf.add(lines)
    sum.linesCalls += calls
    sum.linesRows += rows
  }
  if (found.isDeepPage === true) sum.deepCalls += calls
}

/** Two that differ keep their names apart. */
function named(sums: Sum[]): Sum[] {
  const taken = new Map<string, number>()
  return sums.map((sum) => {
    const times = (taken.get(sum.name) ?? 0) + 1
    taken.set(sum.name, times)
    const name = sum.name.slice(0, times === 1 ? 40 : 36).replace(/_+$/, '')
    return { ...sum, name: times === 1 ? name : `${name}_${times}` }
  })
}

function operationOf(sum: Sum, seconds: number): DraftOperation {
  const { name, definition, linesOf, fields, calls: own, linesCalls, deepCalls, totalMs, isSchedule, note } = sum
  // Rows of an owner are read and written with it: by another statement of the same call, or by the same.
  const calls = own === 0 ? linesCalls : own
  const meanMs = totalMs / calls
  const parts = [
    definition,
    ...(linesOf.size > 0 ? [`with: [${[...linesOf].join(', ')}]`] : []),
    ...(fields === undefined || linesOf.size > 0 ? [] : [`fields: [${fields.join(', ')}]`]),
    ...(deepCalls > 0 ? [`page: { deep: ${Math.max(1, Math.round((100 * deepCalls) / calls))}% }`] : []),
    `rate: ${rateText(calls / seconds)}`,
    `p99: ${limitMs(meanMs)}ms`,
    ...(isSchedule === true ? ['scales: false'] : []),
  ]
  const took = `the server took ${Number(meanMs.toPrecision(2))} ms; the limit is a guess`
  return { name, definition: parts.join(', '), note: note === undefined ? took : `${took}; ${note}` }
}

/** In the unit that says it in few digits. */
function rateText(perSecond: number): string {
  const [unit, seconds] =
    (
      [
        ['s', 1],
        ['min', 60],
        ['h', 3600],
      ] as const
    ).find(([, each]) => perSecond * each >= 1) ?? (['day', 86_400] as const)
  return `${Number((perSecond * seconds).toPrecision(3))}/${unit}`
}

/** A round limit well above what the server takes: nobody knows what was promised. */
const limitMs = (meanMs: number) => [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000].find((limit) => limit >= 10 * meanMs) ?? 60_000
