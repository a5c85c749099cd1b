/** The indexes of a collection: what a table's indexes become where a key may be a document and one index holds all words. */
import type { Entity } from '../../scenario/scenario.ts'
import type { WantedIndex } from '../index-merge.ts'
import type { Index, IndexColumn } from '../model.ts'
import { merge } from '../relational/model.ts'

const maxColumns = 32

const ascending = (field: string): IndexColumn => ({ field, descending: false })

/** `byKey`: operations whose rows the key finds. */
export function collectionIndexes(entity: Entity, ownerExpires: boolean, tableIndexes: Index[], byKey: string[]): Index[] {
  const ordered = tableIndexes.filter((index) => index.kind !== 'text').map((index) => withoutInclude(entity, index))
  const texts = tableIndexes.filter((index) => index.kind === 'text')
  return merge([
    ...(entity.owner === null ? [] : [partsOfKey(entity, byKey)]),
    ...ordered,
    ...(texts.length > 0 ? [oneText(entity, texts)] : []),
    ...(ownerExpires ? [expiryWithOwner()] : []),
  ])
}

const plain = { name: '', include: [], where: [], unique: false }

/** The key of an owned row is a document, which finds whole keys only. */
function partsOfKey(entity: Entity, serves: string[]): WantedIndex {
  const reason = `the rows of a row of ${entity.owner?.entity}, by the parts of their key`
  return { ...plain, kind: 'ordered', columns: entity.key.map(ascending), serves, reason }
}

function expiryWithOwner(): WantedIndex {
  return { ...plain, kind: 'expiry', columns: [ascending('expires_at')], serves: [], reason: 'expired rows go with their owner' }
}

/** An index entry carries no extra columns: a covered projection goes to the key's end. The key alone has an index, which can never be a partial one. */
function withoutInclude(entity: Entity, index: Index): Index {
  const columns = [...index.columns, ...index.include.map(ascending)].slice(0, maxColumns)
  const keyAlone = entity.key.length === 1 && columns.length === 1 && columns[0]?.field === entity.key[0]
  return {
    ...index,
    include: [],
    columns: keyAlone ? [...[...index.where, ...(index.presence ?? [])].map(({ field }) => ascending(field)), ...columns] : columns,
  }
}

/** A collection has one text index, over all that is searched. */
function oneText(entity: Entity, texts: Index[]): Index {
  const [first] = texts as [Index]
  const searched = texts.flatMap((index) => index.columns.map((column) => column.field))
  return {
    ...first,
    columns: entity.fields.filter((field) => searched.includes(field.name)).map((field) => ascending(field.name)),
    serves: texts.flatMap((index) => index.serves),
    reason: texts.map((index) => index.reason).join(' · '),
  }
}
