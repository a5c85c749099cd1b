/** What operators of a relational design run: its definitions step by step, and the rights of the application. */
import { rightsOf } from '../../scenario/rights.ts'
import type { Entity, Operation, Scenario } from '../../scenario/scenario.ts'
import { dayOf, intoStorage, type Leaving, leavingRows, whenWritten } from '../archive.ts'
import type { Definition } from '../definitions.ts'
import type { PhysicalModel } from '../model.ts'
import type { SqlDialect } from './dialect.ts'
import { definitionsOf, dividedTable } from './tables.ts'

interface Design {
  scenario: Scenario
  model: PhysicalModel
  operations: Operation[]
}

/** In the order in which they are run; taken back in the opposite one. */
export function migrationsOf(dialect: SqlDialect, { scenario, model }: Design): Definition[] {
  const { tables, references } = definitionsOf(dialect, scenario, model.stores)
  return [...tables, ...references]
}

/** What is done each time that a part of a table has passed. */
export function upkeepOf({ parts }: SqlDialect, { scenario, model }: Design): Definition[] {
  return model.stores.flatMap((store) => {
    const divided = dividedTable(scenario, store)
    return divided === null ? [] : parts.upkeep(divided)
  })
}

/** To a role that is there: what the operations need, and the purge of rows that expire; parts are dropped by whom the table belongs to. Rows that hang on a deleted one go with it by no right of the role. */
export function grantsOf(dialect: SqlDialect, { scenario, model, operations }: Design): string[] {
  return model.stores.flatMap(({ name, entity, division }) => {
    const { reads, inserts, changes, deletes } = rightsOf(entity, operations)
    const expires = !division?.parts && scenario.entities.some((each) => each.name === entity && each.ttlMs !== null)
    const rights = [
      ...(reads.length > 0 || expires ? ['SELECT'] : []),
      ...(inserts.length > 0 ? ['INSERT'] : []),
      ...(changes.length > 0 ? ['UPDATE'] : []),
      ...(deletes.length > 0 || expires ? ['DELETE'] : []),
    ]
    return rights.length === 0 ? [] : [`GRANT ${rights.join(', ')} ON ${dialect.table(name)} TO application`]
  })
}

/** A product's client, as a shell calls it. */
export interface SqlShell {
  /** What prints the rows that a query tells as lines of a file. */
  print(query: string): string
  run(statement: string): string
  /** File that `print` writes. */
  ending: string
  /** Beginning of a day of UTC, as a time. */
  time(day: string): string
}

/** Each day's rows into a file, those that they own first; deleted with what they own. */
export function archiveOf(dialect: SqlDialect, shell: SqlShell, { scenario }: Pick<Design, 'scenario'>): string[] {
  return leavingRows(scenario).flatMap((leaving) => [
    ...dayOf(leaving),
    ...leaving.owned.map((owned) => `${shell.print(linesOf(dialect, shell, leaving, owned))} | ${intoStorage(owned.name, shell.ending)}`),
    `${shell.print(`SELECT * FROM ${dialect.table(leaving.entity.name)} WHERE ${ofDay(dialect, shell, leaving)}`)} | ${intoStorage(leaving.entity.name, shell.ending)}`,
    whenWritten,
    shell.run(`DELETE FROM ${dialect.table(leaving.entity.name)} WHERE ${ofDay(dialect, shell, leaving)}`),
  ])
}

const ofDay = (dialect: SqlDialect, shell: SqlShell, { time }: Leaving) =>
  `${dialect.column(time)} >= ${shell.time('$DAY')} AND ${dialect.column(time)} < ${shell.time('$NEXT')}`

const linesOf = (dialect: SqlDialect, shell: SqlShell, leaving: Leaving, owned: Entity) =>
  `SELECT * FROM ${dialect.table(owned.name)} WHERE ${dialect.column(owned.key[0] as string)} IN (SELECT ${dialect.column(leaving.entity.key[0] as string)} FROM ${dialect.table(leaving.entity.name)} WHERE ${ofDay(dialect, shell, leaving)})`
