/** The rights of the application in a database of collections: what its commands do with each, and nothing else. */
import type { Operation } from '../../scenario/scenario.ts'
import type { DocumentProgram } from './compile.ts'
import { shownDocument } from './marks.ts'

const actions = ['find', 'insert', 'update', 'remove'] as const
type Action = (typeof actions)[number]

/** By collection, in the order of `actions`. */
export function rightsByCollection(operations: readonly Operation[], programs: readonly (DocumentProgram | null)[]): Map<string, Action[]> {
  const found = new Map<string, Set<Action>>()
  for (const [at, { internal }] of operations.entries()) {
    if (internal) continue
    for (const { collection, command } of programs[at]?.variants.flat() ?? []) {
      const own = found.get(collection) ?? new Set()
      found.set(collection, own)
      if ('find' in command || 'aggregate' in command) own.add('find')
      if ('insert' in command) own.add('insert')
      if ('delete' in command) own.add('remove')
      if (!('update' in command)) continue
      own.add('update')
      // Where there is no such document, it is a new one.
      if (/\bupsert: true\b/.test(shownDocument(command))) own.add('insert')
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, own]) => [name, actions.filter((action) => own.has(action))]))
}

/** Statements of a shell that is connected to the database; who runs them types the password. */
export function grantsOf(operations: readonly Operation[], programs: readonly (DocumentProgram | null)[]): string[] {
  const privileges = [...rightsByCollection(operations, programs)].map(
    ([name, own]) => `{ resource: { db: db.getName(), collection: ${JSON.stringify(name)} }, actions: ${JSON.stringify(own)} }`,
  )
  return [
    `db.createRole({ role: "application", privileges: [\n  ${privileges.join(',\n  ')}\n], roles: [] })`,
    'db.getSiblingDB("admin").createUser({ user: "application", pwd: passwordPrompt(), roles: [{ role: "application", db: db.getName() }] })',
  ]
}
