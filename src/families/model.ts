/** What a physical model is: stores, indexes and accesses as data, with the reason for each; printed by reports, rendered by engines. */
import type { FieldType, Filter, OperationKind, Presence } from '../scenario/scenario.ts'
import type { BucketUnit } from './buckets.ts'
import type { Parts } from './parts.ts'

export type Family = 'relational' | 'document' | 'wide-column' | 'key-value'

export interface StoreColumn {
  /** Name in the store. */
  name: string
  /** Entity and field it holds; a bucket or token column has no field of its own and names the one it is made of, a version is of no field and has its name for one. */
  entity: string
  field: string
  type: FieldType
  /** Digits after the point of a decimal. */
  scale: number
  role: 'key' | 'value' | 'static' | 'line' | 'bucket' | 'token' | 'version'
}
export interface IndexColumn {
  field: string
  descending: boolean
}
export interface Index {
  name: string
  kind: 'ordered' | 'text' | 'expiry'
  columns: IndexColumn[]
  /** Columns carried along, so that the table need not be read. */
  include: string[]
  /** Constant filters of a partial index. */
  where: Filter[]
  /** Of a partial index, too: only rows that have values there, or none. */
  presence?: Presence[]
  unique: boolean
  /** Operations it serves; a constraint may serve none. */
  serves: string[]
  reason: string
}
/** Whether a table is divided by the time of its rows, and why. */
export interface TimeDivision {
  /** null: its rows lie together. */
  parts: Parts | null
  why: string
}
export interface Store {
  name: string
  /** Holds an entity's rows by key; other stores repeat them for a query. */
  base: boolean
  entity: string
  columns: StoreColumn[]
  /** Names of the columns that choose the partition (wide-column) or the primary key (others). */
  partition: string[]
  clustering: { column: string; descending: boolean }[]
  bucket: { column: string; field: string; unit: BucketUnit } | null
  /** From the values of a unique field to the row that has each: what makes the field unique. */
  unique?: true
  /** Its rows are written with the time that the version of their base row says. */
  timed?: true
  /** Constant filters: only rows that fit are in it. */
  where?: Filter[]
  /** Owned entities that live inside the owner's row or partition. */
  embedded: string[]
  indexes: Index[]
  references: { field: string; entity: string }[]
  expiry: { field: string; ttlMs: number } | null
  /** Absent: nobody would ask. */
  division?: TimeDivision
  serves: string[]
  reason: string
}
export const isInParts = ({ division }: Pick<Store, 'division'>) => division?.parts != null
/** Whether rows of an entity go with their part. */
export const liesInParts = (stores: readonly Pick<Store, 'entity' | 'division'>[], entity: string) =>
  stores.some((store) => store.entity === entity && isInParts(store))

/** One request to one store. */
export interface AccessStep {
  action: 'read' | 'read first' | 'write' | 'delete'
  store: string
  index: string | null
  /** Requests this step makes as a rule. */
  requests: number
}
export interface Access {
  operation: string
  kind: OperationKind
  steps: AccessStep[]
}
/** An expected negative: what cannot run, why, and what it would break on. Never an exception. */
export interface Excuse {
  engine: string
  /** null: the whole candidate. */
  operation: string | null
  reason: string
  bottleneck: string
}
export interface Emulation {
  operation: string
  how: string
}
export interface PhysicalModel {
  family: Family
  stores: Store[]
  accesses: Access[]
  excuses: Excuse[]
  emulations: Emulation[]
}

/** An access of one request to one store. */
export function single(
  operation: { name: string; kind: OperationKind },
  action: AccessStep['action'],
  store: string,
  index: string | null = null,
): Access {
  return { operation: operation.name, kind: operation.kind, steps: [{ action, store, index, requests: 1 }] }
}
