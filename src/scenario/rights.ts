/** Who has to do what with an entity: the least that a role of the application needs. */
import { type Operation, writesOf } from './scenario.ts'

/** Names of the operations that do it. */
export interface Rights {
  /** Who changes or deletes a row has to find it. */
  reads: string[]
  inserts: string[]
  changes: string[]
  deletes: string[]
}

export function rightsOf(entity: string, operations: readonly Operation[]): Rights {
  const named = operations.filter(({ internal }) => !internal)
  const who = (does: (operation: Operation) => boolean) => named.filter(does).map(({ name }) => name)
  const writes = (kinds: string[]) => (operation: Operation) =>
    writesOf(operation).some((write) => kinds.includes(write.kind) && (write.entity === entity || ('with' in write && write.with.includes(entity))))
  const asks = (each: Operation) => writesOf(each).length === 0 && (each.entity === entity || ('with' in each && each.with.includes(entity)))
  return {
    reads: who((each) => asks(each) || writes(['update', 'put', 'delete'])(each)),
    inserts: who(writes(['insert', 'put'])),
    changes: who(writes(['update', 'put'])),
    deletes: who(writes(['delete'])),
  }
}
