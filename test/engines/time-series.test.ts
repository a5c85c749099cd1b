/** What MongoDB's time-series collections cannot do, on a real server: the reasons for which the model has none. A server that can asks for another model. */
import { rmSync } from 'node:fs'
import { type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mongodb } from '../../src/engines/mongodb/index.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import type { Instance } from '../../src/provision/provision.ts'
import { startLocally } from '../e2e/commands.ts'

interface Reading {
  _id: number
  sensor: number
  at: Date
  value: number
}

const directory = makeRunDirectory()
const readings = 4000
let instance: Instance
let client: MongoClient
let collection: Collection<Reading>

beforeAll(async () => {
  instance = await startLocally(mongodb, directory)
  const { host, port, user, password } = instance.endpoint
  client = new MongoClient(`mongodb://${host}:${port}/`, { directConnection: true, auth: { username: user as string, password: password as string } })
  const db = client.db('series')
  await db.createCollection('reading', { timeseries: { timeField: 'at', metaField: 'sensor', granularity: 'seconds' } })
  collection = db.collection<Reading>('reading')
  await collection.createIndex({ sensor: 1, at: -1 })
  await collection.insertMany(
    Array.from({ length: readings }, (_, at) => ({ _id: at, sensor: at % 2, at: new Date(Date.UTC(2026, 0, 1) + 30_000 * (at >> 1)), value: at })),
  )
}, 60_000)
afterAll(async () => {
  await client?.close()
  await instance?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

test('two rows may have one key, and no index keeps them apart', async () => {
  await collection.insertOne({ _id: 0, sensor: 7, at: new Date(), value: 0 })
  expect(await collection.countDocuments({ _id: 0 })).toBe(2)
  await expect(collection.createIndex({ value: 1 }, { unique: true })).rejects.toThrow(/[Uu]nique/)
})

test('nothing but the whole collection has a row by its key', async () => {
  const { stages } = await collection.find({ _id: 5 }).explain('queryPlanner')
  expect(JSON.stringify(stages)).toContain('COLLSCAN')
})

test('one row is neither changed nor removed by what is not of its source', async () => {
  await expect(collection.updateOne({ _id: 5 }, { $set: { value: 6 } })).rejects.toThrow()
})

test('a transaction writes nothing into it', async () => {
  await client.withSession(async (session) => {
    session.startTransaction()
    await expect(collection.insertOne({ _id: 9, sensor: 9, at: new Date(), value: 9 }, { session })).rejects.toThrow(/time-series|timeseries/)
    await session.abortTransaction()
  })
})

test('a page in the order of the time alone is read from an index; with the key behind it all rows of a source are sorted', async () => {
  const page = async (sort: Record<string, 1 | -1>) => {
    const { stages } = await collection.find({ sensor: 1 }).sort(sort).limit(10).explain('executionStats')
    const of = (name: string) => stages.find((stage: object) => name in stage)
    return { unpacked: Number(of('$_internalUnpackBucket').nReturned), isSorted: of('$sort') !== undefined }
  }
  const byTime = await page({ at: -1 })
  expect(byTime.isSorted).toBe(false)
  expect(byTime.unpacked).toBeLessThan(readings / 20)
  expect(await page({ at: -1, _id: -1 })).toEqual({ unpacked: readings / 2, isSorted: true })
})
