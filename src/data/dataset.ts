/** The rows of one run: how many of each entity at the chosen share, and a generator for every field. */
import { type Entity, entityOf, type Field, fieldOf, rootOf, type Scenario } from '../scenario/scenario.ts'
import type { Shares } from '../scenario/shares.ts'
import { binomial, picker, type Ranker } from './distributions.ts'
import { creationTime, type FieldGenerator, fieldGenerator, generatedValue, linesPerOwner } from './fields.ts'
import { keyOf, Source } from './random.ts'
import type { Value } from './value.ts'
import { poolSize, searchedPool } from './words.ts'

export interface EntityData {
  entity: Entity
  /** Loaded rows; of an owned entity the loaded rows of its owner. */
  rows: number
  /** Rows in production; of an owned entity those of its owner. Laws range over them. */
  inProduction: number
  /** In the order of entity.fields. */
  generators: FieldGenerator[]
  /** Lines of owner i; only for owned entities. */
  linesOf(owner: number): number
}

export interface Dataset {
  scenario: Scenario
  /** Loaded shares of the production rows. */
  shares: Shares
  entities: Map<string, EntityData>
}

/** `loaded`: of each entity; one number is the share of all. */
export function makeDataset(scenario: Scenario, loaded: Shares | number): Dataset {
  const shares = typeof loaded === 'number' ? Object.fromEntries(scenario.entities.map(({ name }) => [name, loaded])) : loaded
  const shareOf = (entity: Entity) => shares[entity.name] as number
  const generators = new Map<string, FieldGenerator>()
  const births = new Map<string, (row: number) => number>()
  const rowsOf = (name: string) => loadedRows(entityOf(scenario, name), shareOf(entityOf(scenario, name)), scenario)
  const context = {
    seed: scenario.seed,
    epochMs: scenario.epochMs,
    rowsOf,
    inProduction: (name: string) => entityOf(scenario, name).count,
    bornOf: (entity: Entity) => {
      const made = births.get(entity.name) ?? creationTime(entity, rowsOf(entity.name), scenario.epochMs)
      births.set(entity.name, made)
      return made
    },
    keyOf: (name: string): FieldGenerator => {
      const entity = entityOf(scenario, name)
      const made = generators.get(name) ?? fieldGenerator(entity, fieldOf(entity, entity.key[0] as string), context)
      generators.set(name, made)
      return made
    },
    domainOf: (entity: Entity, field: Field) => domainOf(scenario, entity, field, shareOf(entity)),
  }
  const entities = new Map(
    scenario.entities.map((entity) => {
      const { owner } = entity
      const source = new Source()
      const key = keyOf(scenario.seed, `${entity.name} lines`)
      const draw: Ranker = owner === null ? () => 0 : binomial(owner.least, owner.most, owner.mean)
      const data: EntityData = {
        entity,
        rows: rowsOf(owner?.entity ?? entity.name),
        inProduction: Math.round(entityOf(scenario, owner?.entity ?? entity.name).count),
        generators: entity.fields.map((field) => fieldGenerator(entity, field, context)),
        linesOf: (row) => draw(source.restart(key, row)),
      }
      return [entity.name, data]
    }),
  )
  return { scenario, shares, entities }
}

/** Whether a row, by its number, is one of those that are loaded. */
export function isLoaded({ entity, rows }: EntityData, row: number): boolean {
  return (entity.owner === null ? row : Math.floor(row / linesPerOwner)) < rows
}

export function loadedRows(entity: Entity, share: number, scenario: Pick<Scenario, 'entities'>): number {
  return Math.max(1, Math.round(rootOf(scenario, entity).count * share))
}

/** Distinct values: of an int field in its range, of a words field in its pool; shrinking with the share where the access depends on it. */
export function domainOf(scenario: Pick<Scenario, 'operations'>, entity: Entity, field: Field, share: number): number {
  const { generator } = field
  if (generator.kind === 'words') {
    const searched = scenario.operations.some(
      (operation) => operation.kind === 'search' && operation.entity === entity.name && operation.in.includes(field.name),
    )
    return searched ? searchedPool(share) : poolSize
  }
  if (generator.kind !== 'number') return 1
  const values = generator.high - generator.low + 1
  const by = (filters: typeof filtersBy) =>
    field.type === 'int' && scenario.operations.some((operation) => filters(operation, entity.name, field.name))
  return by(filtersBy) && !by(choosesAmong) ? Math.max(1, Math.round(values * share)) : values
}

function filtersBy(operation: Scenario['operations'][number], entity: string, field: string): boolean {
  if (operation.entity !== entity || (operation.kind !== 'list' && operation.kind !== 'aggregate')) return false
  return operation.where.some((filter) => filter.field === field && filter.constant === null)
}

/** Whether an operation names numbers that the field has in production. */
function choosesAmong(operation: Scenario['operations'][number], entity: string, field: string): boolean {
  if (operation.entity !== entity || (operation.kind !== 'list' && operation.kind !== 'aggregate')) return false
  return [...(operation.bounds ?? []), ...(operation.among ?? [])].some((each) => each.field === field)
}

export function generatorOf(data: EntityData, field: string): FieldGenerator {
  return data.generators[data.entity.fields.findIndex((each) => each.name === field)] as FieldGenerator
}

/** Picks loaded rows of an entity (owner rows of an owned one), by the law over its production rows. */
export function rowPicker(dataset: Dataset, entity: string, skew: Parameters<typeof picker>[0]): Ranker {
  const data = dataset.entities.get(entity) as EntityData
  return picker(skew, data.rows, keyOf(dataset.scenario.seed, `popular ${data.entity.owner?.entity ?? entity}`), data.inProduction)
}

/** One whole row, values in the order of entity.fields. */
export function rowValues(data: EntityData, row: number, version: number, nowMs: number): Value[] {
  return data.generators.map((generator) => generatedValue(generator, row, version, nowMs))
}

/** Row numbers of the lines of an owner. */
export function lineRows(owned: EntityData, owner: number): number[] {
  return Array.from({ length: owned.linesOf(owner) }, (_, index) => owner * linesPerOwner + index + 1)
}
