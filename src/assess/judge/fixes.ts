/** What of a candidate's indexes its own run gives reason to try otherwise. */
import type { IndexColumn } from '../../families/model.ts'
import type { CandidateResult } from '../../result/result.ts'
import type { IndexChange, Operation, OperationOf, Scenario } from '../../scenario/scenario.ts'
import { usesOf } from './index-uses.ts'

export interface Fix {
  change: IndexChange
  /** As in "without order_status". */
  what: string
  why: string
}

/** Families whose indexes are beside the rows: elsewhere an index is a store of its own, which an access is made for. */
const withIndexes = new Set<CandidateResult['model']['family']>(['relational', 'document'])

/** Of reads that could use an index first: they gain most. */
export function fixesOf(candidate: CandidateResult, { operations }: Pick<Scenario, 'operations'>): Fix[] {
  if (!withIndexes.has(candidate.model.family)) return []
  const unused = unusedIndexes(candidate).filter((each) => !findsReferring(each, candidate))
  return [...missingIndexes(candidate, operations), ...unused.map(droppedIndex)]
}

/** What finds the rows that refer to a deleted one: some products make such an index by themselves where it is missing. */
function findsReferring({ store: name, index }: { store: string; index: string }, { model }: CandidateResult): boolean {
  const store = model.stores.find((each) => each.name === name)
  const first = store?.indexes.find((each) => each.name === index)?.columns[0]?.field
  return store?.references.some(({ field }) => field === first) === true
}

/** Fewer rows than that are read as fast in any way. */
const fewRows = 1000
/** Of those that were looked at, one that was found. */
const maxPerFound = 10

type Explanation = CandidateResult['explanations'][number]

export const largeScans = ({ scans }: Pick<Explanation, 'scans'>) => scans.filter(({ rows }) => rows >= fewRows)
/** Rows are looked at that are not what is found. */
export const isThrownAway = ({ rows, returned }: NonNullable<Explanation['read']>) => rows >= fewRows && rows >= maxPerFound * Math.max(1, returned)
/** Rows are sorted that an index could have in order. */
export const isLargeSort = (sortedRows: number) => sortedRows >= fewRows

function readsTooMuch(explanation: Explanation): boolean {
  const { read, sortedRows } = explanation
  return (read !== null && isThrownAway(read)) || largeScans(explanation).length > 0 || (sortedRows !== null && isLargeSort(sortedRows))
}

function missingIndexes({ model, explanations }: CandidateResult, operations: readonly Operation[]): Fix[] {
  const found = explanations.flatMap((explanation) => {
    const operation = operations.find(({ name }) => name === explanation.operation)
    const store = model.stores.find(({ base, entity }) => base && entity === operation?.entity)
    if (operation?.kind !== 'list' || store === undefined || !readsTooMuch(explanation)) return []
    const columns = columnsFor(operation)
    // Long values do not fit whole into an entry of every product.
    const areShort = columns.every(({ field }) => store.columns.some((column) => column.field === field && short.has(column.type)))
    if (columns.length === 0 || !areShort || store.indexes.some((index) => servesList(index.columns, operation))) return []
    return [{ store: store.name, columns, operation: operation.name }]
  })
  const byColumns = Map.groupBy(found, ({ store, columns }) => JSON.stringify([store, columns]))
  return [...byColumns.values()].map((own) => {
    const [{ store, columns }] = own as [(typeof own)[number]]
    const serves = own.map(({ operation }) => operation)
    return {
      change: { kind: 'add', store, columns, serves },
      what: `with an index of ${store} on ${columns.map(({ field, descending }) => `${field}${descending ? ' desc' : ''}`).join(', ')}`,
      why: `${serves.join(' and ')} ${serves.length === 1 ? 'reads' : 'read'} many rows that ${serves.length === 1 ? 'it does' : 'they do'} not need`,
    }
  })
}

const short: ReadonlySet<string> = new Set(['uuid', 'int', 'decimal', 'bool', 'enum', 'timestamp'])

const equalOf = ({ where }: OperationOf<'list'>) => [...new Set(where.map(({ field }) => field))]
const orderOf = ({ where, order }: OperationOf<'list'>): IndexColumn[] =>
  order.filter(({ field }) => where.every((filter) => filter.field !== field)).map(({ field, descending }) => ({ field, descending }))

/** Equality, then the order of the list. */
const columnsFor = (operation: OperationOf<'list'>): IndexColumn[] => [
  ...equalOf(operation).map((field) => ({ field, descending: false })),
  ...orderOf(operation),
]

/** Whether an index has the list's rows together, in its order or in the opposite one: who comes first among equals does not matter. */
function servesList(columns: readonly IndexColumn[], operation: OperationOf<'list'>): boolean {
  const [equal, order] = [equalOf(operation), orderOf(operation)]
  const behind = columns.slice(equal.length)
  const isTogether = equal.every((field) => columns.slice(0, equal.length).some((column) => column.field === field))
  const isIn = (isReversed: boolean) =>
    order.every(({ field, descending }, at) => behind[at]?.field === field && behind[at]?.descending === (descending !== isReversed))
  return isTogether && (isIn(false) || isIn(true))
}

/** Where starts before the last were not counted, what that did not use may have been used. */
export const isUseCounted = ({ indexUse, indexUseOf, restores }: CandidateResult) =>
  indexUse.length > 0 && (indexUseOf === 'all starts' || restores === 0)

/** Indexes that no call used in any trial, and that no constraint needs. */
export function unusedIndexes(candidate: CandidateResult): { store: string; index: string }[] {
  if (!isUseCounted(candidate)) return []
  const { model, indexUse } = candidate
  return model.stores.flatMap((store) =>
    store.indexes.flatMap((index) =>
      usesOf(indexUse, store, index.name) === 0 && !index.unique && index.kind !== 'expiry' ? [{ store: store.name, index: index.name }] : [],
    ),
  )
}

const droppedIndex = ({ store, index }: { store: string; index: string }): Fix => ({
  change: { kind: 'drop', store, index },
  what: `without ${index} of ${store}`,
  why: 'no call used it, and every write pays for it',
})
