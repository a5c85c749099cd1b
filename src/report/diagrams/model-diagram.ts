/** What a physical model stores, as a diagram: a box for each store, a line for each reference, owner and copy. */
import type { CandidateResult } from '../../result/result.ts'
import { entityOf, type Scenario } from '../../scenario/scenario.ts'
import { columnsOf, type Store } from '../stored-columns.ts'
import type { Box, Diagram, Line } from './diagram.ts'

export function modelDiagram({ name, model: { stores } }: Pick<CandidateResult, 'name' | 'model'>, scenario: Scenario): Diagram {
  const lines = stores.flatMap((store, from) => linesOf(store, from, stores, scenario))
  const said = lines.map(({ from, to, label }) => `${stores[from]?.name} to ${stores[to]?.name} by ${label}`)
  return {
    kind: 'entities',
    alternative: `What ${name} stores: ${stores.map((store) => store.name).join(', ')}${said.length === 0 ? '' : `; ${said.join('; ')}`}`,
    boxes: stores.map((store) => boxOf(store, scenario)),
    lines,
  }
}

function boxOf(store: Store, scenario: Scenario): Box {
  const keys = new Set([...store.partition, ...store.clustering.map(({ column }) => column)])
  return {
    title: store.name,
    rows: columnsOf(store, scenario).map(({ name, type, field, own }) => ({
      name,
      note: type,
      keys: [
        ...(keys.has(name) ? (['PK'] as const) : []),
        ...(own?.generator.kind === 'reference' || own?.generator.kind === 'ownerKey' ? (['FK'] as const) : []),
        ...(own?.unique === true && field === own.name && !keys.has(name) ? (['UK'] as const) : []),
      ],
    })),
  }
}

function linesOf(store: Store, from: number, stores: Store[], scenario: Scenario): Line[] {
  const baseOf = (entity: string) => stores.findIndex((each) => each.base && each.entity === entity)
  if (!store.base) {
    const to = baseOf(store.entity)
    return to < 0 || to === from ? [] : [{ from, to, label: store.unique ? 'claims' : 'repeats', dashed: true }]
  }
  const enforced = new Set(store.references.map(({ field }) => field))
  const { fields, owner, key } = entityOf(scenario, store.entity)
  const named = fields.flatMap(({ name, generator }) => (generator.kind === 'reference' ? [{ field: name, entity: generator.entity }] : []))
  const all = [...named, ...(owner === null ? [] : [{ field: key[0] as string, entity: owner.entity }])]
  return all.flatMap(({ field, entity }) => {
    const to = baseOf(entity)
    return to < 0 ? [] : [{ from, to, label: field, dashed: !enforced.has(field) }]
  })
}
