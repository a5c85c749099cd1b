/**
 * Results of one machine at one speed. Each is told at the full speed that its machine had been met at by then; a later run may have met a faster
 * one, and would then be told as another server.
 */
import { isTimed, sensitivityOf } from '../../measure/slowdown.ts'
import type { CandidateResult, Result, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { ratesOf } from '../capacity/capacity.ts'

type Capacity = CandidateResult['capacity']

export interface AtOneSpeed {
  /** In the order in which they were given. */
  results: Result[]
  /** Whether all of them are told at one full speed of one machine. */
  isOne: boolean
  /** What was done, and what could not be; '': nothing had to be. */
  said: string
}

interface Brought {
  result: Result
  /** By candidate, how many times faster it is told than before; empty: nothing changed. */
  factors: [name: string, factor: number][]
  /** Whether all of its candidates are told at that speed. */
  isWhole: boolean
}

/** Told at the fastest full speed that the results of a machine, its CPU and its Node have; results of different ones are not brought together. */
export function atOneSpeed(given: readonly Result[]): AtOneSpeed {
  const places = Map.groupBy(given, ({ host: { machine, cpu, node } }) => [machine, cpu, node].join(' · '))
  const fastest = new Map([...places.values()].flatMap((own) => own.map((result) => [result, fastestUs(own)] as const)))
  const brought = given.map((result) => broughtTo(result, fastest.get(result) ?? null))
  const untimed = given.filter(({ fullSpeedUs }) => fullSpeedUs === null)
  const areSomeTimed = untimed.length < given.length
  return {
    results: brought.map(({ result }) => result),
    isOne: places.size === 1 && untimed.length === 0 && brought.every(({ isWhole }) => isWhole),
    said: [
      broughtText(brought),
      areSomeTimed && untimed.length > 0
        ? `The full speed of the cores is not known of the ${runsText(untimed)}: these numbers stand as they are.`
        : '',
      places.size > 1 ? 'The runs are of different machines, CPUs or versions of Node, and are not brought to one speed across these.' : '',
    ]
      .filter((each) => each !== '')
      .join(' '),
  }
}

function fastestUs(results: readonly Result[]): number | null {
  const timed = results.flatMap(({ fullSpeedUs }) => fullSpeedUs ?? [])
  return timed.length === 0 ? null : Math.min(...timed)
}

function broughtTo(result: Result, fullUs: number | null): Brought {
  const { fullSpeedUs: ownUs } = result
  if (ownUs === null || fullUs === null || ownUs <= fullUs) return { result, factors: [], isWhole: true }
  const told = result.candidates.map((candidate) => {
    // As the run itself: where trials were not timed, all of a candidate stand as they were measured.
    const isTold = candidate.trials.every(isTimed) && candidate.trials.some(isRead)
    return { candidate, isTold, factor: isTold ? (ownUs / fullUs) ** sensitivityOf(candidate.trials) : 1 }
  })
  return {
    result: {
      ...result,
      fullSpeedUs: fullUs,
      candidates: told.map(({ candidate, factor }) => faster(candidate, factor, mixesOf(candidate, result))),
    },
    factors: told.filter(({ factor }) => factor !== 1).map(({ candidate, factor }) => [candidate.name, factor]),
    isWhole: told.every(({ isTold }) => isTold),
  }
}

const isRead = ({ timeline }: TrialResult) => timeline.some(({ hostUs }) => hostUs !== null)

/** As it would be told, had its run known of cores on which it takes that many times less. */
function faster(candidate: CandidateResult, factor: number, mixes: Record<'own' | 'common', Operation[]>): CandidateResult {
  const { trials, sizes, capacity, commonCapacity } = candidate
  return {
    ...candidate,
    trials: trials.map((trial) => (isRead(trial) ? { ...trial, slowdown: trial.slowdown * factor } : trial)),
    sizes: sizes.map((size) => ({ ...size, throughputPerSecond: size.throughputPerSecond * factor })),
    capacity: more(capacity, factor, mixes.own),
    commonCapacity: commonCapacity && more(commonCapacity, factor, mixes.common),
  }
}

/** What it can do, and what all can do. */
function mixesOf(candidate: CandidateResult, { scenario, candidates }: Result): Record<'own' | 'common', Operation[]> {
  const doneBy = ({ compiled }: CandidateResult) => new Set(compiled.map(({ operation }) => operation))
  const all = candidates.map(doneBy)
  return {
    own: scenario.operations.filter(({ name }) => doneBy(candidate).has(name)),
    common: scenario.operations.filter(({ name }) => all.every((done) => done.has(name))),
  }
}

/** That many times more operations per second: what does not scale with the load gets none of them. */
function more(capacity: Capacity, factor: number, mix: Operation[]): Capacity {
  const { fixed, scaling } = ratesOf(mix)
  const told = (multiple: number) => multiple * factor + (fixed * (factor - 1)) / scaling
  const times = (interval: Capacity['multiple']) =>
    interval && { ...interval, low: told(interval.low), mid: told(interval.mid), high: interval.high === null ? null : told(interval.high) }
  const { multiple, saturation, cpu, objectives, ratePerSecond } = capacity
  return {
    ...capacity,
    multiple: times(multiple),
    saturation: times(saturation),
    cpu: times(cpu),
    objectives: times(objectives),
    ratePerSecond: ratePerSecond === null ? null : ratePerSecond * factor,
  }
}

function broughtText(all: readonly Brought[]): string {
  const changed = all.filter(({ factors }) => factors.length > 0)
  if (changed.length === 0) return ''
  const each = changed.map(
    ({ result, factors }) => `${factors.map(([name, factor]) => `${name} ${factor.toFixed(2)}`).join(', ')} times in the ${runsText([result])}`,
  )
  return `Brought to the fastest full speed of the cores that these runs have met on their machine: capacities and throughput are told higher, CPU per operation lower, ${each.join('; ')}.`
}

const runsText = (results: readonly Result[]) =>
  `run${results.length === 1 ? '' : 's'} of ${results.map(({ startedAt }) => startedAt.slice(0, 16).replace('T', ' ')).join(', ')}`
