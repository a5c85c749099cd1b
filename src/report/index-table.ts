/** What finds rows: keys, indexes and stores that repeat rows for a query, each with the operation it serves and its measured size. */
import { bytes } from '../assess/figures/amount.ts'
import { isNamed, usesOf } from '../assess/judge/index-uses.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { count } from './render/format.ts'
import type { Store } from './stored-columns.ts'

export const indexHead = ['finds rows', 'of', 'kind', 'columns', 'for', 'as loaded', 'in production', 'calls that used it']

type Index = Store['indexes'][number]
type Candidate = Pick<CandidateResult, 'model' | 'storage' | 'indexUse'>

export function indexRows(candidate: Candidate, { trialPlan: { shares, share } }: Pick<Result, 'trialPlan'>): string[][] {
  const { model, storage, indexUse } = candidate
  const measured = storage.at.at(-1)
  return model.stores.flatMap((store) => {
    const shareOf = shares[store.entity] ?? share
    const row = (name: string, kind: string, columns: string, serves: string, size: number | undefined) => [
      name,
      store.name,
      kind,
      columns,
      serves,
      ...(size === undefined ? ['—', '—'] : [bytes(size), bytes(size / shareOf)]),
      usesText(usesOf(indexUse, store, name)),
    ]
    const own = (measured?.indexes ?? []).filter(({ table, name }) => table === store.name && model.stores.every((each) => each.name !== name))
    const sizeOf = (name: string) => own.find((each) => isNamed(each.name, store, name))?.bytes
    const keys = own.filter(({ name }) => store.indexes.every((each) => !isNamed(name, store, each.name)))
    return [
      ...keys.map(({ name, bytes: size }) => row(name, 'key', keyText(store), 'finds a row by its key', size)),
      ...store.indexes.map((index) => row(index.name, kindText(index), columnsText(index), index.reason, sizeOf(index.name))),
      ...(store.base
        ? []
        : [row(store.name, store.unique ? 'unique values' : 'rows repeated for a query', keyText(store), store.reason, storeBytes(store, measured))]),
    ]
  })
}

/** Some servers count what repeats rows among their tables, others among their indexes. */
const storeBytes = ({ name }: Store, measured: Candidate['storage']['at'][number] | undefined) =>
  [...(measured?.tables ?? []), ...(measured?.indexes ?? [])].find((each) => each.name === name)?.bytes

const usesText = (uses: number | undefined) => (uses === undefined ? '—' : count(uses))

function keyText({ partition, clustering }: Store): string {
  const within = clustering.map(({ column, descending }) => `${column}${descending ? ' desc' : ''}`)
  return within.length === 0 ? partition.join(', ') : `${partition.join(', ')}; within it ${within.join(', ')}`
}

const kindText = ({ kind, unique, where, presence = [] }: Index) =>
  [kind === 'text' ? 'words' : kind, ...(unique ? ['unique'] : []), ...(where.length + presence.length > 0 ? ['some rows only'] : [])].join(', ')

function columnsText({ columns, include, where, presence = [] }: Index): string {
  const rows = [
    ...where.map(({ field, constant }) => `${field} = ${constant}`),
    ...presence.map(({ field, isNull }) => `${field} is ${isNull ? '' : 'not '}null`),
  ]
  return [
    columns.map(({ field, descending }) => `${field}${descending ? ' desc' : ''}`).join(', '),
    ...(include.length > 0 ? [`carries ${include.join(', ')}`] : []),
    ...(rows.length > 0 ? [`where ${rows.join(' and ')}`] : []),
  ].join('; ')
}
