/** Names of indexes: readable, the same in every run, within what every engine permits, and never two alike. */
import { createHash } from 'node:crypto'
import type { Index } from './model.ts'

const maxNameBytes = 63
const hashDigits = 8

/**
 * A name says the columns, and of an index of some rows which ones; a hash of the whole definition follows where that is cut, or where `taken` or
 * another index has the name already.
 */
export function nameIndexes(indexes: Index[], prefix: string, taken: Set<string>): Index[] {
  const texts = indexes.map((index) => prefix + plainName(index))
  return indexes.map((index, at) => {
    const text = texts[at] as string
    const unclear = text.length > maxNameBytes || taken.has(text) || texts.filter((each) => each === text).length > 1
    const name = unclear ? hashedName(text, prefix + definition(index), taken) : text
    taken.add(name)
    return { ...index, name }
  })
}

/** The name itself where it is free, else with a hash behind it. */
export function freeName(text: string, taken: Set<string>): string {
  return text.length > maxNameBytes || taken.has(text) ? hashedName(text, text, taken) : text
}

function plainName({ kind, columns, where, presence = [] }: Index): string {
  const plain = where.map(({ constant }) => String(constant)).filter((text) => /^\w+$/.test(text))
  return `${kind === 'ordered' ? '' : `${kind}_`}${[...columns.map((column) => column.field), ...plain, ...presence.map(({ field, isNull }) => `${field}_${isNull ? 'null' : 'not_null'}`)].join('_')}`
}

function definition({ kind, columns, include, where, presence, unique }: Index): string {
  const parts = [kind, columns.map(({ field, descending }) => [field, descending]), include, where, unique]
  return JSON.stringify(presence === undefined ? parts : [...parts, presence])
}

/** Hashes again while the name is somebody else's. */
function hashedName(text: string, hashed: string, taken: Set<string>): string {
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, hashDigits)
  const name = `${text.slice(0, maxNameBytes - hashDigits - 1)}_${hash}`
  return taken.has(name) ? hashedName(text, hash, taken) : name
}
