/** Indexes beside those that the rules of a family give, or without one of them: what is tried where a run gave reason to. */
import type { IndexChange } from '../scenario/scenario.ts'
import { nameIndexes } from './index-names.ts'
import type { Index, PhysicalModel, Store } from './model.ts'

export const withIndexChanges = (model: PhysicalModel, changes: readonly IndexChange[] = []): PhysicalModel =>
  changes.reduce((changed, change) => (change.kind === 'drop' ? without(changed, change) : withOneMore(changed, change)), model)

function without(model: PhysicalModel, { store, index }: Extract<IndexChange, { kind: 'drop' }>): PhysicalModel {
  return changed(
    model,
    store,
    (indexes) => indexes.filter(({ name }) => name !== index),
    (_, served) => (served === index ? null : served),
  )
}

function withOneMore(model: PhysicalModel, { store, columns, serves }: Extract<IndexChange, { kind: 'add' }>): PhysicalModel {
  const taken = new Set(model.stores.flatMap(({ name, indexes }) => [name, ...indexes.map((index) => index.name)]))
  const plain: Index = { name: '', kind: 'ordered', columns, include: [], where: [], unique: false, serves, reason: `tried for ${serves.join(', ')}` }
  const added = nameIndexes([plain], `${store}_`, taken)
  const name = added[0]?.name ?? null
  return changed(
    model,
    store,
    (indexes) => [...indexes, ...added],
    (operation, served) => (serves.includes(operation) ? name : served),
  )
}

/** `indexesOf`: the store's new ones; `servedBy`: the index that an operation finds its rows of the store by. */
function changed(
  model: PhysicalModel,
  store: string,
  indexesOf: (indexes: Store['indexes']) => Store['indexes'],
  servedBy: (operation: string, index: string | null) => string | null,
): PhysicalModel {
  return {
    ...model,
    stores: model.stores.map((each) => (each.name === store ? { ...each, indexes: indexesOf(each.indexes) } : each)),
    accesses: model.accesses.map((access) => ({
      ...access,
      steps: access.steps.map((step) =>
        step.store === store && step.action === 'read' ? { ...step, index: servedBy(access.operation, step.index) } : step,
      ),
    })),
  }
}
