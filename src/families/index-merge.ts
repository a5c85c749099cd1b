/** One B-tree for many accesses: equality columns in any order, read in both directions, prefixes shared. */
import type { Index, IndexColumn } from './model.ts'

/** `equality`: how many of the first columns are compared for equality; their order and their direction do not matter. */
export type WantedIndex = Index & { equality?: number }

interface Column extends IndexColumn {
  /** No access depends on its direction yet. */
  free: boolean
}
/** Columns of one block are compared for equality by whoever uses them all: their order is open. */
type Blocks = Column[][]
interface Draft {
  index: WantedIndex
  blocks: Blocks
}

/** An index that another one serves as well is merged into it; without names yet. */
export function mergeIndexes(wanted: WantedIndex[]): Index[] {
  const drafts: Draft[] = []
  for (const index of [...wanted].sort((a, b) => b.columns.length - a.columns.length)) {
    const host = drafts.find((draft) => canHost(draft, index))
    if (host === undefined) drafts.push({ index: { ...index }, blocks: blocksOf(index) })
    else join(host, index)
  }
  return drafts.map(({ index: { equality: _, ...index }, blocks }) => {
    const columns = blocks.flat().map(({ field, descending }) => ({ field, descending }))
    return { ...index, columns, include: index.include.filter((name) => columns.every((column) => column.field !== name)) }
  })
}

/** Whether an index of these columns, compared as given, answers for the wanted one. */
export function columnsServe(columns: IndexColumn[], wanted: WantedIndex): boolean {
  const blocks = columns.map((column) => [{ ...column, free: false }])
  return refined(blocks, wanted) !== null
}

/** Whether two indexes are of the same rows of their table. */
export function areOfSameRows(a: Index, b: Index): boolean {
  return JSON.stringify([a.where, a.presence]) === JSON.stringify([b.where, b.presence])
}

function canHost({ index, blocks }: Draft, wanted: WantedIndex): boolean {
  if (index.kind !== wanted.kind || !areOfSameRows(index, wanted)) return false
  if (wanted.unique || wanted.kind === 'text') return sameColumns(index, wanted) && (index.unique || !wanted.unique)
  return refined(blocks, wanted) !== null
}

/** A text index answers for its own columns alone: a narrower search would find words of the other ones, or not use it at all. */
const sameColumns = (a: Index, b: Index) => JSON.stringify(a.columns) === JSON.stringify(b.columns)

function join(host: Draft, { columns, equality, include, serves, reason }: WantedIndex): void {
  const { index } = host
  if (index.kind === 'ordered') host.blocks = refined(host.blocks, { ...index, columns, equality: equality ?? 0 }) ?? host.blocks
  // Further columns would have to be unique with the others; who looks for a unique value fetches one row.
  if (!index.unique) index.include = [...new Set([...index.include, ...include])]
  index.serves = [...index.serves, ...serves]
  index.reason = `${index.reason} · ${reason}`
}

function blocksOf({ columns, equality = 0 }: WantedIndex): Blocks {
  const equal = columns.slice(0, equality).map((column) => ({ ...column, free: true }))
  return [...(equal.length > 0 ? [equal] : []), ...columns.slice(equality).map((column) => [{ ...column, free: false }])]
}

/** The blocks with what the wanted index needs first in front, in one direction or in the other; null: it cannot be had of them. */
function refined(blocks: Blocks, { columns, equality = 0 }: WantedIndex): Blocks | null {
  const front: Blocks = []
  const rest = blocks.map((block) => [...block])
  let open = columns.slice(0, equality).map((column) => column.field)
  while (open.length > 0) {
    const block = rest.shift()
    if (block === undefined) return null
    const used = block.filter((column) => open.includes(column.field))
    const unused = block.filter((column) => !open.includes(column.field))
    open = open.filter((field) => used.every((column) => column.field !== field))
    if (used.length === 0 || (unused.length > 0 && open.length > 0)) return null
    front.push(used)
    if (unused.length > 0) rest.unshift(unused)
  }
  const ordered: Column[] = []
  for (const { field } of columns.slice(equality)) {
    const block = rest.shift() ?? []
    const column = block.find((each) => each.field === field)
    if (column === undefined) return null
    ordered.push({ ...column })
    if (block.length > 1) rest.unshift(block.filter((each) => each !== column))
  }
  return directed(ordered, columns.slice(equality)) ? [...front, ...ordered.map((column) => [column]), ...rest] : null
}

/** All columns run as wanted, or all against it; those that were free are fixed. */
function directed(columns: Column[], wanted: IndexColumn[]): boolean {
  const fixed = columns.findIndex((column) => !column.free)
  const against = fixed >= 0 && columns[fixed]?.descending !== wanted[fixed]?.descending
  return columns.every((column, at) => {
    const descending = (wanted[at] as IndexColumn).descending !== against
    if (!column.free) return column.descending === descending
    column.descending = descending
    column.free = false
    return true
  })
}
