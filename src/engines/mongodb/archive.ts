/** Documents that are old enough, into a file of their day and out of their collection. */
import { dayOf, intoStorage, type Leaving, whenWritten } from '../../families/archive.ts'
import type { PhysicalModel } from '../../families/model.ts'

export function archiveOf(leaving: Leaving, { stores }: PhysicalModel): string[] {
  const { entity, time, owned } = leaving
  const ofDay = `{"${time}":{"$gte":{"$date":"'$DAY'T00:00:00Z"},"$lt":{"$date":"'$NEXT'T00:00:00Z"}}}`
  // Rows that are embedded go with their document.
  const apart = owned.filter(({ name }) => stores.some((store) => store.base && store.entity === name))
  return [
    ...dayOf(leaving),
    ...apart.map(({ name }) => `# ${name} has a collection of its own: the same for the documents whose ${name} belongs to one of these, first`),
    `mongodump --db application --collection ${entity.name} --query '${ofDay}' --archive | ${intoStorage(entity.name, 'archive')}`,
    whenWritten,
    `mongosh application --eval 'db.getCollection("${entity.name}").deleteMany(EJSON.deserialize(${ofDay}))'`,
  ]
}
