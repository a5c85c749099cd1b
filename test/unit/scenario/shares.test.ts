/** What is loaded of each entity. */
import { expect, test } from 'vitest'
import { makeDataset } from '../../../src/data/dataset.ts'
import { planTrials } from '../../../src/run/plan.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { groupsOf, sharesOf, sharesText } from '../../../src/scenario/shares.ts'

const scenario = readScenario('ecommerce')
const pace = { startSeconds: 1, loadSeconds: 0, loadRowsPerSecond: 1e6, settleSeconds: 1, verifySeconds: 1, warmUpSeconds: 1 }

test('what a list filters by is loaded in the ratio of production; what nothing joins is apart', () => {
  expect(groupsOf(scenario).map(({ entities }) => entities.join(' '))).toEqual(['customer order order_item', 'product', 'session'])
})

test('small groups are whole, large ones share what is left, and the budget is kept', () => {
  const shares = sharesOf(scenario, 1_500_000)
  expect(shares).toMatchObject({ product: 1, session: 1 })
  expect(shares.order).toBe(shares.customer)
  expect(shares.order_item).toBe(shares.customer)
  const rows = scenario.entities.reduce((sum, { name, count }) => sum + count * (shares[name] as number), 0)
  expect(rows).toBeCloseTo(1_500_000, 3)
  expect(sharesText(scenario, shares)).toBe('customer, order, order_item 0.33 %; product whole; session whole')
})

test('a budget below the small groups is divided, one above all loads all', () => {
  const few = sharesOf(scenario, 30_000)
  expect(500_000 * (few.session as number)).toBeCloseTo(10_000, 3)
  expect(Object.values(sharesOf(scenario, Number.POSITIVE_INFINITY)).every((share) => share === 1)).toBe(true)
})

test('the data set has these rows, and the work of each operation is that of production', () => {
  const plan = planTrials(scenario, 'quick', [pace])
  const { entities } = makeDataset(scenario, plan.shares)
  expect(entities.get('product')?.rows).toBe(200_000)
  expect(entities.get('session')?.rows).toBe(500_000)
  expect((entities.get('order')?.rows as number) / (entities.get('customer')?.rows as number)).toBeCloseTo(30, 1)
  expect(plan.operations.filter(({ scaleLimited }) => scaleLimited).map(({ name }) => name)).toEqual(['daily_revenue'])
})

test('what the slowest candidate would not load in its time is loaded by nobody, and that is said', () => {
  const plan = planTrials(scenario, 'quick', [pace, { ...pace, loadRowsPerSecond: 1000 }])
  expect(plan.rows).toBeLessThanOrEqual(300_010)
  expect(plan.warnings.join()).toMatch(/1,213,500 rows would take the slowest candidate more than 5 minutes to load: all get (299|300),\d+/)
  expect(planTrials(scenario, 'standard', [{ ...pace, loadRowsPerSecond: 1000 }]).rows).toBeGreaterThan(1_200_000)
})

test('the row whose values are asked for is there, however rare they are together', () => {
  const touched = new Map(planTrials(readScenario('saas-multitenant'), 'quick', [pace]).operations.map((each) => [each.name, each]))
  for (const name of ['check_permission', 'sign_in']) expect(touched.get(name), name).toMatchObject({ rowsLoaded: 1, rowsProduction: 1 })
  // One of ten tickets is open or waits.
  expect(touched.get('my_tickets')?.rowsProduction).toBe(0.1)
})
