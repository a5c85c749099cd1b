/** How much of each entity is loaded: entities that an operation joins go together, small groups are loaded whole. */
import { loadedRows } from '../data/dataset.ts'
import { type Entity, entityOf, type Operation, type Scenario } from './scenario.ts'

/** Loaded share of an entity's production rows, by its name. */
export type Shares = Readonly<Record<string, number>>

export interface Group {
  entities: string[]
  /** In production, owned rows included. */
  rows: number
}

/** Entities that refer to one another where an operation filters or groups by the reference, with what they own: their ratio is part of the work. */
export function groupsOf({ entities, operations }: Pick<Scenario, 'entities' | 'operations'>): Group[] {
  const group = new Map(entities.map(({ name }) => [name, name]))
  const join = (one: string, other: string) => {
    const [from, to] = [group.get(one) as string, group.get(other) as string]
    for (const [name, own] of group) if (own === from) group.set(name, to)
  }
  for (const { name, owner } of entities) if (owner !== null) join(name, owner.entity)
  for (const operation of operations) {
    const entity = entityOf({ entities }, operation.entity)
    for (const field of joining(operation)) {
      const generator = entity.fields.find(({ name }) => name === field)?.generator
      if (generator?.kind === 'reference') join(entity.name, generator.entity)
      if (generator?.kind === 'ownerKey' && entity.owner !== null) join(entity.name, entity.owner.entity)
    }
  }
  return [...Map.groupBy(entities, ({ name }) => group.get(name)).values()].map((own) => ({
    entities: own.map(({ name }) => name),
    rows: own.reduce((sum, { count }) => sum + count, 0),
  }))
}

function joining(operation: Operation): string[] {
  if (operation.kind === 'list') return operation.where.map(({ field }) => field)
  if (operation.kind !== 'aggregate') return []
  return [...operation.where.map(({ field }) => field), ...(operation.groupBy === null ? [] : [operation.groupBy.field])]
}

/** At most so many rows in all: each group gets an equal part of them, and what a small one leaves goes to the others. */
export function sharesOf(scenario: Pick<Scenario, 'entities' | 'operations'>, maxRows: number): Shares {
  const groups = groupsOf(scenario).toSorted((a, b) => a.rows - b.rows)
  const shares: Record<string, number> = {}
  let left = maxRows
  for (const [at, { entities, rows }] of groups.entries()) {
    const share = Math.min(1, left / (groups.length - at) / rows)
    for (const name of entities) shares[name] = share
    left -= share * rows
  }
  return shares
}

/** Rows of an entity that are loaded; owned rows on average. */
export function rowsLoaded(scenario: Pick<Scenario, 'entities'>, entity: Entity, shares: Shares): number {
  return loadedRows(entity, shares[entity.name] as number, scenario) * (entity.owner?.mean ?? 1)
}

/** For people: "product whole; customer, order 0.33 %". */
export function sharesText(scenario: Pick<Scenario, 'entities' | 'operations'>, shares: Shares): string {
  return groupsOf(scenario)
    .map(({ entities }) => {
      const share = shares[entities[0] as string] as number
      return `${entities.join(', ')} ${share === 1 ? 'whole' : `${Number((share * 100).toPrecision(2))} %`}`
    })
    .join('; ')
}
