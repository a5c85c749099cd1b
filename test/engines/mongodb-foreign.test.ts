/** A MongoDB server that somebody else runs: its replica set is theirs to make. */
import { rmSync } from 'node:fs'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { throwingServerErrors } from '../../src/clients/driver-errors.ts'
import { mongoError } from '../../src/engines/mongodb/errors.ts'
import { mongodb } from '../../src/engines/mongodb/index.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import type { Instance } from '../../src/provision/provision.ts'
import { startLocally } from '../e2e/commands.ts'

const directory = makeRunDirectory()
let instance: Instance

/** It is up as soon as it answers: nobody initiates it. */
async function answers(port: number): Promise<Record<string, unknown>> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, { directConnection: true, serverSelectionTimeoutMS: 1000 })
  try {
    return await client.db('admin').command({ hello: 1 })
  } finally {
    await client.close()
  }
}

beforeAll(async () => {
  const server = { ...mongodb.server, initiate: async () => {} }
  const ready = async ({ port }: { port: number }) => String((await answers(port)).maxWireVersion)
  instance = await startLocally(throwingServerErrors(mongoError, { ...mongodb, server, ready }), directory)
}, 60_000)
afterAll(async () => {
  await instance?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

test('is refused while it has no replica set, and is left without one', async () => {
  // Before it has a replica set nobody can log in to it.
  const { host, port, namespace } = instance.endpoint
  await expect(mongodb.ready({ host, port, namespace })).rejects.toThrow(/no member of a replica set/)
  expect((await answers(instance.endpoint.port)).setName).toBeUndefined()
})

test('is taken once somebody has initiated it', async () => {
  const attempt = async () => {
    await mongodb.server.initiate?.(instance.endpoint)
    return await mongodb.ready(instance.endpoint)
  }
  await expect.poll(() => attempt().catch(() => ''), { timeout: 20_000 }).toMatch(/^\d+\.\d+/)
})
