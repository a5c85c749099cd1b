/** Three capacities and the outcomes at a rate, of servers whose truth is known. */
import { describe, expect, test } from 'vitest'
import type { AtScaleNow } from '../../../src/assess/capacity/at-scale.ts'
import { capacityOf, drivenCapacity, saturationOf } from '../../../src/assess/capacity/capacity.ts'
import { curvesOf, sharesByLoad } from '../../../src/assess/capacity/response-curve.ts'
import { sweepOf } from '../../../src/assess/capacity/scaling.ts'
import { type Evidence, judgeAt } from '../../../src/assess/judge/at-multiple.ts'
import { errorsHold, holdsOf } from '../../../src/measure/decide.ts'
import { Histogram } from '../../../src/measure/histogram.ts'
import type { CandidateResult, TrialResult } from '../../../src/result/result.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const averageRate = 500
const seconds = 5
const operation = {
  name: 'get',
  ratePerSecond: averageRate,
  scales: true,
  objectives: [{ quantile: 0.99, name: 'p99', limitMs: 10 }],
  errorShare: 0.001,
} as unknown as Operation
const cpus = 1

/** 5 % of a core at rest and 0.2 of one at the average load; 1 % of the answers are over the limit at 2×. */
interface Made {
  phase?: TrialResult['phase']
  start?: number
  exceeded?: number
  verdict?: TrialResult['validity']['verdict']
  clientBound?: string[]
  saturated?: boolean
  dropped?: number
  errors?: Record<string, number>
  slowdown?: number
}
function open(
  multiple: number,
  { phase = 'curve', start = 1, verdict = 'valid', clientBound = [], saturated = false, dropped = 0, errors = {}, slowdown = 1, ...rest }: Made = {},
) {
  const intended = multiple * averageRate * seconds
  const response = new Histogram()
  for (let answer = 0; answer < intended; answer++) response.record(1e6 + (answer % 100) * 1e4)
  return {
    phase,
    mix: 'full',
    client: 'wire',
    start,
    arrival: { loop: 'open', multiple, ratePerSecond: multiple * averageRate, concurrency: null },
    seconds,
    saturated,
    backlog: saturated ? 0.4 : 0,
    throughputPerSecond: multiple * averageRate,
    slowdown,
    validity: { verdict, reasons: [], clientBound },
    resources: { server: { cpuCores: 0.05 + 0.2 * multiple * slowdown } },
    operations: {
      get: {
        intended,
        dropped,
        errors,
        exceeded: { p99: rest.exceeded ?? Math.round(Math.min(0.9, 0.01 * ((multiple * slowdown) / 2) ** 6) * intended) },
        responseUs: { count: intended, p99: 1990, p50: 1500, encoded: response.encode() },
      },
    },
  } as unknown as TrialResult
}
const closed = (perSecond: number, concurrency: number, start: number, slowdown = 1, verdict = 'valid') =>
  ({
    phase: 'sweep',
    mix: 'full',
    client: 'wire',
    start,
    arrival: { loop: 'closed', multiple: null, ratePerSecond: null, concurrency },
    throughputPerSecond: perSecond / slowdown,
    slowdown,
    validity: { verdict, reasons: [], clientBound: [] },
    operations: {},
  }) as unknown as TrialResult
const evidence = (trials: TrialResult[]): Evidence => ({ trials, operations: [operation], mix: new Set(['get']), scaleLimited: new Set() })
/** Three starts at five rates. */
const whole = (made: Made = {}) =>
  [1, 2, 3].flatMap((start) =>
    [1, 1.6, 2, 2.4, 3].map((multiple) => open(multiple, { phase: multiple === 1 ? 'confirmation' : 'curve', start, ...made })),
  )
const loops = [1, 2, 3].flatMap((start) => [closed(1400 + 10 * start, 4, start), closed(1950 + 10 * start, 16, start)])

describe('the three capacities', () => {
  test('are each the truth of the server, with an interval, and the least of them counts', () => {
    const capacity = capacityOf(evidence([...whole(), ...loops]), 'full', cpus)
    expect(capacity.objectives?.mid).toBeGreaterThan(1.9)
    expect(capacity.objectives?.mid).toBeLessThan(2.1)
    expect(capacity.cpu?.mid).toBeCloseTo((0.7 - 0.05) / 0.2, 3)
    expect(capacity.saturation?.mid).toBeCloseTo(1970 / averageRate, 2)
    expect(capacity.saturation?.low).toBeLessThan(capacity.saturation?.mid as number)
    expect(capacity).toMatchObject({ bound: 'measured', boundBy: 'p99 of get', multiple: capacity.objectives })
    expect(capacity.ratePerSecond).toBeCloseTo((capacity.objectives?.mid as number) * averageRate, 6)
  })

  test('of a server that never became level are lower bounds: warm it may do more', () => {
    const level = capacityOf(evidence([...whole(), ...loops]), 'full', cpus)
    const capacity = capacityOf({ ...evidence([...whole(), ...loops]), isEndKnown: false }, 'full', cpus)
    expect(capacity).toMatchObject({ bound: 'atLeast', objectives: { high: null }, cpu: { high: null }, saturation: { high: null } })
    expect(capacity.saturation?.mid).toBe(level.saturation?.mid)
  })

  test('client-bound closed loops neither bound a server nor raise it: they are left out, or a lower bound', () => {
    const bound = (perSecond: number, concurrency: number, start: number) => closed(perSecond, concurrency, start, 1, 'client-bound')
    const some = capacityOf(evidence([...whole(), ...loops, bound(1500, 16, 1), bound(2500, 16, 2)]), 'full', cpus)
    expect(some.saturation).toEqual(capacityOf(evidence([...whole(), ...loops]), 'full', cpus).saturation)
    // At the concurrency that does most the harness was always the slower one.
    const slowest = [1, 2, 3].map((start) => bound(700 + start, 16, start))
    const trials = [...whole(), ...[1, 2, 3].map((start) => closed(600, 4, start)), ...slowest]
    expect(saturationOf(trials)).toEqual({ byStart: new Map([1, 2, 3].map((start) => [start, 700 + start])), isLowerBound: true })
    const capacity = capacityOf(evidence(trials), 'full', cpus)
    expect(capacity.saturation).toMatchObject({ mid: expect.closeTo(702 / averageRate, 3), high: null })
    expect(capacity).toMatchObject({ bound: 'measured', boundBy: 'p99 of get', multiple: capacity.objectives })
    // Nor do cores that were never that busy: what a faster harness might have shown is no capacity.
    const beyond = capacityOf(evidence([...whole({ exceeded: 0 }), ...[1, 2, 3].map((start) => bound(1600 + start, 16, start))]), 'full', 100)
    expect(beyond).toMatchObject({ bound: 'atLeast', boundBy: 'saturation', multiple: beyond.saturation })
    expect(beyond.cpu?.mid).toBeGreaterThan(beyond.multiple?.mid as number)
    // Where nothing else is known it is what is known.
    const flat = [1, 2, 3].flatMap((start) =>
      [0.5, 1, 1.6, 2, 2.4, 3].map((multiple) => {
        const trial = open(multiple, { start, exceeded: Math.round(0.03 * multiple * averageRate * seconds) })
        return { ...trial, resources: { server: null } } as unknown as TrialResult
      }),
    )
    const alone = capacityOf(evidence([...flat, ...slowest]), 'full', cpus)
    expect(alone).toMatchObject({ bound: 'atLeast', boundBy: 'saturation', multiple: { high: null } })
    expect(sweepOf({ trials }).map(({ concurrency }) => concurrency)).toEqual([4, 4, 4])
  })

  test('the cores are told by the mix as it is, not by trials with rare operations raised or other connections', () => {
    const own = capacityOf(evidence(whole()), 'full', cpus).cpu
    const dearer = (['probe', 'connections'] as const).map((phase) => {
      const trial = open(2.5, { phase })
      return { ...trial, resources: { server: { cpuCores: 0.9 } } } as unknown as TrialResult
    })
    expect(capacityOf(evidence([...whole(), ...dearer]), 'full', cpus).cpu).toEqual(own)
  })

  test('a server with more cores than its objectives need is bound by them, one with fewer by its cores', () => {
    const trials = whole({ exceeded: 0 })
    expect(capacityOf(evidence(trials), 'full', 0.5)).toMatchObject({ boundBy: "70 % of the server's cores" })
    const roomy = capacityOf(evidence(trials), 'full', 100)
    expect(roomy).toMatchObject({ bound: 'atLeast', objectives: { high: null } })
    expect(roomy.objectives?.low).toBeLessThanOrEqual(3)
  })

  test('nobody is "none": a server that is over its limit at every rate is below the lightest', () => {
    const trials = [1, 2, 3].flatMap((start) =>
      [1, 1.6, 2, 2.4, 3].map((multiple) => open(multiple, { start, exceeded: Math.round(0.03 * multiple ** 4 * multiple * averageRate * seconds) })),
    )
    const capacity = capacityOf(evidence(trials), 'full', cpus)
    expect(capacity.bound).toBe('atMost')
    expect(capacity.multiple?.high).toBeLessThan(1.1)
  })

  test('what is missed as much at the lightest rate as at others is not driven by load: it buys no server', () => {
    // 3 % of the answers, whatever the rate.
    const flat = [1, 2, 3].flatMap((start) =>
      [0.5, 1, 1.6, 2, 2.4, 3].map((multiple) => open(multiple, { start, exceeded: Math.round(0.03 * multiple * averageRate * seconds) })),
    )
    const capacity = capacityOf(evidence([...flat, ...loops]), 'full', cpus)
    expect(capacity).toMatchObject({ objectives: null, boundBy: "70 % of the server's cores", bound: 'measured' })
    const [curve] = curvesOf(evidence(flat)) ?? []
    expect(curve?.unloaded?.multiple).toBe(0.5)
    expect(curve?.unloaded?.share).toBeCloseTo(0.03, 3)
    // Where it is driven by load, the two ends show that.
    expect(sharesByLoad(whole(), 'get', 'p99')).toMatchObject([
      { multiple: 1, share: expect.closeTo(0.0002, 3) },
      { multiple: 3, share: expect.closeTo(0.114, 2) },
    ])
    expect(sharesByLoad(whole({ saturated: true }), 'get', 'p99')).toBeNull()
    // A result of an earlier dbtrial has it as its capacity all the same.
    const saved = { trials: [...flat, ...loops], compiled: [{ operation: 'get' }], mix: 'full', provision: { limits: { cpus } }, name: 'a' }
    const by = (boundBy: string) =>
      drivenCapacity({ ...saved, capacity: { boundBy, multiple: { mid: 0.3 } } } as unknown as CandidateResult, [operation])
    expect(by('p99 of get').multiple?.mid).toBeCloseTo((0.7 - 0.05) / 0.2, 3)
    expect(by('saturation').multiple?.mid).toBe(0.3)
  })

  test('an operation that no trial called a hundred times does not bind where others do', () => {
    const rare = { ...operation, name: 'rare', ratePerSecond: 1 } as Operation
    const trials = whole().map((trial) => {
      const few = { ...trial.operations.get, intended: 40, exceeded: { p99: 10 } } as TrialResult['operations'][string]
      return { ...trial, operations: { ...trial.operations, rare: few } }
    })
    const both: Evidence = { trials, operations: [operation, rare], mix: new Set(['get', 'rare']), scaleLimited: new Set() }
    expect(capacityOf(both, 'full', cpus).boundBy).toBe('p99 of get')
    const cell = judgeAt(both, 1).cells.find((each) => each.operation === 'rare')
    expect(cell).toMatchObject({ outcome: 'undetermined', undecided: 'few', intended: 120 })
  })

  test('an answer of a late harness, of a neighbour and of a broken trial moves no capacity', () => {
    const before = capacityOf(evidence(whole()), 'full', cpus)
    for (const made of [{ verdict: 'client-bound' as const, clientBound: ['get'] }, { verdict: 'noisy' as const }, { verdict: 'broken' as const }]) {
      const after = capacityOf(evidence([...whole(), open(1.2, { ...made, exceeded: 600 })]), 'full', cpus)
      expect(after.objectives).toEqual(before.objectives)
    }
  })

  test('a host that gives the cores less moves no capacity, whatever trials it hits', () => {
    const rates = [1, 1.6, 2, 2.4, 3]
    const on = (slow: (at: number) => number) => [
      ...[1, 2, 3].flatMap((start) => rates.map((multiple, at) => open(multiple, { start, slowdown: slow(start + at) }))),
      ...[1, 2, 3].map((start) => closed(1950 + 10 * start, 16, start, slow(start))),
    ]
    const quiet = capacityOf(evidence(on(() => 1)), 'full', cpus)
    const shared = capacityOf(evidence(on((at) => 1 + 0.35 * (at % 3))), 'full', cpus)
    for (const kind of ['saturation', 'cpu', 'objectives'] as const) {
      expect((shared[kind]?.mid as number) / (quiet[kind]?.mid as number)).toBeGreaterThan(0.95)
      expect((shared[kind]?.mid as number) / (quiet[kind]?.mid as number)).toBeLessThan(1.05)
    }
  })

  test('one rate is no curve', () => {
    expect(capacityOf(evidence([open(1), open(1)]), 'full', cpus)).toMatchObject({
      multiple: null,
      bound: 'none',
      boundBy: 'not searched at this effort',
    })
  })
})

describe('at one multiple', () => {
  test('the curve decides: what all rates say holds where few trials were, and agrees with the capacity', () => {
    const trials = whole()
    expect(judgeAt(evidence(trials), 1)).toMatchObject({ outcome: 'met', rounds: 3, validRounds: 3 })
    expect(judgeAt(evidence(trials), 3)).toMatchObject({ outcome: 'missed', missed: ['get'] })
    const { multiple } = capacityOf(evidence(trials), 'full', 100)
    expect(judgeAt(evidence(trials), multiple?.mid as number)).toMatchObject({ outcome: 'undetermined' })
  })

  test('a curve is not believed against the very trials at its rate', () => {
    const trials = [...whole(), open(1, { phase: 'confirmation', exceeded: 2400 })]
    expect(judgeAt(evidence(trials), 1).outcome).not.toBe('met')
  })

  test('what is missed by chance is as unlikely of many limits as of one (Holm); each operation has one on its times and one on its errors', () => {
    const rounds = (exceeded: readonly number[]) =>
      [1, 2, 3].map((start) => {
        const trial = open(1, { phase: 'confirmation', start })
        const { get } = trial.operations
        return {
          ...trial,
          operations: Object.fromEntries(exceeded.map((each, at) => [`get${at}`, { ...get, exceeded: { p99: each } }])),
        } as TrialResult
      })
    const judged = (...exceeded: number[]) => {
      const operations = exceeded.map((_, at) => ({ ...operation, name: `get${at}` }) as Operation)
      return judgeAt({ trials: rounds(exceeded), operations, mix: new Set(operations.map(({ name }) => name)), scaleLimited: new Set() }, 1)
    }
    // Of one operation it is missed, and of two where the other is surely missed.
    const intended = averageRate * seconds
    const holdsAt = (exceeded: number) => holdsOf(Array(3).fill({ exceeded, intended }), 0.99) as number
    const doubtful = Array.from({ length: 400 }, (_, exceeded) => exceeded).find((exceeded) => holdsAt(exceeded) <= 0.05 / 3) as number
    expect(holdsAt(doubtful)).toBeGreaterThan(0.05 / 5)
    expect(judged(doubtful).missed).toEqual(['get0'])
    expect(judged(doubtful, 0, 0, 0).missed).toEqual([])
    expect(judged(doubtful, doubtful, doubtful, doubtful)).toMatchObject({ outcome: 'undetermined', missed: [] })
    // One that is surely missed is none of those that may be so by chance.
    expect(judged(doubtful, 2000).missed).toEqual(['get0', 'get1'])
    expect(judged(doubtful, 0, 2000).missed).toEqual(['get2'])
  })

  test('what would be missed alone by its errors is not met among many operations, either', () => {
    const judged = (others: number) => {
      const operations = Array.from({ length: 1 + others }, (_, at) => ({ ...operation, name: `get${at}` }) as Operation)
      const trials = [1, 2, 3].map((start) => {
        const trial = open(1, { phase: 'confirmation', start, exceeded: 0 })
        const { get } = trial.operations
        const own = operations.map(({ name }, at) => [name, at === 0 ? { ...get, errors: { constraint: failed } } : get])
        return { ...trial, operations: Object.fromEntries(own) } as TrialResult
      })
      return judgeAt({ trials, operations, mix: new Set(operations.map(({ name }) => name)), scaleLimited: new Set() }, 1)
    }
    const intended = averageRate * seconds
    const holdsAt = (exceeded: number) => errorsHold(Array(3).fill({ exceeded, intended }), operation.errorShare)
    const failed = Array.from({ length: 400 }, (_, exceeded) => exceeded).find((exceeded) => exceeded > 0 && holdsAt(exceeded) <= 0.05 / 2) as number
    expect(judged(0)).toMatchObject({ outcome: 'missed', missed: ['get0'] })
    expect(holdsAt(failed)).toBeGreaterThan(0.05 / 20)
    expect(judged(9)).toMatchObject({ outcome: 'undetermined', missed: [] })
    expect(judged(9).cells[0]).toMatchObject({ outcome: 'undetermined' })
  })

  test('errors miss an objective whatever the times are', () => {
    const trials = [...whole(), ...[1, 2, 3].map((start) => open(1, { phase: 'confirmation', start, exceeded: 0, errors: { timeout: 100 } }))]
    expect(judgeAt(evidence(trials), 1)).toMatchObject({ outcome: 'missed', missed: ['get'] })
  })

  test('what a late harness dropped misses nothing, what the server refused meanwhile does', () => {
    const judged = (made: Made) =>
      judgeAt(evidence([...whole(), ...[1, 2, 3].map((start) => open(1, { phase: 'confirmation', start, exceeded: 0, ...made }))]), 1).outcome
    expect(judged({ dropped: 200 })).toBe('missed')
    expect(judged({ dropped: 200, verdict: 'client-bound', clientBound: ['get'] })).toBe('met')
    expect(judged({ errors: { refused: 100 }, verdict: 'client-bound', clientBound: ['get'] })).toBe('missed')
  })

  test('percentiles are those of the merged answers; a saturated server and too few samples have none', () => {
    const [cell] = judgeAt(evidence(whole()), 1).cells
    expect(cell?.p99Us).toBeCloseTo(1980, -1)
    expect(cell?.p50Us).toBeCloseTo(1490, -1)
    expect(judgeAt(evidence(whole({ saturated: true })), 1).cells[0]).toMatchObject({ p50Us: null, p99Us: null, backlog: 0.4 })
    const few = judgeAt(evidence([open(0.02, { phase: 'confirmation', exceeded: 0 })]), 0.02)
    expect(few.cells[0]).toMatchObject({ p99Us: null, outcome: 'undetermined', undecided: false })
  })

  test('where the harness was late for an operation, nothing is decided, and that is said', () => {
    const trials = [open(1, { phase: 'confirmation', clientBound: ['get'] }), open(1, { phase: 'confirmation', clientBound: ['get'] })]
    expect(judgeAt(evidence(trials), 1).cells[0]).toMatchObject({ outcome: 'undetermined', undecided: 'late' })
  })

  test('what would take longer than its limit on the rows of production is missed, or undecided, whatever was measured on fewer', () => {
    const slow = (probabilityNow: number): AtScaleNow => ({
      operation: 'get',
      limitMs: 10,
      now: { p10: 0.02, p50: 0.03, p90: 0.04 },
      probabilityNow,
    })
    const cellWith = (atScale: AtScaleNow) => judgeAt({ ...evidence(whole()), atScale: [atScale] }, 1).cells[0]
    expect(cellWith(slow(0.99))).toMatchObject({ outcome: 'missed', atScale: { operation: 'get' } })
    expect(cellWith(slow(0.6))).toMatchObject({ outcome: 'undetermined', undecided: 'scale' })
    expect(cellWith(slow(0.3))).toMatchObject({ outcome: 'met', atScale: null })
  })
})
