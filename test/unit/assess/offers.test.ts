/** What others would charge, by hand: requests in units, managed sizes that cannot be sharded, servers beside the shards; and what a regime asks. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type CostPlan, costOf } from '../../../src/assess/cost/cost.ts'
import { hoursPerMonth, linesOf } from '../../../src/assess/cost/fleet-cost.ts'
import { backupUsd, diskOf, managedCost } from '../../../src/assess/cost/managed.ts'
import { type BlockStorage, type Catalogue, readPrices, serversOf } from '../../../src/assess/cost/prices.ts'
import { requestCost, unitsOf } from '../../../src/assess/cost/requests.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { isPlan, middleNeed, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { cheapest, suffices } from '../../../src/assess/fleet/cheapest.ts'
import type { Need, Terms } from '../../../src/assess/fleet/supply.ts'
import { complianceOf } from '../../../src/assess/judge/compliance.ts'
import type { EngineTraits, Parity, Topology } from '../../../src/engines/engine.ts'
import { mongodb } from '../../../src/engines/mongodb/index.ts'
import { postgres } from '../../../src/engines/postgres/index.ts'
import { valkey } from '../../../src/engines/redis/index.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { secondsPerMonth } from '../../../src/scenario/units.ts'

const prices = {
  usdPerMillionReads: 0.125,
  usdPerMillionWrites: 0.625,
  readUnitBytes: 4096,
  writeUnitBytes: 1024,
  eventualFactor: 0.5,
  transactionFactor: 2,
}

describe('requests', () => {
  const scenario = readScenario('ecommerce')
  const units = (name: string, rows: number) => {
    const operation = scenario.operations.find((each) => each.name === name)
    if (operation === undefined) throw new Error(`no operation ${name}`)
    return unitsOf(scenario, operation, rows, prices)
  }

  test('are rounded up to whole units', () => {
    // An order of 64 B with three lines of 56 B.
    expect(units('get_order', 4)).toEqual({ reads: 1, writes: 0 })
    expect(units('write_session', 1)).toEqual({ reads: 0, writes: 1 })
  })

  test('of a list are all its rows; what may be old costs half', () => {
    // 16 B of key, 8 B each of customer's key (16), status, total, two times.
    expect(units('order_history', 20)).toEqual({ reads: 1, writes: 0 })
    expect(units('daily_revenue', 64_000).reads).toBe((64_000 * 64) / 4096 / 2)
  })

  test('of a transaction cost twice: an order, three lines, three products', () => {
    expect(units('place_order', 5)).toEqual({ reads: 0, writes: 2 * (1 + 3 + 3) })
  })

  test('come to dollars by rate and month', () => {
    const one = { ...scenario, operations: scenario.operations.filter((operation) => operation.name === 'write_session') }
    expect(requestCost(one, () => 1, prices)).toBeCloseTo((300 * secondsPerMonth * 0.625) / 1e6, 6)
  })
})

describe('fleets', () => {
  const block: BlockStorage = {
    name: 'disk',
    usdPerGbMonth: 0.1,
    freeIops: 3000,
    usdPerIopsMonth: 0,
    freeMbPerSecond: 125,
    usdPerMbPerSecondMonth: 0,
    mostIops: 16_000,
    mostGb: 16_000,
  }
  const terms = (topology: Topology): Terms => ({
    topology,
    memoryBound: false,
    commandThreads: null,
    divisible: true,
    benchCpus: 1,
    missAt: () => 0,
    block,
    minUsdPerHour: 0.1,
    networkBytesPerSecond: () => 1e9,
  })
  const need: Need = {
    load: 30,
    crossing: 0,
    offloadable: 0,
    writes: 1,
    replicaWork: 1,
    carried: 10,
    doubling: 1,
    host: 1,
    dataBytes: 1e9,
    bytes: 1e9,
    hotBytes: 1e9,
    fixedMemoryBytes: 0,
    cacheOfRest: 0.5,
    pagesPerSecond: 0,
    writesPerSecond: 0,
    writtenBytesPerSecond: 0,
    networkBytesPerSecond: 0,
    month: 0,
    hotSpread: 1,
    diskFill: 0.75,
    memoryFill: 0.75,
    ioHeadroom: 1.2,
    usdPerShard: 400,
    usdToDivide: 4000,
  }
  const { topology } = mongodb.traits.plan
  const shape = { name: 'small', vcpus: 2, memoryGib: 8, usdPerHour: 0.2 }

  test('of several shards have their coordinators, of one have none', () => {
    const lines = (parts: number) => linesOf(shape, { parts, members: 3, nodes: 3 * parts }, need, terms(topology), shape.usdPerHour)
    expect(lines(1).servers).toBeCloseTo(3 * 0.2 * hoursPerMonth, 9)
    expect(lines(2).servers).toBeCloseTo((6 * 0.2 + 3 * 0.1) * hoursPerMonth, 9)
    expect(lines(2).storage).toBeCloseTo((6 + 3) * 20 * 0.1, 9)
  })

  test('a size that is not sharded carries what one of it carries, or nothing', () => {
    const shapes = [
      { ...shape, shardable: false as const },
      { ...shape, name: 'large', vcpus: 4, usdPerHour: 4 },
    ]
    expect(cheapest(shapes, { ...need, load: 20 }, terms(topology))).toMatchObject({ shape: 0, parts: 1 })
    expect(cheapest(shapes, need, terms(topology))).toMatchObject({ shape: 1, parts: 1 })
    const [small] = shapes as [(typeof shapes)[number]]
    expect(suffices(small, cheapest([small], need, terms(topology)), need, terms(topology))).toBe(false)
  })

  test('the catalogue tells which sizes are not', () => {
    const atlas = readPrices().flatMap((each) => each.managed.filter((offer) => offer.service === 'Atlas'))
    expect(atlas.flatMap((offer) => offer.shapes.filter((each) => each.shardable === false).map((each) => each.name))).toEqual(['M10', 'M20'])
  })
})

describe('managed', () => {
  const offers = readPrices().flatMap((each) => each.managed)
  const offer = (service: string) => offers.find((each) => each.service === service) as (typeof offers)[number]

  test('backups of RDS are free up to what is stored, those of Cloud SQL are not', () => {
    expect(backupUsd(offer('RDS for PostgreSQL'), 150, 200)).toBe(0)
    expect(backupUsd(offer('RDS for PostgreSQL'), 150, 100)).toBeCloseTo(50 * 0.095, 9)
    expect(backupUsd(offer('Cloud SQL for PostgreSQL'), 150, 200)).toBeCloseTo(150 * 0.08, 9)
  })

  test('I/O is charged by the price of the offer, or not at all', () => {
    const block = {
      name: 'disk',
      usdPerGbMonth: 1,
      freeIops: 3000,
      usdPerIopsMonth: 1,
      freeMbPerSecond: 1,
      usdPerMbPerSecondMonth: 1,
      mostIops: 1,
      mostGb: 1,
    }
    expect(diskOf(block, offer('RDS for PostgreSQL'))).toMatchObject({ usdPerGbMonth: 0.115, freeIops: 12_000, usdPerIopsMonth: 0.02 })
    expect(diskOf(block, offer('Atlas'))).toMatchObject({ usdPerGbMonth: 0, usdPerIopsMonth: 0 })
    expect(offer('Atlas').storageIncluded).toBe(true)
  })

  const planned = () => {
    const result = readResult(fileURLToPath(new URL('../../golden/results/small.json', import.meta.url)))
    const demand = new Demand(result.scenario)
    const candidate = result.candidates.find(({ name }) => name === 'postgres') as CandidateResult
    const plan = planCapacity({ candidate, result, demand })
    if (!isPlan(plan)) throw new Error(plan.reason)
    return { plan, cost: costOf(plan, serversOf(readPrices(), []) as Catalogue, demand, 1, 250) as CostPlan }
  }

  // Sized at the middle of every number it stood beside a fleet with headroom, and was called cheaper anyway.
  test('sizes are enough in as many draws as the fleet that they stand beside, and the next smaller is not', () => {
    const { plan: whole, cost } = planned()
    const plan = { ...whole, facts: { ...whole.facts, smallestServer: { ...whole.facts.smallestServer, vcpus: 0 } } }
    const { from, until, share } = cost.purchases.stage(0)
    // Nothing but the cores decides here, and so few that the small load of this result asks for more than the least.
    const cores = Array.from({ length: 14 }, (_, at) => 2 ** (at - 10))
    const shapes = cores.map((vcpus) => ({ name: `of ${vcpus}`, vcpus, memoryGib: 512, usdPerHour: vcpus }))
    const own = { ...offer('RDS for PostgreSQL'), shapes }
    const { what } = managedCost(plan, middleNeed(plan, 0), own, 'AWS', cost, [], 100)
    const [members, vcpus] = /^(\d+) × of ([\d.]+)$/.exec(what)?.slice(1).map(Number) as [number, number]
    const terms = { ...plan.terms(diskOf(cost.block, own), []), divisible: false }
    const shareOf = (size: number, month: number) => {
      const needs = cost.purchases.needs(month)
      const shape = shapes.find((each) => each.vcpus === size) as (typeof shapes)[number]
      return needs.filter((need) => suffices(shape, { parts: 1, members }, need, terms)).length / needs.length
    }
    expect(Math.min(shareOf(vcpus, from), shareOf(vcpus, until))).toBeGreaterThanOrEqual(share)
    expect(vcpus).toBeGreaterThan(cores[0] as number)
    expect(Math.min(shareOf(vcpus / 2, from), shareOf(vcpus / 2, until))).toBeLessThan(share)
  })

  test('no size is taken whose CPU is lent for minutes', () => {
    const { plan, cost } = planned()
    const steady = { name: 'steady', vcpus: 64, memoryGib: 512, usdPerHour: 9 }
    const named = (burstable: true | undefined) => {
      const lent = { name: 'lent', vcpus: 64, memoryGib: 512, usdPerHour: 1, burstable }
      return managedCost(plan, middleNeed(plan, 0), { ...offer('RDS for PostgreSQL'), shapes: [lent, steady] }, 'AWS', cost, [], 100).what
    }
    expect(named(undefined)).toMatch(/ × lent$/)
    expect(named(true)).toMatch(/ × steady$/)
    const lent = offers.flatMap(({ shapes }) => shapes.filter(({ burstable }) => burstable).map(({ name }) => name))
    expect(lent).toEqual(['db.t3.large', 'db.t3.large', 'db.t3.medium', 'db.t3.large', 'db.t3.medium', 'M10', 'M20'])
  })

  test('what bills by I/O that nobody measured says so', () => {
    for (const service of ['Aurora PostgreSQL', 'DocumentDB'])
      expect(offer(service).missing.join('; ')).toMatch(/0\.20 USD a million I\/O: nobody measured how many it does/)
  })

  test('no size is offered that is too small for the product', () => {
    const { plan, cost } = planned()
    const vcpusWith = (vcpus: number) => {
      const facts = { ...plan.facts, smallestServer: { ...plan.facts.smallestServer, vcpus } }
      const { what } = managedCost({ ...plan, facts }, middleNeed(plan, 0), offer('RDS for PostgreSQL'), 'AWS', cost, [], 100)
      return offer('RDS for PostgreSQL').shapes.find(({ name }) => what.endsWith(` × ${name}`))?.vcpus as number
    }
    expect(vcpusWith(1)).toBeLessThan(8)
    expect(vcpusWith(8)).toBeGreaterThanOrEqual(8)
  })

  test('Valkey is priced as Valkey: four fifths of Redis', () => {
    const usd = (service: string) => offer(service).shapes.find((each) => each.name === 'cache.r7g.xlarge')?.usdPerHour as number
    expect(offer('ElastiCache for Valkey').engines).toEqual(['valkey'])
    expect(usd('ElastiCache for Valkey') / usd('ElastiCache for Redis')).toBeCloseTo(0.8, 3)
  })

  test('transactions cost twice in DynamoDB, and nothing more in Keyspaces, which has none; provisioned units have a price', () => {
    expect(offer('DynamoDB').requests).toMatchObject({
      transactionFactor: 2,
      provisioned: { usdPerReadUnitHour: 0.00013, usdPerWriteUnitHour: 0.00065 },
    })
    expect(offer('Keyspaces').requests?.transactionFactor).toBe(1)
  })
})

describe('compliance', () => {
  const controls = (traits: EngineTraits) => traits.controls

  test('holds where something meets each control, and says what', () => {
    expect(complianceOf(['pci_dss'], controls(postgres.traits))).toMatchObject({
      holds: true,
      evidence: expect.stringMatching(/beside it audit trail by the pgaudit/),
    })
    expect(complianceOf(['GDPR', 'PCI-DSS'], controls(mongodb.traits))).toMatchObject({
      holds: true,
      evidence: expect.stringMatching(/not measured, nor priced: audit trail by MongoDB Enterprise/),
    })
  })

  test('fails where nothing does, by the rule that asks for it', () => {
    expect(complianceOf(['pci_dss'], controls(valkey.traits))).toMatchObject({
      holds: false,
      evidence: expect.stringMatching(/^has no audit trail, which pci_dss \(PCI DSS/),
    })
    expect(complianceOf(['gdpr'], controls(valkey.traits))?.holds).toBe(true)
  })

  test('is judged by what the server that was measured said; what was not on in it is said', () => {
    const row = (what: string, ok: boolean): Parity => ({ what, asked: 'on', set: 'on', effective: `${what} as seen`, ok })
    const both = [row('transport encryption', true), row('access control', true)]
    expect(complianceOf(['gdpr'], controls(postgres.traits), both)).toEqual({
      holds: true,
      evidence:
        'has what gdpr (GDPR, article 32) asks for; transport encryption was measured: transport encryption as seen; access control was measured: access control as seen; beside it encryption at rest by encrypted disks',
    })
    expect(complianceOf(['gdpr'], controls(postgres.traits), [row('transport encryption', false), row('access control', true)])).toMatchObject({
      holds: false,
      evidence: expect.stringMatching(/^has no transport encryption, which gdpr/),
    })
    expect(complianceOf(['gdpr'], controls(postgres.traits))?.evidence).toContain(
      'transport encryption and access control only by its documentation: not on in what was measured',
    )
    // Nobody asked for it: whether it was on does not matter.
    expect(complianceOf(['sox'], controls(postgres.traits), [row('transport encryption', false), row('access control', true)])?.holds).toBe(true)
  })

  test('a regime without a rule is said not to be judged', () => {
    expect(complianceOf(['house_rules'], controls(valkey.traits))).toEqual({ holds: true, evidence: 'house_rules: no rule here, not judged' })
    expect(complianceOf([], controls(valkey.traits))).toBeNull()
    expect(complianceOf(['pci_dss'], undefined)).toBeNull()
  })
})
