/** The models of the library's scenarios: frozen as golden files, with every permitted excuse and emulation listed. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { engineNamed, engines } from '../../../src/engines/registry.ts'
import { bucketOf } from '../../../src/families/buckets.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { heaviestValueShare, newestShare } from '../../../src/families/sizes.ts'
import { scenarioNames } from '../../../src/scenario/library.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { type Durability, entityOf, fieldOf } from '../../../src/scenario/scenario.ts'
import { modelText } from '../../../src/terminal/tables.ts'

const scenario = readScenario('ecommerce')
const golden = (name: string) => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url))

describe.each(engines.map((engine) => [engine.name, engine] as const))('ecommerce on %s', (name, engine) => {
  test('has the model and the statements that were reviewed', async () => {
    const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, engine.capabilities.durability[0] as Durability)
    await expect(modelText(compiled)).toMatchFileSnapshot(golden(`ecommerce-${name}.txt`))
  })

  test('names a reason for every store and index', () => {
    for (const store of deriveModel(engine, scenario).stores) {
      expect(store.reason, store.name).not.toBe('')
      for (const index of store.indexes) expect(index.reason, index.name).not.toBe('')
    }
  })
})

const others = scenarioNames().filter((name) => name !== scenario.name)

describe.each(others)('%s', (name) => {
  const own = readScenario(name)

  test.each(own.candidates.map((candidate) => candidate.engine))('has the model and the statements on %s that were reviewed', async (engineName) => {
    const engine = engineNamed(engineName)
    const compiled = engine.compile(deriveModel(engine, own), allOperations(own), own, engine.capabilities.durability[0] as Durability)
    await expect(modelText(compiled)).toMatchFileSnapshot(golden(`models/${name}-${engineName}.txt`))
  })
})

test('the excuses and emulations of ecommerce are these and no others', () => {
  const found = Object.fromEntries(
    engines.map((engine) => {
      const model = deriveModel(engine, scenario)
      return [
        engine.capabilities.access === 'keys' ? `${engine.family}, by keys alone` : engine.family,
        { excuses: model.excuses.map((excuse) => excuse.operation), emulations: model.emulations.map((each) => `${each.operation}: ${each.how}`) },
      ]
    }),
  )
  expect(found).toEqual({
    relational: { excuses: [], emulations: ['expiry of session: emulated: expired rows are purged in batches, as part of the measured work'] },
    document: { excuses: [], emulations: [] },
    'wide-column': {
      excuses: ['place_order'],
      emulations: [
        'order_history: emulated: 2 bucket reads as a rule, up to 8 where rows are rare, up to 8 in flight',
        'search_products: emulated: token store',
        'daily_revenue: emulated: 31 bucket reads at most, up to 8 in flight',
        'ship_order: emulated: read before write',
        'ship_order: one logged batch over 2 tables',
      ],
    },
    'key-value': {
      excuses: ['daily_revenue'],
      emulations: [
        'order_history: emulated: a script reads a sorted set, then a hash for each row',
        'browse_category: emulated: a script reads a sorted set, then a hash for each row',
        'search_products: emulated: a script reads a sorted set, then a hash for each row',
        'place_order: one script over 3 kinds of keys, atomic',
      ],
    },
    'key-value, by keys alone': {
      excuses: ['order_history', 'browse_category', 'search_products', 'place_order', 'daily_revenue'],
      emulations: ['ship_order: emulated: the item is read, changed by the client, and written unless it has changed meanwhile, else read again'],
    },
  })
})

test('a bucket is the widest that keeps the heaviest partition below 100 MB', () => {
  const order = entityOf(scenario, 'order')
  const share = heaviestValueShare(scenario, fieldOf(order, 'customer_id'), order.count)
  expect(share).toBeGreaterThan(0.01)
  expect(newestShare(order, 365.25 * 86_400_000)).toBeGreaterThan(1 / 7)
  const store = deriveModel(engineNamed('cassandra'), scenario).stores.find((each) => each.name.startsWith('order_by_customer'))
  expect(store?.bucket?.unit).toBe('year')
})

test('buckets are calendar units in UTC', () => {
  const at = Date.UTC(2026, 11, 31, 23, 59, 59, 999)
  expect(bucketOf('year', at + 1) - bucketOf('year', at)).toBe(1)
  expect(bucketOf('month', at + 1) - bucketOf('month', at)).toBe(1)
  expect(bucketOf('day', at + 1) - bucketOf('day', at)).toBe(1)
  expect(bucketOf('hour', at)).toBe(bucketOf('hour', at - 3_599_999))
})
