/** A scenario after everything that can be derived was derived: plain data, safe to clone, print and store. */
import type { Skew } from './units.ts'

export const fieldTypes = ['uuid', 'int', 'decimal', 'bool', 'enum', 'words', 'email', 'timestamp', 'json', 'bytes'] as const
export type FieldType = (typeof fieldTypes)[number]

/** How the values of a field come about; numbers of a decimal are integers of its scale. */
export type Generator =
  | { kind: 'uuid'; version: 4 | 7 }
  | { kind: 'rowNumber' }
  | { kind: 'number'; low: number; high: number; mean: number | null; skew: Skew }
  | { kind: 'bool'; share: number }
  | { kind: 'enum'; values: string[]; weights: number[] }
  | { kind: 'words'; least: number; most: number }
  | { kind: 'email' }
  | { kind: 'timestamp'; withinMs: number | null }
  | { kind: 'json' | 'bytes'; bytes: number; compressibility: number }
  | { kind: 'reference'; entity: string; skew: Skew }
  | { kind: 'ownerKey' }
  | { kind: 'line' }
  | { kind: 'expiresAt' }

export interface Field {
  name: string
  type: FieldType
  /** Digits after the point of a decimal, else 0. */
  scale: number
  generator: Generator
  unique: boolean
  pii: boolean
  /** Share of the rows that have no value; absent: every row has one. */
  optional?: number
  /** Not written in the scenario: owner key, line, expires_at. */
  implicit: boolean
}

export interface Entity {
  name: string
  /** Rows in production today; of an owned entity owners × mean lines. */
  count: number
  growthPerMonth: number
  retentionMs: number | null
  /** Rows that are older lie in object storage; absent: all stay in the tables. */
  archiveAfterMs?: number
  ttlMs: number | null
  /** Age of the oldest row. */
  ageMs: number
  owner: { entity: string; least: number; most: number; mean: number } | null
  fields: Field[]
  /** Names of the key fields, in order. */
  key: string[]
  /** The reference that says which tenant's a row is; absent: nothing in the row says it. */
  tenant?: string
}

export type Constant = string | number | boolean
export interface Filter {
  field: string
  /** null: the value of a picked row, bound as a parameter. */
  constant: Constant | null
}
/** A window of times that ends at the replay time. */
export interface Window {
  field: string
  ms: number
}
/** Numbers from one on and below another, in units of the field's last digit; null: there is no such end. */
export interface Bounds {
  field: string
  from: number | null
  below: number | null
}
/** Whether a row has a value at all. */
export interface Presence {
  field: string
  isNull: boolean
}
/** Texts that begin as that of a picked row does. */
export interface Prefix {
  field: string
  characters: number
}
export type Range = Window | Bounds | Prefix
/** One of some constants; or, `none`, any other value. */
export interface Among {
  field: string
  constants: Constant[]
  none?: true
}
/** Which rows are asked for: those that equal, that have a value or none, that lie in all of the ranges, and that have, or have none, of some constants. */
export interface Selection {
  where: Filter[]
  presence?: Presence[]
  over?: Window | null
  bounds?: Bounds[]
  prefixes?: Prefix[]
  among?: Among[]
}
export interface Order {
  field: string
  descending: boolean
}
/** A constant null: the field has no value from then on. */
export type Assignment = { field: string; to: 'now' | 'any' } | { field: string; to: 'constant'; constant: Constant | null }
export interface Addition {
  field: string
  /** Integer of the field's scale; multiplied with the owned row's field where `from` names one. */
  amount: number
  from: string | null
}
export const comparisons = ['equals', 'gt', 'gte', 'lt', 'lte'] as const
export type Comparison = (typeof comparisons)[number]
/** What the addressed row must hold for an update to be done; compared together with the write. */
export interface Guard {
  field: string
  is: Comparison
  /** null, of `equals` alone: that the row has no value. */
  constant: Constant | null
  /** Of rows that `via` leads to: the field of the owned rows that lead to one, with whose sum the constant is multiplied. */
  from?: string
  /** Compared with what the update itself has read before, in place of the constant. */
  asRead?: true
}
/** Rows by age, the newest first; together they are all rows, those that nobody asks for included. */
export interface Tiers {
  kind: 'tiers'
  tiers: Tier[]
}
export interface Tier {
  /** No row of it is older, and none as new as those of the tier before; null: what is left. */
  withinMs: number | null
  /** Of the rows: it follows from their ages. */
  rowShare: number
  /** Of the picks. */
  pickShare: number
}
/** Which rows are asked for how often: by a law over their ranks, or by their age. */
export type PickLaw = Skew | Tiers
export interface Pick {
  skew: PickLaw
  miss: number
}
export const consistencies = ['strong', 'session', 'eventual'] as const
export type Consistency = (typeof consistencies)[number]
/** What an acknowledged write survives, the strongest first: a crash at once · a crash after some seconds · nothing, it lives as long as its server. */
export const durabilities = ['fsync', 'relaxed', 'volatile'] as const
export type Durability = (typeof durabilities)[number]

/** A candidate that there can be. */
export interface KnownEngine {
  name: string
  /** What it can promise of an acknowledged write. */
  durability: readonly Durability[]
  /** What can stand between clients and its server. */
  poolers?: readonly string[]
  /** It can stand beside another as its cache. */
  isCache?: boolean
}

/** Of what an engine can promise the least that is as much as was asked for; undefined: it cannot promise as much. */
export function promised(asked: Durability, offered: readonly Durability[]): Durability | undefined {
  return durabilities.slice(0, durabilities.indexOf(asked) + 1).findLast((each) => offered.includes(each))
}
export const quantileNames = ['p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const
export interface Objective {
  /** Quantile in (0, 1]; 1 is the maximum. */
  quantile: number
  name: (typeof quantileNames)[number]
  limitMs: number
}

export interface Get {
  kind: 'get'
  with: string[]
  fields: string[]
  /** Of a check of a row that nobody finds by its key: further fields whose values are told, for stores that are not by key. */
  known?: string[]
}
export interface List extends Selection {
  kind: 'list'
  /** A total order: the key comes last. */
  order: Order[]
  limit: number
  fields: string[]
  deepShare: number
}
export interface Search {
  kind: 'search'
  in: string[]
  limit: number
  fields: string[]
}
export interface Aggregate extends Selection {
  kind: 'aggregate'
  groupBy: { field: string; unit: 'day' | 'hour' | null } | null
  sum: string | null
  over: Window | null
  /** Of a rank: how rows are ordered; the values of a picked row, told with the call, say before which place they are counted. */
  before?: Order[]
}
export interface Insert {
  kind: 'insert'
  with: string[]
  /** Constants that new rows begin with; absent: all their values are drawn. */
  set?: Extract<Assignment, { to: 'constant' }>[]
}
export interface Put {
  kind: 'put'
  existingShare: number
}
export interface Update {
  kind: 'update'
  set: Assignment[]
  add: Addition[]
  /** Absent: whatever the row holds. */
  guard?: Guard
  /** A read-modify-write: the fields that a request of its own reads before, outside any transaction; first of all what the guard compares. */
  reads?: string[]
  /** In a transaction: the row that the row inserted by a later step refers to; absent: one that is picked. */
  of?: { step: number; field: string }
  /** In a transaction: the reference of the owned rows just inserted whose targets are updated. */
  via: { owned: string; field: string } | null
}
export interface Delete {
  kind: 'delete'
}
export type Write = Insert | Put | Update | Delete
export type Step = Write & { entity: string; pick: Pick }
export interface Transaction {
  kind: 'transaction'
  steps: Step[]
}

export const operationKinds = ['get', 'list', 'search', 'aggregate', 'insert', 'put', 'update', 'delete', 'transaction'] as const
export type OperationKind = (typeof operationKinds)[number]
export interface OperationCommon {
  name: string
  /** The entity it addresses; of a transaction, of its first step. */
  entity: string
  ratePerSecond: number
  scales: boolean
  loadGrowthPerMonth: number
  consistency: Consistency
  stalenessMs: number | null
  objectives: Objective[]
  /** Largest share of operations that may fail. */
  errorShare: number
  pick: Pick
  /** By engine: the author's own statement. */
  native: Record<string, string>
  /** Made by the harness for its own checks; never in the mix. */
  internal: boolean
}
export type Operation = OperationCommon & (Get | List | Search | Aggregate | Write | Transaction)
export type OperationOf<K extends OperationKind> = Extract<Operation, { kind: K }>

export interface Invariant {
  name: string
  terms: { sign: 1 | -1; entity: string; field: string }[]
}
/** An index less than the rules of a family give, or one more; of a store, by the names of its model. */
export type IndexChange =
  | { kind: 'drop'; store: string; index: string }
  | { kind: 'add'; store: string; columns: { field: string; descending: boolean }[] /** Operations. */; serves: string[] }
/** A server beside a store, within the limits of both: some gets ask it first and fill it, writes by key take out what they change. */
export interface Cache {
  engine: string
  /** So old is what it holds at most. */
  ttlMs: number
  /** Of the memory that both have. */
  memoryBytes: number
  /** Names of the gets that it answers. */
  for: string[]
}
export interface Candidate {
  name: string
  engine: string
  /** Between clients and the server. */
  pooler?: string
  cache?: Cache
  durability: Durability
  /** Where it is tried beside the same with the indexes that its family's rules give. */
  indexChanges?: IndexChange[]
}
export const efforts = ['smoke', 'quick', 'standard', 'thorough'] as const
export type Effort = (typeof efforts)[number]
export interface Bench {
  scale: number | null
  cpus: number
  memoryBytes: number
  /** Ascending; empty: scale-up is assumed. */
  sizes: number[]
  effort: Effort
  repeats: number | null
  /** Times that each server is killed in the middle of its writes; absent: as often as the effort has time for. */
  kills?: number
  /** TLS, and a login with few rights, in what is measured. */
  security?: 'on'
}
/** What a licence lets its users do: anything · share changes alike · see the source, but not offer it as a service. */
export const licenceKinds = ['permissive', 'copyleft', 'source-available'] as const
export type LicenceKind = (typeof licenceKinds)[number]
/** Regimes that there are rules for. */
export const regimes = ['gdpr', 'hipaa', 'pci_dss', 'soc2', 'sox'] as const
export type Regime = (typeof regimes)[number]
export interface Requirements {
  peak: number
  durability: Durability
  availability: number | null
  rpoMs: number | null
  rtoMs: number | null
  regions: string[]
  compliance: string[]
  /** null: any. */
  licences: LicenceKind[] | null
  budgetUsdPerMonth: number | null
  /** Of those who run it; null: assumed. */
  engineerUsdPerHour: number | null
  horizonMs: number | null
}
/** A criterion of one's own: one to five stars for each candidate. */
export interface OwnCriterion {
  name: string
  stars: Record<string, number>
  /** Who says so, and when. */
  source: string
}
/** What the choice is judged by beside what was measured and planned, and what that weighs. */
export interface Preferences {
  own: OwnCriterion[]
  /** Points, 0 to 100. */
  swing: Record<string, number>
  /** `more` weighs so many times as much as `less`. */
  pairwise: { more: string; less: string; times: number }[]
}
/** What dbtrial itself judges by: one criterion for each purpose. */
export const purposes = ['money', 'headroom', 'latency', 'operations', 'fit'] as const
export interface Scenario {
  name: string
  summary: string
  seed: number
  epochMs: number
  entities: Entity[]
  operations: Operation[]
  invariants: Invariant[]
  requirements: Requirements
  criteria: Preferences
  candidates: Candidate[]
  bench: Bench
}

export function entityOf(scenario: OnlyOf<Scenario, 'entities'>, name: string): Entity {
  const entity = scenario.entities.find((each) => each.name === name)
  if (entity === undefined) throw new Error(`no entity ${name}`)
  return entity
}

export function fieldOf(entity: Entity, name: string): Field {
  const field = entity.fields.find((each) => each.name === name)
  if (field === undefined) throw new Error(`no field ${entity.name}.${name}`)
  return field
}

/** The ranges that rows lie in. */
export function rangesOf({ over, bounds = [], prefixes = [] }: Selection): Range[] {
  return [...(over == null ? [] : [over]), ...bounds, ...prefixes]
}

/** The range whose rows lie together in the order that is asked for: a list's, or of an aggregate any; null: there is none. */
export function orderRangeOf(query: List | Aggregate): Range | null {
  const isFixed = (field: string) => query.where.some((filter) => filter.field === field)
  const ranges = rangesOf(query).filter(({ field }) => !isFixed(field))
  if (query.kind === 'aggregate') return ranges[0] ?? null
  const first = query.order.find(({ field }) => !isFixed(field))
  return ranges.find(({ field }) => field === first?.field) ?? null
}

/** Whether rows may have no value of a field. */
export function isOptional(entity: Entity, name: string): boolean {
  return entity.fields.some((field) => field.name === name && field.optional !== undefined)
}

/** Whether all rows that are asked for have a value of a field: they equal one, have one of some or another than some, lie in a range of it, or are asked for by it. */
export function haveValue(entity: Entity, name: string, selection: Selection): boolean {
  const valued = (selection.presence ?? []).filter(({ isNull }) => !isNull)
  const told = [...selection.where, ...(selection.among ?? []), ...rangesOf(selection), ...valued]
  return !isOptional(entity, name) || told.some(({ field }) => field === name)
}

/** Whether a page may start behind a row: not where rows may have no value to start behind. */
export function hasDeepPages(entity: Entity, list: List): boolean {
  return list.order.every(({ field }) => haveValue(entity, field, list))
}

/** Fields that decide which rows are asked for. */
export function selectedBy(selection: Selection): string[] {
  const told = [...selection.where, ...(selection.presence ?? []), ...(selection.among ?? []), ...rangesOf(selection)]
  return [...new Set(told.map(({ field }) => field))]
}

/** The entity by whose rows others live, be it this one or the owner of it. */
export function rootOf(scenario: OnlyOf<Scenario, 'entities'>, entity: Entity): Entity {
  return entity.owner === null ? entity : entityOf(scenario, entity.owner.entity)
}

/** The owned entities of an entity, in the order of the scenario. */
export function ownedBy(scenario: OnlyOf<Scenario, 'entities'>, name: string): Entity[] {
  return scenario.entities.filter((each) => each.owner?.entity === name)
}

/** The fields of an owned row as it appears inside its owner: the line first, without the owner's key. */
export function lineFields(owned: Entity): Field[] {
  const line = owned.key.at(-1) as string
  return [fieldOf(owned, line), ...owned.fields.filter((field) => !field.implicit)]
}

/** What waits, or is under way, for longer than this is given up: dropped, or a timeout. */
export function ageBoundMs(operation: Operation): number {
  return Math.max(5000, ...operation.objectives.map((objective) => 20 * objective.limitMs))
}

/** What draws a row of its own: each step of a transaction, else the operation itself. */
export const stepsOf = (operation: Operation): (Operation | Step)[] => (operation.kind === 'transaction' ? operation.steps : [operation])

/** The writes an operation makes: one, or those of a transaction; none for reads. */
export function writesOf(operation: Operation): (Write & { entity: string })[] {
  if (operation.kind === 'transaction') return operation.steps
  if (operation.kind === 'insert' || operation.kind === 'put' || operation.kind === 'update' || operation.kind === 'delete') return [operation]
  return []
}

/** When a row of an entity with a `ttl` expires: a field that it has by itself, and that no update of the file sets. */
export const expiry = 'expires_at'

/** Whether a write is a touch of a row of this entity: its life begins anew. */
export const renewsLife = ({ name, ttlMs }: Entity, write: Write & { entity: string }) =>
  write.entity === name && ttlMs !== null && write.kind === 'update' && write.set.some(({ field }) => field === expiry)

/** What an operation or a step does, in the word of the file. */
export function verbOf(scenario: OnlyOf<Scenario, 'entities'>, work: Operation | Step): string {
  if (work.kind === 'aggregate' && work.before !== undefined) return 'rank'
  if (work.kind !== 'update') return work.kind
  if (renewsLife(entityOf(scenario, work.entity), work)) return 'touch'
  return work.reads === undefined ? 'update' : 'read_modify_write'
}

/** Whether the first request of an operation reads what the others write on. */
export function readsBefore(operation: Operation): boolean {
  const [first] = writesOf(operation)
  return first?.kind === 'update' && first.reads !== undefined
}

/** Whether a call may do nothing because of what a row holds. */
export const isGuarded = (operation: Operation) => writesOf(operation).some((write) => write.kind === 'update' && write.guard !== undefined)

/** Whether an operation adds to a field: no range bounds its values then. */
export function isAddedTo(scenario: { operations: Operation[] }, entity: Entity, field: Field): boolean {
  return scenario.operations.some((operation) =>
    writesOf(operation).some(
      (write) => write.kind === 'update' && write.entity === entity.name && write.add.some((each) => each.field === field.name),
    ),
  )
}

/** Entities that an operation writes, owned ones included. */
export function writtenEntities(operation: Operation): string[] {
  const names = writesOf(operation).flatMap((write) => [write.entity, ...(write.kind === 'insert' ? write.with : [])])
  return [...new Set(names)]
}

type OnlyOf<T, K extends keyof T> = { [P in K]: T[P] }
