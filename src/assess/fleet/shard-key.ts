/** Which field to shard by, and how: cardinality, heaviest key, operations that would cross shards; strategies tried on generated keys. */
import { type EntityData, makeDataset, rowPicker } from '../../data/dataset.ts'
import { type FieldGenerator, generatedValue } from '../../data/fields.ts'
import { avalanche, keyOf, Source } from '../../data/random.ts'
import { heaviestValueShare } from '../../families/sizes.ts'
import { type Entity, entityOf, type Field, fieldOf, type Operation, type Scenario } from '../../scenario/scenario.ts'

export interface ShardKey {
  entity: string
  field: string
  /** Where the application writes the shard into the key that it makes, a row is found by its key as well; null: there is no need to. */
  shardInKey: string | null
  /** Distinct values in production, at most. */
  cardinality: number
  /** Share of the rows that the heaviest value holds. */
  heaviestShare: number
  /** Share of the calls on the entity that must ask every shard. */
  crossShard: number
}
export interface Strategy {
  name: 'hash' | 'range' | 'directory' | 'geo'
  /** Load of the heaviest shard over the average. */
  loadImbalance: number
  rowsImbalance: number
  note: string
}
export interface ShardProposal {
  shards: number
  key: ShardKey
  /** What was weighed, best first. */
  keys: ShardKey[]
  strategies: Strategy[]
  /** Share of the rows that move when one shard is added. */
  moved: { consistentHashing: number; modulo: number; least: number }
}

const shards = 8
const sampleRows = 20_000
const sampleDraws = 50_000
const virtualNodes = 128

/** null where no operation addresses an entity by a field that could divide it. */
export function proposeShardKey(scenario: Scenario): ShardProposal | null {
  const [heaviest] = [...scenario.entities]
    .filter((entity) => entity.owner === null)
    .sort((a, b) => loadOn(scenario, b) - loadOn(scenario, a) || b.count - a.count)
  const largest = [...scenario.entities].filter((entity) => entity.owner === null).sort((a, b) => b.count - a.count)[0]
  const entity = largest !== undefined && loadOn(scenario, largest) > 0 ? largest : heaviest
  if (entity === undefined) return null
  const keys = shardKeysOf(scenario, entity)
  const [key] = keys
  if (key === undefined) return null
  return { shards, key, keys, ...simulateShards(scenario, entity, key) }
}

const on = (scenario: Scenario, entity: Entity) => scenario.operations.filter((operation) => operation.entity === entity.name)
const loadOn = (scenario: Scenario, entity: Entity) => on(scenario, entity).reduce((sum, operation) => sum + operation.ratePerSecond, 0)

/** The key and every field that operations filter by; fewest calls across shards first, then the lightest heaviest value. */
export function shardKeysOf(scenario: Scenario, entity: Entity): ShardKey[] {
  const names = new Set([...entity.key, ...on(scenario, entity).flatMap((operation) => filtersOf(operation))])
  const total = loadOn(scenario, entity)
  return [...names]
    .map((name) => {
      const field = fieldOf(entity, name)
      const shardInKey = shardInKeyOf(entity, field)
      const crossing = on(scenario, entity).filter((operation) => !addresses(operation, entity, { field: name, shardInKey }))
      return {
        entity: entity.name,
        field: name,
        shardInKey,
        cardinality: cardinalityOf(scenario, entity, field),
        heaviestShare: heaviestValueShare(scenario, field, entity.count),
        crossShard: total === 0 ? 0 : crossing.reduce((sum, operation) => sum + operation.ratePerSecond, 0) / total,
      }
    })
    .filter((key) => key.cardinality >= shards * 10 && key.heaviestShare < 1 / shards)
    .sort((a, b) => a.crossShard - b.crossShard || a.heaviestShare - b.heaviestShare)
}

const filtersOf = (operation: Operation) =>
  operation.kind === 'list' || operation.kind === 'aggregate'
    ? operation.where.flatMap((filter) => (filter.constant === null ? [filter.field] : []))
    : []

/** Rows that belong to another one, as orders do to a customer, are put where that one is: the key that is made for them says where. */
function shardInKeyOf(entity: Entity, { name, generator }: Field): string | null {
  const [key, ...others] = entity.key
  return generator.kind === 'reference' && key !== undefined && others.length === 0 && key !== name ? key : null
}

/** Whether a call says by its parameters which shard it means. */
export function addresses(operation: Operation, entity: Entity, { field, shardInKey }: Pick<ShardKey, 'field' | 'shardInKey'>): boolean {
  switch (operation.kind) {
    case 'list':
    case 'aggregate':
      return filtersOf(operation).includes(field) || (shardInKey !== null && filtersOf(operation).includes(shardInKey))
    case 'search':
      return false
    case 'insert':
    case 'transaction':
      return true
    default:
      return entity.key.includes(field) || shardInKey !== null
  }
}

function cardinalityOf(scenario: Scenario, entity: Entity, { generator }: Field): number {
  switch (generator.kind) {
    case 'reference':
      return entityOf(scenario, generator.entity).count
    case 'number':
      return Math.min(entity.count, generator.high - generator.low + 1)
    case 'enum':
      return generator.values.length
    case 'bool':
      return 2
    default:
      return entity.count
  }
}

/** Rows and draws of a small data set of the scenario, put on shards by each strategy. */
function simulateShards(scenario: Scenario, entity: Entity, key: ShardKey): Pick<ShardProposal, 'strategies' | 'moved'> {
  const dataset = makeDataset(scenario, Math.min(1, sampleRows / entity.count))
  const data = dataset.entities.get(entity.name)
  if (data === undefined) throw new Error(`no data of ${entity.name}`)
  const at = entity.fields.findIndex((field) => field.name === key.field)
  const generator = data.generators[at] as FieldGenerator
  const values = Array.from({ length: data.rows }, (_, row) => keyText(generator, row))
  const hashes = values.map((value) => keyOf(1, value))
  const sorted = [...new Set(values)].sort()
  const rangeOf = new Map(sorted.map((value, index) => [value, Math.min(shards - 1, Math.floor((index / sorted.length) * shards))]))
  const reads = on(scenario, entity).filter((operation) => operation.kind !== 'insert' && operation.kind !== 'transaction')
  const draws = reads.flatMap((operation) => {
    const pick = rowPicker(dataset, entity.name, operation.pick.skew)
    const source = new Source().restart(keyOf(scenario.seed, `shards ${operation.name}`), 1)
    const n = Math.round((sampleDraws * operation.ratePerSecond) / Math.max(1e-12, loadOn(scenario, entity)))
    return Array.from({ length: n }, () => pick(source))
  })
  /** `placed`: of each row, its shard. */
  const counted = (placed: number[]) => ({
    rowsImbalance: imbalance(placed),
    loadImbalance: imbalance(draws.map((row) => placed[row] as number)),
  })
  const directory = directoryOf(values, draws)
  const strategies: Strategy[] = [
    { name: 'hash', ...counted(hashes.map((hash) => hash % shards)), note: 'spreads every key; ranges of keys ask every shard' },
    {
      name: 'range',
      ...counted(values.map((value) => rangeOf.get(value) as number)),
      note: 'keeps neighbours together; new keys may all fall on one shard',
    },
    {
      name: 'directory',
      ...counted(values.map((value) => directory.get(value) as number)),
      note: 'heaviest keys are placed first; the directory is one more store to ask',
    },
  ]
  const geo = geoOf(data)
  if (geo !== null)
    strategies.push({ name: 'geo', ...counted(values.map((_, row) => geo.shardOf(row))), note: `by ${geo.field}: the rows of a region stay there` })
  return { strategies, moved: movedRows(hashes) }
}

function keyText(generator: FieldGenerator, row: number): string {
  const value = generatedValue(generator, row, 0, 0)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}

const geographic = /^(country|region|continent|market)(_code|_id)?$/

/** By a field whose name says that it is a place; null where the entity has none. */
function geoOf(data: EntityData): { field: string; shardOf: (row: number) => number } | null {
  const generator = data.generators.find((each) => geographic.test(each.field.name) && each.numeric)
  return generator === undefined ? null : { field: generator.field.name, shardOf: (row) => generator.number(row, 0, 0) % shards }
}

/** Heaviest share of the counts over their average. */
function imbalance(placed: number[]): number {
  if (placed.length === 0) return 1
  const counts = new Array<number>(shards).fill(0)
  for (const shard of placed) counts[shard] = (counts[shard] as number) + 1
  return (Math.max(...counts) * shards) / placed.length
}

/** Keys to shards, heaviest first, each to the shard with least load so far. */
function directoryOf(values: string[], draws: number[]): Map<string, number> {
  const load = new Map<string, number>()
  for (const value of values) load.set(value, (load.get(value) ?? 0) + 0.01)
  for (const row of draws) load.set(values[row] as string, (load.get(values[row] as string) as number) + 1)
  const loads = new Array<number>(shards).fill(0)
  const placed = new Map<string, number>()
  for (const [value, weight] of [...load].sort((a, b) => b[1] - a[1])) {
    const least = loads.indexOf(Math.min(...loads))
    loads[least] = (loads[least] as number) + weight
    placed.set(value, least)
  }
  return placed
}

/** Rows that change their shard when a ninth one comes: a ring of virtual nodes against the remainder of the hash. */
function movedRows(hashes: number[]): ShardProposal['moved'] {
  const ring = (n: number) =>
    Array.from({ length: n }, (_, shard) =>
      Array.from({ length: virtualNodes }, (__, copy) => ({ point: avalanche(avalanche(shard + 1) ^ Math.imul(copy + 1, 0x9e3779b1)), shard })),
    )
      .flat()
      .sort((a, b) => a.point - b.point)
  const owner = (points: { point: number; shard: number }[], hash: number) => {
    let [low, high] = [0, points.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((points[middle] as { point: number }).point < hash) low = middle + 1
      else high = middle
    }
    return (points[low % points.length] as { shard: number }).shard
  }
  const [before, after] = [ring(shards), ring(shards + 1)]
  const share = (moves: (hash: number) => boolean) => hashes.filter(moves).length / Math.max(1, hashes.length)
  return {
    consistentHashing: share((hash) => owner(before, hash) !== owner(after, hash)),
    modulo: share((hash) => hash % shards !== hash % (shards + 1)),
    least: 1 / (shards + 1),
  }
}
