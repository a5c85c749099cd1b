/** What differs between SQL products, where a relational model is compiled for one of them. */
import type { Entity, Field, Scenario } from '../../scenario/scenario.ts'
import type { Definition } from '../definitions.ts'
import type { Index, Store } from '../model.ts'
import type { Parts } from '../parts.ts'

/** A parameter that travels as rows: owned rows of an insert, or targets of an update. */
export interface RowsParameter {
  fields: Field[]
  /** As many as `placesOfRows` asks for. */
  places: string[]
  /** Of the fields' columns. */
  types: string[]
}

export interface SqlDialect {
  /** By which a scenario names its own statements for the product. */
  name: string
  /** Quoted. */
  id(name: string): string
  table(entity: string): string
  column(field: string): string
  /** Type of a column, in expressions and arrays. */
  type(scenario: Scenario, entity: Entity, field: Field): string
  /** The type as a table with these indexes declares it: texts sort by their bytes. */
  columnType(scenario: Scenario, entity: Entity, field: Field, indexes: Index[]): string
  text(literal: string): string
  /** Counted from 1. */
  placeholder(at: number): string
  /** Placeholders are told apart by where they stand: a value that is used twice is bound twice. */
  isPositional: boolean
  /** A column in an order, of an index or of rows, where those without a value come first, or descending last. */
  ordered(column: string, descending: boolean, isOptional: boolean): string
  /** Behind a cursor in a keyset, which holds values for the same columns. */
  after(columns: string[], places: string[], descending: boolean): string
  /** How an index carries columns along that it is not searched by: in a clause of their own, or behind those of its key. */
  include: 'clause' | 'key'
  /** An index for words; over which fields. */
  textIndex(name: string, store: Store, fields: string[]): string
  dropIndex(name: string, store: Store): string
  /** How a table is made of parts by time. */
  parts: DividedTables
  /** What a reference is called where it is dropped. */
  foreignKey: 'CONSTRAINT' | 'FOREIGN KEY'
  /** Whether one of the fields has the word. */
  hasWord(fields: string[], place: string): string
  /** Start of the day or hour of a timestamp, in UTC. */
  truncated(unit: 'day' | 'hour', column: string): string
  /** Behind an insert: the new values take the place of those of the row with the same key; a unique value of another row is refused. */
  upsert(entity: Entity, columns: string[]): string
  /** Places that a parameter of so many columns takes: one for each as an array, or one for all as a document. */
  placesOfRows(columns: number): number
  /** Owned rows of one owner, all at once. */
  insertLines(insert: LinesInsert): string
  /** What an update that reads other rows, too, calls the column that it sets; `of`: the table's own name there, with a point. */
  assigned(of: string, column: string): string
  /** An update of the rows that targets name, locked in the order of their keys. */
  updateTargets(update: TargetsUpdate): string
}

/** `starts`: where its parts begin, of which the last is where all later rows lie. */
export interface DividedTable extends Parts {
  table: string
  starts: number[]
}

export interface DividedTables {
  /** Behind the columns of the table. */
  clause(divided: DividedTable): string
  /** What makes its parts, where the clause does not. */
  steps(divided: DividedTable): Definition[]
  /** What an operator does each time that a part has passed, in its order: the next is made ahead, the oldest is dropped. */
  upkeep(divided: DividedTable): Definition[]
}

export interface LinesInsert {
  table: string
  /** All columns, quoted; the owner's key is the first. */
  columns: string
  /** Place of the owner's key, and its type. */
  key: string
  keyType: string
  lines: RowsParameter
}

export interface TargetsUpdate {
  table: string
  /** Quoted name of the key. */
  key: string
  targets: RowsParameter
  /** Of a target, behind its key. */
  columns: string[]
  /** Of columns of `e`, by columns of `target`. */
  changes: string
  /** Of both: what a row that is changed must hold. */
  conditions: string[]
}
