/** What was asked for, against the law. */
import { expect, test } from 'vitest'
import { makeDataset } from '../../../src/data/dataset.ts'
import { heaviestShare } from '../../../src/data/distributions.ts'
import { Source } from '../../../src/data/random.ts'
import { drawBuckets, mergeRecordings, type Recording } from '../../../src/measure/recorder.ts'
import type { TrialSpec } from '../../../src/replay/arrivals.ts'
import { deviations, twoSamples, Workload } from '../../../src/replay/workload.ts'
import { scenarioByAge } from '../data/scenario-by-age.ts'
import { dataset, operations, run, steady, troubled } from './sessions.ts'

const heaviest = heaviestShare({ kind: 'latest', theta: 0.99 }, 400)
const check = ({ recording, spec }: { recording: Recording; spec: TrialSpec }) => new Workload(dataset, operations).check(spec, 4, recording)

test('a trial asks for the rows of its law: before any new row is old enough, and after', async () => {
  const short = check(await run(steady, { ratesPerSecond: [5000, 1000, 1], seconds: 4.9 }))
  expect(short.fault).toBeNull()
  // The newest row shares its bucket with others.
  expect(short.realised[0]).toBeGreaterThan(heaviest * 0.95)
  expect(short.realised[0]).toBeLessThan(heaviest * 1.1)
  expect(short.asked[0]).toBeCloseTo(short.realised[0] as number, 2)
  const long = check(await run(steady, { seconds: 60, warmUpSeconds: 3 }))
  expect(long.fault).toBeNull()
  // The newest row is so for a while only.
  expect(long.realised[0]).toBeLessThan(heaviest / 4)
  expect(long.asked[0]).toBeCloseTo(long.realised[0] as number, 2)
  // New rows are not drawn.
  expect(long.realised[2]).toBeNull()
})

test('a server that fails is asked for the same, and closed loops have the same law', async () => {
  const [calm, other] = [check(await run(steady, { seconds: 12 })), check(await run(troubled, { seconds: 12 }))]
  expect(other).toEqual(calm)
  expect(check(await run(steady, { loop: 'closed', seconds: 1 })).fault).toBeNull()
})

test('what is picked by age is counted by age, and has its law', async () => {
  const aged = makeDataset(scenarioByAge, 0.1)
  const { operations } = scenarioByAge
  const { recording, spec } = await run(steady, { ratesPerSecond: [3000, 100, 500, 10], seconds: 4 }, aged)
  const { tiers, fault } = new Workload(aged, operations).check(spec, 4, recording)
  expect(fault).toBeNull()
  const of = (name: string) => tiers[operations.findIndex((each) => each.name === name)]
  const share = (counts: readonly number[], at: number) => (counts[at] as number) / counts.reduce((sum, each) => sum + each, 0)
  const read = of('read') as number[]
  expect(read.reduce((sum, each) => sum + each, 0)).toBe(recording.operations[0]?.attempts)
  expect(share(read, 0)).toBeCloseTo(0.9, 1)
  expect(share(read, 1)).toBeCloseTo(0.09, 1)
  expect(of('touch')).toHaveLength(6)
  expect(share((of('touch') as number[]).slice(0, 3), 0)).toBeCloseTo(0.5, 1)
  expect(share((of('touch') as number[]).slice(3), 2)).toBeCloseTo(0.7, 1)
  // It picks nothing.
  expect(of('add')).toBeNull()
  const merged = mergeRecordings([recording, (await run(steady, { ratesPerSecond: [3000, 100, 500, 10], seconds: 4 }, aged)).recording])
  expect(merged.operations[0]?.tiers?.[0]).toBe(2 * (read[0] as number))
})

test('a row that becomes likelier with every draw is found', async () => {
  const trial = await run(steady, { ratesPerSecond: [500, 500, 1], seconds: 12 })
  const { draws } = trial.recording.operations[0] as Recording['operations'][0]
  const source = new Source().restart(1, 1)
  // An urn: every ball that is drawn comes back with ten others like it.
  for (let n = 0; n < 600; n++) {
    let ball = source.below(draws.reduce((sum, each) => sum + each, 0))
    const bucket = draws.findIndex((each) => (ball -= each) < 0)
    draws[bucket] = (draws[bucket] as number) + 10
  }
  expect(check(trial).fault).toMatch(/^workload: other rows were asked for than the law gives: read \(χ² \d+ at \d+ degrees of freedom\)$/)
})

test('of 10,000 pairs of samples of one law none is called different', () => {
  const source = new Source().restart(2, 2)
  let most = Number.NEGATIVE_INFINITY
  for (let pair = 0; pair < 10_000; pair++) {
    const samples = [300, 900].map((size) => {
      const draws = new Uint32Array(64)
      for (let n = 0; n < size; n++) {
        const bucket = Math.floor(64 * source.next() ** 3)
        draws[bucket] = (draws[bucket] as number) + 1
      }
      return draws
    }) as [Uint32Array, Uint32Array]
    const { statistic, freedom } = twoSamples(...samples)
    most = Math.max(most, deviations(statistic, freedom))
  }
  expect(most).toBeGreaterThan(3)
  expect(most).toBeLessThan(5)
})

test('two samples without a draw in common buckets differ, few draws tell nothing', () => {
  const [a, b, few] = [new Uint32Array(drawBuckets), new Uint32Array(drawBuckets), new Uint32Array(drawBuckets)]
  for (let bucket = 0; bucket < drawBuckets; bucket++) (bucket % 2 === 0 ? a : b)[bucket] = 50
  few[3] = 2
  const apart = twoSamples(a, b)
  expect(deviations(apart.statistic, apart.freedom)).toBeGreaterThan(50)
  expect(twoSamples(few, a).freedom).toBe(0)
})
