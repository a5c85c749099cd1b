/** Several results of one scenario as one: what differs between runs is part of every interval. */
import jstat from 'jstat'
import { TrialError } from '../../errors.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import { moments } from '../../stats/intervals.ts'
import { isClientBound, minOf } from '../capacity/capacity.ts'
import { checkComparable } from './compare.ts'
import { atOneSpeed } from './one-speed.ts'
import { cpuUsPerOperation } from './resolution.ts'

type Interval = NonNullable<CandidateResult['capacity']['multiple']>
const kinds = ['saturation', 'cpu', 'objectives'] as const

export interface PooledNumber {
  candidate: string
  /** Capacities are multiples of the average load; CPU per operation is in µs. */
  number: (typeof kinds)[number] | 'CPU per operation'
  /** By run, in the order in which they began; null: that run does not tell. */
  runs: (number | null)[]
  pooled: Interval
  /** 80 % of runs lie within this factor of the middle, below and above. */
  runsDiffer: number
}

const confidence = 0.8
/** Standard deviations from the middle to the end of an 80 % interval. */
const deviations = jstat.normal.inv((1 + confidence) / 2, 0, 1)

/**
 * The newest result with the trials of all, and with pooled capacities, at one speed of their machine, which `speed` tells of; starts of different
 * runs are different starts.
 * @throws TrialError, exit code 2, where they measured different things, or where one was interrupted.
 */
export function poolResults(results: readonly Result[]): { result: Result; numbers: PooledNumber[]; runs: Result[]; speed: string } {
  const { results: runs, said: speed } = atOneSpeed(poolable(results))
  const newest = runs.at(-1) as Result
  const numbers: PooledNumber[] = []
  const candidates = newest.candidates.map((candidate) => {
    const own = runs.flatMap((run) => run.candidates.find((each) => each.name === candidate.name) ?? [])
    if (own.length < runs.length)
      throw new TrialError('missing-candidate', `${candidate.name} is not in all of the results: only runs of the same candidates are pooled`, {
        exitCode: 2,
      })
    const found = numbersOf(candidate.name, own)
    numbers.push(...found)
    return pooledCandidate(candidate, own, found)
  })
  return { result: { ...newest, candidates }, numbers, runs, speed }
}

/** In the order in which they began. */
function poolable(results: readonly Result[]): Result[] {
  const runs = [...results].sort((a, b) => a.startedAt.localeCompare(b.startedAt))
  if (new Set(runs.map((run) => run.startedAt)).size < runs.length)
    throw new TrialError('same-result', 'one of the results was given twice: pooled runs are different runs', { exitCode: 2 })
  for (const run of runs) {
    if (run.status !== 'complete')
      throw new TrialError('interrupted-result', `the run of ${run.startedAt} was interrupted: only whole runs are pooled`, { exitCode: 2 })
    checkComparable(run, runs.at(-1) as Result)
  }
  return runs
}

function pooledCandidate(newest: CandidateResult, runs: CandidateResult[], numbers: PooledNumber[]): CandidateResult {
  const failed = runs.findIndex((run) => run.failure !== null)
  const pooledOf = (kind: (typeof kinds)[number]) => numbers.find((each) => each.number === kind)?.pooled ?? null
  // What was not level in one run is a lower bound in all of them.
  const steady = runs.find((run) => run.steady?.reached === false)?.steady ?? newest.steady
  const [saturation = null, ...others] = kinds.map(pooledOf)
  const trials = runs.flatMap((run) => run.trials)
  const loops = { isClientBound: isClientBound({ capacity: { ...newest.capacity, saturation }, steady, trials }), trials }
  const multiple = minOf(
    others.filter((each) => each !== null),
    saturation,
    (each) => each,
    loops,
  )
  return {
    ...newest,
    steady,
    failure: failed < 0 ? null : `in run ${failed + 1} of ${runs.length}: ${runs[failed]?.failure}`,
    // Starts and rounds of different runs are different ones.
    trials: runs.flatMap((run, at) => run.trials.map((trial) => ({ ...trial, start: trial.start + at * apart, repeat: trial.repeat + at * apart }))),
    invariants: runs.flatMap((run) => run.invariants),
    verification: {
      ...newest.verification,
      checked: sumOf(runs, (run) => run.verification.checked),
      wrong: sumOf(runs, (run) => run.verification.wrong),
      differences: runs.flatMap((run) => run.verification.differences),
    },
    capacity: {
      ...newest.capacity,
      multiple,
      saturation: pooledOf('saturation'),
      cpu: pooledOf('cpu'),
      objectives: pooledOf('objectives'),
      bound: multiple === null ? 'none' : multiple.high === null ? 'atLeast' : 'measured',
      boundBy: boundByOf(runs, multiple, pooledOf),
      ratePerSecond: multiple === null ? null : rateAt(newest, multiple.mid),
    },
  }
}

/** More than a run has of either. */
const apart = 10_000
const sumOf = (runs: CandidateResult[], of: (run: CandidateResult) => number) => runs.reduce((sum, run) => sum + of(run), 0)

/** What bound the run whose binding kind is the pooled one. */
function boundByOf(runs: CandidateResult[], multiple: Interval | null, pooledOf: (kind: (typeof kinds)[number]) => Interval | null): string {
  const kind = kinds.find((each) => multiple !== null && pooledOf(each) === multiple)
  const of = (run: CandidateResult) => kinds.find((each) => run.capacity[each]?.mid === run.capacity.multiple?.mid)
  return ([...runs].reverse().find((run) => of(run) === kind) ?? (runs.at(-1) as CandidateResult)).capacity.boundBy
}

const rateAt = ({ capacity }: CandidateResult, mid: number) =>
  capacity.ratePerSecond === null || capacity.multiple === null ? null : (capacity.ratePerSecond * mid) / capacity.multiple.mid

function numbersOf(candidate: string, runs: CandidateResult[]): PooledNumber[] {
  const capacities = kinds.flatMap((number): PooledNumber[] => {
    const known = (of: CandidateResult[]) => of.flatMap((run) => run.capacity[number] ?? [])
    // Client-bound closed loops say nothing beside others.
    const others = number === 'saturation' ? known(runs.filter((run) => !isClientBound(run))) : []
    const told = others.length > 0 ? others : known(runs)
    return told.length === 0 ? [] : [{ candidate, number, runs: runs.map((run) => run.capacity[number]?.mid ?? null), ...pooledOf(told) }]
  })
  const cpu = runs.map(cpuUsPerOperation)
  const known = cpu.filter((each) => each !== null)
  return known.length === 0
    ? capacities
    : [
        ...capacities,
        {
          candidate,
          number: 'CPU per operation',
          runs: cpu,
          ...pooledOf(known.map((each) => ({ low: each, mid: each, high: each, confidence: null }))),
        },
      ]
}

/**
 * Random effects on logarithms: DerSimonian and Laird, "Meta-analysis in clinical trials", 1986, with the interval of Hartung and Knapp, "A refined
 * method for the meta-analysis of controlled clinical trials with binary outcome", 2001. A bound that was only reached from below stays without an upper end;
 * one run alone stands as it is.
 */
export function pooledOf(intervals: readonly Interval[]): { pooled: Interval; runsDiffer: number } {
  const [first] = intervals
  if (first !== undefined && intervals.length === 1) return { pooled: first, runsDiffer: 1 }
  const estimates = intervals.map(({ low, mid, high }) => ({
    log: Math.log(mid),
    error: Math.log((high ?? mid ** 2 / low) / low) / (2 * deviations),
  }))
  const k = estimates.length
  const within = estimates.map(({ error }) => Math.max(error ** 2, minVariance))
  const fixed = weighted(estimates, within)
  const q = estimates.reduce((sum, { log }, at) => sum + (log - fixed.mean) ** 2 / (within[at] as number), 0)
  const between = Math.max(0, (q - (k - 1)) / (fixed.weight - fixed.squares / fixed.weight))
  const random = weighted(
    estimates,
    within.map((variance) => variance + between),
  )
  const reach = reachOf(estimates, within, between, random)
  const isOpen = intervals.some(({ high }) => high === null)
  return {
    pooled: {
      low: Math.exp(random.mean - reach),
      mid: Math.exp(random.mean),
      high: isOpen ? null : Math.exp(random.mean + reach),
      confidence,
    },
    runsDiffer: Math.exp(deviations * Math.sqrt(moments(estimates.map(({ log }) => log)).variance)),
  }
}

/** Of one part in a thousand: a number without an interval has no weight without end. */
const minVariance = 1e-6

interface Estimate {
  log: number
  error: number
}

function weighted(estimates: readonly Estimate[], variances: readonly number[]) {
  const weights = variances.map((variance) => 1 / variance)
  const weight = weights.reduce((sum, each) => sum + each, 0)
  return {
    weight,
    squares: weights.reduce((sum, each) => sum + each ** 2, 0),
    mean: estimates.reduce((sum, { log }, at) => sum + log * (weights[at] as number), 0) / weight,
  }
}

/** Never less than without the refinement: runs that agree by luck do not make a narrower interval than their own errors. */
function reachOf(
  estimates: readonly Estimate[],
  within: readonly number[],
  between: number,
  { mean, weight }: { mean: number; weight: number },
): number {
  const k = estimates.length
  const spread = estimates.reduce((sum, { log }, at) => sum + (log - mean) ** 2 / ((within[at] as number) + between), 0) / (k - 1)
  const student = jstat.studentt.inv((1 + confidence) / 2, k - 1)
  return Math.max(student * Math.sqrt(spread / weight), deviations / Math.sqrt(weight))
}
