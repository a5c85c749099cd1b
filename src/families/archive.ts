/** Rows that leave the tables for object storage: which, by which time, and when. */
import { creationOf } from '../scenario/ages.ts'
import { type Entity, ownedBy, type Scenario } from '../scenario/scenario.ts'

export interface Leaving {
  entity: Entity
  /** Time of a row's creation. */
  time: string
  days: number
  owned: Entity[]
}

const dayMs = 86_400_000

export function leavingRows(scenario: Scenario): Leaving[] {
  return scenario.entities.flatMap((entity) => {
    const time = creationOf(entity)?.name
    if (entity.archiveAfterMs === undefined || time === undefined) return []
    return [{ entity, time, days: Math.ceil(entity.archiveAfterMs / dayMs), owned: ownedBy(scenario, entity.name) }]
  })
}

/** One day at a time: no statement holds much for long, and what failed is done again. */
export const dayOf = ({ entity, days }: Leaving): string[] => [
  `# every night, ${entity.name}: the day of which all rows are older than ${days} days, in UTC`,
  `DAY=$(date -u -d '${days + 1} days ago' +%F) NEXT=$(date -u -d '${days} days ago' +%F)`,
]
/** From standard input into the file of the day; any other program that does this will do. */
export const intoStorage = (name: string, ending: string) => `gzip | rclone rcat "archive:$BUCKET/${name}/$DAY.${ending}.gz"`
/** Before anything is removed. */
export const whenWritten = '# when the files are there and hold as many rows as the tables:'
/** Of a handbook: nothing where nothing leaves. */
export const archiving = (steps: string[]) => (steps.length === 0 ? {} : { archive: steps })
/** Where no statement finds rows by their age. */
export const handmade = ({ entity, time, days }: Leaving) =>
  `# ${entity.name}: no command finds rows by their ${time}; a job of the application reads them, writes those that are older than ${days} days to object storage and deletes them as its operations do`
