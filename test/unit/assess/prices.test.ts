/** The catalogues: made of their extracts, of the region that was asked for, and pruned without making any fleet dearer. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generateCatalogues } from '../../../src/assess/cost/prices/generate.ts'
import { caveats, consulted, readPrices, type Shape, serversOf } from '../../../src/assess/cost/prices.ts'
import { cheapest } from '../../../src/assess/fleet/cheapest.ts'
import { networkBytesPerSecond } from '../../../src/assess/fleet/plan-assumptions.ts'
import type { Need, Terms } from '../../../src/assess/fleet/supply.ts'
import { undominated } from '../../../src/assess/fleet/undominated.ts'
import { cassandra } from '../../../src/engines/cassandra/index.ts'
import { mongodb } from '../../../src/engines/mongodb/index.ts'

const catalogues = readPrices()
const today = new Date('2026-11-21')
const instances = (region: string) => catalogues.find((each) => each.region === region && each.instances.length > 0)?.instances ?? []
const priceOf = (region: string, name: string) => instances(region).find((each) => each.name === name)?.usdPerHour

describe('the catalogues', () => {
  test('are what their extracts make', () => {
    for (const [name, text] of generateCatalogues())
      expect(readFileSync(fileURLToPath(new URL(`../../../src/assess/cost/prices/${name}`, import.meta.url)), 'utf8'), name).toBe(text)
  })

  test.each([
    ['us-east-1', 'm6i.2xlarge', 0.384],
    ['us-east-1', 'r7g.16xlarge', 3.4272],
    ['us-east-1', 'r6i.32xlarge', 8.064],
    ['us-east-1', 'i4i.4xlarge', 1.373],
    ['us-east-1', 'i3en.xlarge', 0.452],
    ['us-west-2', 'm8g.24xlarge', 4.30848],
    ['eu-west-1', 'r7g.2xlarge', 0.4794],
    ['eu-west-1', 'm8g.2xlarge', 0.40016],
    ['eu-west-1', 'c7g.16xlarge', 2.4806],
    ['eu-central-1', 'r8g.12xlarge', 3.41088],
    ['eu-central-1', 'm7g.12xlarge', 2.3462],
  ])('%s: %s costs as listed, within 0.1 %%', (region, name, usdPerHour) => {
    expect((priceOf(region, name) as number) / usdPerHour).toBeCloseTo(1, 3)
  })

  test('have general, memory, compute and storage families of Intel, AMD and Arm, generations 6 to 8, in the usual region', () => {
    const families = new Set(instances('us-east-1').map(({ name }) => name.split('.')[0]))
    for (const kind of ['m', 'r', 'c'])
      for (const generation of [6, 7, 8]) for (const maker of ['i', 'a', 'g']) expect(families).toContain(`${kind}${generation}${maker}`)
    for (const family of ['i4i', 'i8g', 'i3en', 'm6id']) expect(families).toContain(family)
  })

  test('have the limits of block storage since September 2025', () => {
    for (const { blockStorage } of catalogues)
      if (blockStorage !== undefined) expect(blockStorage).toMatchObject({ mostIops: 80_000, mostGb: 65_536 })
  })

  test('name the source and the date of every price', () => {
    for (const { instances: servers, managed, sources, blockStorage, terms } of catalogues)
      for (const source of [
        ...servers,
        ...managed,
        ...managed.flatMap((offer) => offer.shapes),
        ...terms,
        ...(blockStorage === undefined ? [] : [blockStorage]),
      ].map((each) => each.source))
        expect(sources[source as string]?.from, source).toMatch(/./)
  })
})

describe('the region', () => {
  const chosen = (...regions: string[]) => serversOf(catalogues, regions)?.region

  test('is the first that is asked for and has prices', () => {
    expect(chosen('eu-west-1')).toBe('eu-west-1')
    expect(chosen('sa-east-1', 'eu-central-1')).toBe('eu-central-1')
    expect(chosen('sa-east-1')).toBe('us-east-1')
    expect(chosen()).toBe('us-east-1')
  })

  test('that has none says so, and by which it is priced instead', () => {
    const said = (...regions: string[]) => caveats(serversOf(catalogues, regions) as (typeof catalogues)[number], regions, today).join('\n')
    expect(said('sa-east-1')).toMatch(/sa-east-1: priced as us-east-1 × 1\.0–1\.2, assumed/)
    expect(said('eu-west-1')).not.toMatch(/assumed/)
    expect(said('eu-west-1')).toMatch(/lack the families .*m8i/)
    expect(said('eu-west-1', 'eu-central-1')).toMatch(/eu-central-1: not priced beside eu-west-1/)
  })

  test('of servers is one; all managed offers are looked at', () => {
    const regions = consulted(catalogues, ['eu-west-1']).map((each) => `${each.provider} ${each.region}`)
    expect(regions).toEqual(['AWS EC2 eu-west-1', 'AWS us-east-1', 'MongoDB Atlas us-east-1', 'Google us-central1', 'Azure unstated'])
  })
})

describe('servers that no need would choose', () => {
  const need = fc.record({
    load: fc.double({ min: 0.1, max: 500, noNaN: true }),
    offloadable: fc.constantFrom(0, 0.05),
    writes: fc.constant(0.05),
    replicaWork: fc.constant(0.5),
    carried: fc.double({ min: 0.2, max: 10, noNaN: true }),
    doubling: fc.double({ min: 0.6, max: 1, noNaN: true }),
    host: fc.double({ min: 0.5, max: 1.2, noNaN: true }),
    bytes: fc.double({ min: 1e9, max: 5e12, noNaN: true }),
    hotBytes: fc.double({ min: 1e8, max: 1e12, noNaN: true }),
    dataBytes: fc.double({ min: 1e9, max: 5e12, noNaN: true }),
    crossing: fc.constant(0),
    fixedMemoryBytes: fc.constant(1e9),
    usdPerShard: fc.constant(400),
    usdToDivide: fc.constant(4000),
    cacheOfRest: fc.double({ min: 0.3, max: 0.8, noNaN: true }),
    pagesPerSecond: fc.double({ min: 0, max: 200_000, noNaN: true }),
    writesPerSecond: fc.double({ min: 0, max: 20_000, noNaN: true }),
    writtenBytesPerSecond: fc.double({ min: 0, max: 5e8, noNaN: true }),
    networkBytesPerSecond: fc.double({ min: 0, max: 2e9, noNaN: true }),
    month: fc.constant(0),
    hotSpread: fc.double({ min: 0.5, max: 1.5, noNaN: true }),
    diskFill: fc.constant(0.75),
    memoryFill: fc.constant(0.75),
    ioHeadroom: fc.constant(1.2),
  })

  test.each([mongodb, cassandra])('$name: the cheapest fleet of the others costs the same', ({ traits }) => {
    const shapes = instances('us-east-1').sort((a, b) => a.vcpus - b.vcpus)
    const kept = undominated(shapes)
    expect(kept.length).toBeLessThan(shapes.length / 3)
    const { blockStorage } = serversOf(catalogues, []) as (typeof catalogues)[number]
    const terms: Terms = {
      topology: traits.plan.topology,
      memoryBound: false,
      commandThreads: null,
      divisible: true,
      benchCpus: 1,
      missAt: (cached) => (1 - cached) ** 2,
      block: blockStorage as Terms['block'],
      minUsdPerHour: Math.min(...shapes.map((each) => each.usdPerHour as number)),
      networkBytesPerSecond,
    }
    fc.assert(
      fc.property(need, (asked: Need) => {
        const of = (some: Shape[]) => cheapest(some, asked, terms).usdPerMonth
        expect(of(kept)).toBeCloseTo(of(shapes), 6)
      }),
      { numRuns: 150, seed: 12 },
    )
  })

  test('of two that are alike one stays', () => {
    const shape = { name: 'a', vcpus: 2, memoryGib: 8, usdPerHour: 0.1 }
    expect(undominated([shape, { ...shape, name: 'b' }]).map((each) => each.name)).toEqual(['a'])
    expect(
      undominated([
        { ...shape, localDiskGib: 100 },
        { ...shape, name: 'b' },
      ]),
    ).toHaveLength(2)
    expect(undominated([shape, { ...shape, name: 'b', shardable: false }]).map((each) => each.name)).toEqual(['a'])
    expect(
      undominated([
        { ...shape, shardable: false },
        { ...shape, name: 'b' },
      ]).map((each) => each.name),
    ).toEqual(['b'])
    expect(undominated([shape, { ...shape, name: 'b', networkMbitPerSecond: 1 }]).map((each) => each.name)).toEqual(['a'])
  })
})
