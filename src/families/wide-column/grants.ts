/** The rights of the application in a keyspace: what its operations do with each table, and nothing else. */
import type { Operation } from '../../scenario/scenario.ts'
import type { PhysicalModel } from '../model.ts'

const rights = ['SELECT', 'MODIFY'] as const
export type Right = (typeof rights)[number]

/** Of those that are performed, in the order of `rights`. */
export function rightsByTable({ accesses, stores, excuses }: PhysicalModel, operations: readonly Operation[]): Map<string, Right[]> {
  const excused = new Set(excuses.map(({ operation }) => operation))
  const named = new Set(operations.flatMap(({ name, internal }) => (internal || excused.has(name) ? [] : [name])))
  const found = new Map<string, Set<Right>>()
  for (const { operation, steps } of accesses) {
    if (!named.has(operation)) continue
    for (const { action, store } of steps) {
      const own = found.get(store) ?? new Set()
      found.set(store, own)
      if (action === 'read' || action === 'read first') own.add('SELECT')
      else own.add('MODIFY')
      // Who writes only where there is no such row, is told whether there is.
      if (action === 'write' && stores.some(({ name, unique }) => name === store && unique === true)) own.add('SELECT')
    }
  }
  return new Map(stores.flatMap(({ name }) => (found.has(name) ? [[name, rights.filter((right) => found.get(name)?.has(right))]] : [])))
}

/** Statements of who stands in the keyspace; `table`: a name as the language writes it. */
export const grantsOf = (model: PhysicalModel, operations: readonly Operation[], table: (name: string) => string): string[] =>
  [...rightsByTable(model, operations)].flatMap(([name, own]) => own.map((right) => `GRANT ${right} ON TABLE ${table(name)} TO application`))
