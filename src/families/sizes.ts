/** Sizes and shares that modelling decisions rest on, at production counts. */
import { binomialRangeShare, binomialShare, heaviestShare, pickedRankShare } from '../data/distributions.ts'
import { poolSize, prefixShareOfWords } from '../data/words.ts'
import {
  type Bounds,
  type Constant,
  type Entity,
  entityOf,
  type Field,
  type Filter,
  fieldOf,
  type Operation,
  ownedBy,
  type Presence,
  type Scenario,
  stepsOf,
} from '../scenario/scenario.ts'
import { monthMs } from '../scenario/units.ts'

/** The longest word and its space. */
const maxWordBytes = 13

/** Share of the rows that have a value. */
export const valuedShare = ({ optional = 0 }: Field) => 1 - optional

/** Average bytes of a field, without any engine's overhead: no value takes none. */
const fieldBytes = (field: Field) => valueBytes(field) * valuedShare(field)

/** Of a value that is there. */
function valueBytes(field: Field): number {
  const { generator } = field
  switch (field.type) {
    case 'uuid':
      return 16
    case 'bool':
      return 1
    case 'enum':
      return 8
    case 'email':
      return 32
    case 'words':
      return generator.kind === 'words' ? ((generator.least + generator.most) / 2) * 7 : 32
    case 'json':
    case 'bytes':
      return generator.kind === 'json' || generator.kind === 'bytes' ? generator.bytes : 64
    default:
      return 8
  }
}

/** Most bytes of a value that can be compared, without any engine's overhead. */
export function maxFieldBytes({ generator }: Field): number {
  switch (generator.kind) {
    case 'words':
      return generator.most * maxWordBytes
    case 'email':
      return 64
    case 'enum':
      return Math.max(...generator.values.map((value) => Buffer.byteLength(value)))
    default:
      return 16
  }
}

export function rowBytes(entity: Entity, names: string[] = entity.fields.map((field) => field.name)): number {
  return names.reduce((sum, name) => sum + fieldBytes(fieldOf(entity, name)), 0)
}

/** Average bytes of the named owned rows that come with a row, or of all. */
export function ownedBytes(scenario: Pick<Scenario, 'entities'>, entity: Entity, names?: string[]): number {
  return ownedBy(scenario, entity.name)
    .filter((each) => names === undefined || names.includes(each.name))
    .reduce((sum, each) => sum + (each.owner?.mean ?? 1) * rowBytes(each), 0)
}

/** Share of the rows that the heaviest value of a field holds. */
export function heaviestValueShare(scenario: Pick<Scenario, 'entities'>, field: Field, rows: number): number {
  return valuedShare(field) * heaviestOfValued(scenario, field, rows)
}

function heaviestOfValued(scenario: Pick<Scenario, 'entities'>, field: Field, rows: number): number {
  const { generator } = field
  switch (generator.kind) {
    case 'reference':
      return heaviestShare(generator.skew, entityOf(scenario, generator.entity).count)
    case 'number':
      return generator.mean === null
        ? heaviestShare(generator.skew, generator.high - generator.low + 1)
        : binomialShare(generator.low, generator.high, generator.mean, Math.round(generator.mean))
    case 'enum':
      return Math.max(...generator.weights) / generator.weights.reduce((sum, weight) => sum + weight, 0)
    case 'bool':
      return Math.max(generator.share, 1 - generator.share)
    default:
      return 1 / rows
  }
}

/** Share of the rows that have this value; of a skewed number, whose values are popular in an order of their own, at most. */
export function constantShare(field: Field, constant: Constant): number {
  return valuedShare(field) * constantOfValued(field, constant)
}

function constantOfValued({ generator }: Field, constant: Constant): number {
  switch (generator.kind) {
    case 'number': {
      const { low, high, mean, skew } = generator
      if (Number(constant) < low || Number(constant) > high) return 0
      return mean === null ? heaviestShare(skew, high - low + 1) : binomialShare(low, high, mean, Number(constant))
    }
    case 'enum':
      return (generator.weights[generator.values.indexOf(String(constant))] ?? 0) / generator.weights.reduce((sum, weight) => sum + weight, 0)
    case 'bool':
      return constant === true ? generator.share : 1 - generator.share
    case 'words':
      return poolSize ** -generator.least
    default:
      return 1
  }
}

/** Share of the rows whose number lies between bounds; of a skewed one, whose values are popular in an order of their own, as if it were not. */
export function boundsShare(field: Field, bounds: Bounds): number {
  return valuedShare(field) * boundsOfValued(field, bounds)
}

function boundsOfValued({ generator }: Field, { from, below }: Bounds): number {
  if (generator.kind !== 'number') return 1
  const { low, high, mean } = generator
  const [first, last] = [Math.max(low, from ?? low), Math.min(high, (below ?? high + 1) - 1)]
  if (first > last) return 0
  return mean === null ? (last - first + 1) / (high - low + 1) : binomialRangeShare(low, high, mean, first, last)
}

/** Share of the rows whose text begins as that of a picked row does. */
export function prefixShare(field: Field, characters: number): number {
  const { kind } = field.generator
  return valuedShare(field) * (kind === 'words' || kind === 'email' ? prefixShareOfWords(characters) : 1)
}

/** Share of the rows that a filter keeps: of a constant its own, of a bound value that of the heaviest. */
export function filterShare(scenario: Pick<Scenario, 'entities'>, entity: Entity, { field: name, constant }: Filter): number {
  const field = fieldOf(entity, name)
  return constant === null ? heaviestValueShare(scenario, field, entity.count) : constantShare(field, constant)
}

/** Share of the rows that a filter keeps as a rule: half of all rows have values that are at least so frequent. */
export function pickedShare(scenario: Pick<Scenario, 'entities'>, entity: Entity, filter: Filter): number {
  const field = fieldOf(entity, filter.field)
  const { generator } = field
  if (filter.constant === null && generator.kind === 'reference')
    return valuedShare(field) * pickedRankShare(generator.skew, entityOf(scenario, generator.entity).count)
  if (filter.constant === null && generator.kind === 'number' && generator.mean === null)
    return valuedShare(field) * pickedRankShare(generator.skew, generator.high - generator.low + 1)
  return filterShare(scenario, entity, filter)
}

/** Share of the rows that have a value, or none, as is asked for. */
export function presenceShare(entity: Entity, { field, isNull }: Presence): number {
  const share = valuedShare(fieldOf(entity, field))
  return isNull ? 1 - share : share
}

/** Share of the rows that were created in the newest span of time. */
export function newestShare(entity: Pick<Entity, 'ageMs' | 'growthPerMonth'>, spanMs: number): number {
  if (spanMs >= entity.ageMs) return 1
  const perMs = Math.log1p(entity.growthPerMonth) / monthMs
  return perMs * entity.ageMs < 1e-9 ? spanMs / entity.ageMs : Math.expm1(-perMs * spanMs) / Math.expm1(-perMs * entity.ageMs)
}

/** The operations of the scenario that a model names as reasons; checks of the harness use what is there anyway. */
export function namedOperations(operations: Operation[]): Operation[] {
  return operations.filter((operation) => !operation.internal)
}

/** The creation time of a row, where every row has it, and it stays what it is. */
export function timeOf(entity: Entity, operations: Operation[]): Field | undefined {
  const changed = changedFields(operations, entity)
  return entity.fields.find(({ name, generator, optional }) => generator.kind === 'timestamp' && optional === undefined && !changed.has(name))
}

/** Fields that some operation changes after the row was inserted. */
export function changedFields(operations: Operation[], entity: Entity): Set<string> {
  const changed = new Set<string>()
  for (const operation of operations) {
    for (const write of stepsOf(operation)) {
      if (write.entity !== entity.name) continue
      if (write.kind === 'put') for (const field of entity.fields) changed.add(field.name)
      if (write.kind === 'update') for (const each of [...write.set, ...write.add]) changed.add(each.field)
    }
  }
  return changed
}
