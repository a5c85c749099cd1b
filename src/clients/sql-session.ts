/** What sessions of relational products share besides their operations: promises that they keep alike, and the purge of expired rows. */
import type { Compiled, Parity } from '../engines/engine.ts'
import type { Store } from '../families/model.ts'

/** `foreignKeys`: as many as the server says that it has. */
export function referentialIntegrity(foreignKeys: number, { model }: Compiled): Parity {
  return {
    what: 'referential integrity',
    asked: 'references point at rows',
    set: 'foreign keys, but to rows that an operation or their expiry removes',
    effective: `${foreignKeys} foreign keys`,
    ok: foreignKeys === model.stores.reduce((sum, { references }) => sum + references.length, 0),
  }
}

/** Of a server without replicas. */
export const readsOnPrimary: Parity = {
  what: 'consistency',
  asked: 'strong',
  set: 'reads on the primary',
  effective: 'one node: every read sees every acknowledged write',
  ok: true,
}

export const purgeBatchRows = 1000
const maxPurgeBatches = 10

/** Some batches of every store whose rows expire; `removeBatch` resolves with the rows that it removed, `purgeBatchRows` at most. Returns their sum. */
export async function purgeExpired(stores: readonly Store[], removeBatch: (store: Store, expiryField: string) => Promise<number>): Promise<number> {
  let removed = 0
  for (const store of stores) {
    if (store.expiry === null) continue
    for (let batch = 0; batch < maxPurgeBatches; batch++) {
      const rows = await removeBatch(store, store.expiry.field)
      removed += rows
      if (rows !== purgeBatchRows) break
    }
  }
  return removed
}
