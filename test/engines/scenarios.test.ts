/** What architects write first: every scenario of test/scenarios on every engine, answers, a replay and its invariants. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { engineNamed } from '../../src/engines/registry.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { TestBed } from '../differential/bed.ts'

const directory = fileURLToPath(new URL('../scenarios/', import.meta.url))
const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'))

/** By engine and scenario: what may be declined; anything else is a fault. */
const permittedExcuses: Record<string, Record<string, string[]>> = {
  postgres: {},
  mongodb: {},
  redis: {},
  cassandra: {
    'cms.yaml': ['sections', 'write', 'view'],
    'feed.yaml': ['like', 'do_follow', 'unfollow'],
    'iot.yaml': ['ingest'],
    'leaderboard.yaml': ['top', 'bottom', 'finish', 'give'],
    'ledger.yaml': ['book', 'move', 'by_currency'],
    'saas.yaml': ['create'],
  },
}

describe.concurrent.each(Object.keys(permittedExcuses))('%s', (name) => {
  const bed = new TestBed()
  afterAll(() => bed[Symbol.asyncDispose](), 60_000)

  test.each(files)('%s', { concurrent: false, timeout: 300_000 }, async (file) => {
    const { wrong, excuses, checked } = await bed.try(engineNamed(name), readScenario(directory + file), 2, 1)
    expect(wrong).toEqual([])
    expect(excuses).toEqual(permittedExcuses[name]?.[file] ?? [])
    expect(checked).toBeGreaterThan(20)
  })
})
