/** What a product's report says of running it: definitions, copies, rights, and what to watch. */
import type { Definition } from '../families/definitions.ts'

/** What keeps the rows of one tenant from another, besides the conditions of the operations: sentences, and the statements that make it, where there are tenants. */
export interface RowRights {
  how: string[]
  statements: string[]
}

/** Commands and statements in the product's own language, one a line; a sentence where there is none. */
export interface Handbook {
  schema: string[]
  /** The steps that make it, in their order; none where stores begin to exist with their first row. */
  migrations: Definition[]
  /** Done each time that a part of a table has passed, in this order; absent where no table lies in parts. */
  upkeep?: Definition[]
  backup: string[]
  restore: string[]
  /** How rows that are old enough come into object storage and leave the tables; absent: none do. */
  archive?: string[]
  /** What gives the role of the operations its rights, and no more. */
  grants: string[]
  rowRights: RowRights
  /** Conditions over the server's own figures. */
  alerts: string[]
  /** What tells Prometheus of them; absent: no exporter was looked up. */
  exporter?: Exporter
}

/** The names that a published exporter gives to a server's figures. */
export interface Exporter {
  /** With what it must be started with, and where its names are written down. */
  name: string
  /** What every product has, under its own names: judged by the limits of the report. Absent: it does not tell. */
  lagSeconds?: string
  connectionShare?: string
  deadlocksAnHour?: string
  /** What only this one has. */
  rules: ExporterRule[]
}

export interface ExporterRule {
  /** Words joined by underscores. */
  alert: string
  expr: string
  for: string
  severity: 'warn' | 'act'
  summary: string
}
