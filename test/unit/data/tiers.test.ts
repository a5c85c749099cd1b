/** Rows that are picked by age: each age has its share of the picks and its share of time, whatever is loaded. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EntityData, makeDataset } from '../../../src/data/dataset.ts'
import { picker, tierAt, tierStarts } from '../../../src/data/distributions.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { firstMissingRow, linesPerOwner } from '../../../src/data/fields.ts'
import { Source } from '../../../src/data/random.ts'
import type { Tiers } from '../../../src/scenario/scenario.ts'
import { scenarioByAge as scenario } from './scenario-by-age.ts'

const dayMs = 86_400_000
/** Of a million samples one lies further from what it should be. */
const reach = 4.9
const bound = (share: number, draws: number) => reach * Math.sqrt((share * (1 - share)) / draws) + 1e-9

const shares = (parts: number[]) => {
  const total = parts.reduce((sum, each) => sum + each, 0)
  return parts.map((each) => each / total)
}
const law = fc.integer({ min: 1, max: 8 }).chain((many) => {
  const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: many, maxLength: many })
  return fc.tuple(weights, weights).map(([rows, picks]): Tiers => {
    const [rowShares, pickShares] = [shares(rows), shares(picks)]
    return { kind: 'tiers', tiers: rowShares.map((rowShare, at) => ({ withinMs: null, rowShare, pickShare: pickShares[at] as number })) }
  })
})

describe('a law by age', () => {
  test('gives every tier its share of the rows, and a row at least', () => {
    fc.assert(
      fc.property(law, fc.integer({ min: 1, max: 5000 }), (tiers, n) => {
        const starts = tierStarts(tiers, n)
        const sizes = [...starts].map((start, at) => (at === 0 ? n : (starts[at - 1] as number)) - start)
        expect(starts.at(-1)).toBe(0)
        expect(sizes.reduce((sum, each) => sum + each, 0)).toBe(n)
        if (n < tiers.tiers.length) return
        let [share, rows] = [0, 0]
        for (const [at, { rowShare }] of tiers.tiers.entries()) {
          expect(sizes[at]).toBeGreaterThan(0)
          share += rowShare
          rows += sizes[at] as number
          expect(Math.abs(rows - share * n)).toBeLessThanOrEqual(tiers.tiers.length)
        }
      }),
      { numRuns: 500, seed: 3 },
    )
  })

  test('gives every tier its share of the picks, and every row of one as many as any other', () => {
    fc.assert(
      fc.property(law, fc.integer({ min: 8, max: 400 }), fc.integer({ min: 0 }), (tiers, n, key) => {
        const starts = tierStarts(tiers, n)
        const draw = picker(tiers, n, 1, n * 1000)
        const source = new Source().restart(key, 1)
        const draws = 4000
        const counts = new Array<number>(n).fill(0)
        for (let at = 0; at < draws; at++) counts[draw(source)]!++
        for (const [at, { pickShare }] of tiers.tiers.entries()) {
          const [from, to] = [starts[at] as number, at === 0 ? n : (starts[at - 1] as number)]
          const own = counts.slice(from, to)
          const share = own.reduce((sum, each) => sum + each, 0) / draws
          expect(Math.abs(share - pickShare)).toBeLessThan(bound(pickShare, draws))
          const each = pickShare / (to - from)
          for (const count of own) expect(Math.abs(count / draws - each)).toBeLessThan(bound(each, draws) + 12 / draws)
          expect(tierAt(starts, from)).toBe(at)
          expect(tierAt(starts, to - 1)).toBe(at)
        }
      }),
      { numRuns: 100, seed: 4 },
    )
  })

  test('never draws a tier that has no picks, in any rounding of the sums', () => {
    const tiers = [0.1, 0.2, 0.7, 0].map((pickShare, at) => ({ withinMs: at, rowShare: 0.25, pickShare }))
    const draw = picker({ kind: 'tiers', tiers }, 40, 1)
    for (let u = 0; u < 1; u += 1 / 512) expect(draw({ next: () => u, below: () => 0 } as unknown as Source)).toBeGreaterThanOrEqual(10)
    expect(draw({ next: () => 1 - 2 ** -53, below: () => 0 } as unknown as Source)).toBeGreaterThanOrEqual(10)
  })
})

describe.each([1, 0.1])('of a share of %d of the rows', (loaded) => {
  const dataset = makeDataset(scenario, loaded)
  const { operations } = scenario
  const draws = 20_000
  const indexOf = (name: string) => operations.findIndex((each) => each.name === name)
  const rowsOf = (name: string, stream = 'ages') => {
    const params = new DrawnParameters(dataset, operations, stream, 4, scenario.epochMs)
    return Array.from({ length: draws }, () => {
      params.next(indexOf(name))
      return params.drawn.row
    })
  }
  const order = dataset.entities.get('order') as EntityData
  const createdAt = order.generators[order.entity.fields.findIndex(({ name }) => name === 'at')]
  const daysOf = (row: number) => (scenario.epochMs - (createdAt?.number(row, 0, 0) as number)) / dayMs

  test('so many picks are as new as the scenario says, by the times in the rows', () => {
    const days = rowsOf('read').map(daysOf)
    // The edge of a tier is as fine as the rows that are loaded.
    const slack = daysOf(0) / order.rows
    const hot = days.filter((each) => each <= 30 + slack).length / draws
    const warm = days.filter((each) => each > 30 - slack && each <= 365.25 + slack).length / draws
    expect(Math.abs(hot - 0.9)).toBeLessThan(bound(0.9, draws))
    expect(Math.abs(warm - 0.09)).toBeLessThan(bound(0.09, draws))
    expect(days.every((each) => each > 0 && each <= 5 * 365.25)).toBe(true)
  })

  test('are the same for a seed, others for another, and found as often as is said', () => {
    expect(rowsOf('read')).toEqual(rowsOf('read'))
    expect(rowsOf('read')).not.toEqual(rowsOf('read', 'others'))
    const rows = rowsOf('lines')
    const missed = rows.filter((row) => row >= firstMissingRow * linesPerOwner).length / draws
    expect(Math.abs(missed - 0.02)).toBeLessThan(bound(0.02, draws))
    // Lines are as old as their owners.
    const slack = daysOf(0) / order.rows
    for (const row of rows)
      if (row < firstMissingRow * linesPerOwner) expect(daysOf(Math.floor(row / linesPerOwner))).toBeLessThanOrEqual(365.25 + slack)
  })

  test('are counted by tier, those of the steps of a transaction one after the other', () => {
    const params = new DrawnParameters(dataset, operations, 'ages', 4, scenario.epochMs)
    const at = indexOf('touch')
    expect(params.tiers.counts).toEqual([3, 2, 6, 0])
    const counts = new Array<number>(6).fill(0)
    for (let n = 0; n < draws; n++) {
      params.next(at)
      for (const [step, { isPicked, row }] of params.steps.entries()) if (isPicked) counts[params.tiers.tierOf(at, step, row)]!++
    }
    for (const [tier, share] of [0.5, 0.4, 0.1, 0.1, 0.2, 0.7].entries())
      expect(Math.abs((counts[tier] as number) / draws - share), `${tier}`).toBeLessThan(bound(share, draws))
    expect(params.tiers.tierOf(at, 0, firstMissingRow + 3)).toBe(-1)
    expect(params.tiers.tierOf(indexOf('add'), 0, 3)).toBe(-1)
  })
})
