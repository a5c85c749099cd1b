/** What tools read of `assess --json`: these fields are there by these names, for every candidate. */
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { bounds } from '../../../src/assess/fleet/supply.ts'
import { assessCommand } from '../../../src/commands/assess.ts'

const written: string[] = []
const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
assessCommand([fileURLToPath(new URL('../../golden/results/small.json', import.meta.url))], {
  json: true,
  failOn: 'none',
  out: 'reports',
  budget: '200 USD/month',
})
stdout.mockRestore()
process.exitCode = undefined

interface Spread {
  p10: number
  p50: number
  p90: number
}
interface Fleet {
  month: number
  shape: string
  servers: number
  parts: number
  bound: string
  suffices: { month: number; probability: number; resource: string | null }[]
}
interface Told {
  decision: {
    candidates: {
      name: string
      plan: { usdPerMonth: { now: Spread; horizon: Spread }; fleet: { now: Fleet; horizon: Fleet } }
      constraints: { name: string; state: string; probability: number | null }[]
    }[]
    demand: { months: { month: number; perSecond: number; peakPerSecond: number; bytes: number }[] }
  }
}
const { decision } = JSON.parse(written.join('')) as Told

test('candidates[].plan.usdPerMonth.{now,horizon}.{p10,p50,p90}', () => {
  expect(decision.candidates.map(({ name }) => name)).toEqual(['postgres', 'mongodb'])
  for (const { plan } of decision.candidates)
    for (const { p10, p50, p90 } of [plan.usdPerMonth.now, plan.usdPerMonth.horizon]) {
      expect(p10).toBeGreaterThan(0)
      expect(p50).toBeGreaterThanOrEqual(p10)
      expect(p90).toBeGreaterThanOrEqual(p50)
    }
})

test('candidates[].plan.fleet.{now,horizon}: shape, servers, parts, what binds, and how likely it suffices by month', () => {
  for (const { plan } of decision.candidates)
    for (const [fleet, month] of [
      [plan.fleet.now, 0],
      [plan.fleet.horizon, 36],
    ] as const) {
      expect(fleet).toMatchObject({ month, shape: expect.any(String), servers: expect.any(Number), parts: expect.any(Number) })
      expect(bounds).toContain(fleet.bound)
      expect(fleet.suffices.map((each) => each.month)).toEqual(decision.demand.months.map((each) => each.month))
      for (const { probability, resource } of fleet.suffices) {
        expect(probability).toBeGreaterThanOrEqual(0)
        expect(probability).toBeLessThanOrEqual(1)
        if (resource !== null) expect(bounds).toContain(resource)
      }
    }
})

test('candidates[].constraints[].probability', () => {
  for (const { constraints } of decision.candidates) {
    expect(constraints.map(({ name }) => name)).toEqual(expect.arrayContaining(['answers', 'budget', 'fleet', 'objectives at peak']))
    for (const { probability, state } of constraints) {
      expect(['holds', 'condition', 'open', 'out']).toContain(state)
      if (probability !== null) expect(probability >= 0 && probability <= 1).toBe(true)
    }
  }
})

test('demand.months[]: what is asked, by month', () => {
  for (const each of decision.demand.months) for (const value of [each.perSecond, each.peakPerSecond, each.bytes]) expect(value).toBeGreaterThan(0)
  expect(decision.demand.months.map(({ month }) => month)).toEqual(expect.arrayContaining([0, 12, 36]))
})
