/** Three capacities of one server, in multiples of the average load: what it does at most, what 70 % of its cores do, and where its objectives end. */
import jstat from 'jstat'
import type { CandidateResult, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { moments } from '../../stats/intervals.ts'
import { median } from '../../stats/median.ts'
import type { Evidence } from '../judge/at-multiple.ts'
import { isEndKnown, ownEvidence } from '../judge/own-evidence.ts'
import { bindingOf, curvesOf, isUsable, type OperationCurve } from './response-curve.ts'
import { utilisationOf } from './utilisation.ts'

type Capacity = CandidateResult['capacity']
type Interval = NonNullable<Capacity['multiple']>

/** Of the cores: more leaves no room for a burst, and queues grow (Gunther, "Guerrilla Capacity Planning", 2007). */
export const cpuFill = 0.7
const confidence = 0.8
/** The bound lies beyond the tried rates with more than this probability. */
const beyond = 0.1

/** `cpus`: cores of the server. */
export function capacityOf(evidence: Evidence, mix: Capacity['mix'], cpus: number): Capacity {
  const { trials, operations } = evidence
  const asked = operations.filter((operation) => evidence.mix.has(operation.name))
  const { fixed, scaling } = ratesOf(asked)
  const multipleOf = (perSecond: number) => Math.max(1e-6, perSecond - fixed) / Math.max(1e-9, scaling)
  const curves = curvesOf(evidence)
  const binding = curves === null ? undefined : bindingOf(curves)
  const { isEndKnown = true } = evidence
  const loops = saturationOf(trials)
  const saturation = withoutEnd(isEndKnown && !loops.isLowerBound, overStarts(loops.byStart, multipleOf))
  const cpu = withoutEnd(isEndKnown, overStarts(ratesOfCpu(trials, cpus), multipleOf))
  const none = { multiple: null, bound: 'none' as const, mix, ratePerSecond: null, notTested: [], saturation, cpu, objectives: null }
  if (curves === null) return { ...none, boundBy: 'not searched at this effort' }
  const tested = new Set(curves.map((each) => each.operation))
  const notTested = asked.filter(({ name, objectives }) => objectives.length > 0 && !tested.has(name)).map(({ name }) => name)
  if (curves.length === 0) return { ...none, boundBy: 'no operation was called often enough', notTested }
  const own = binding === undefined ? null : objectivesOf(binding, isEndKnown)
  const objectives = own?.multiple ?? null
  const bound = isEndKnown ? ('measured' as const) : ('atLeast' as const)
  const told: Bounded[] = [
    ...(own === null ? [] : [own]),
    ...(cpu === null ? [] : [{ multiple: cpu, bound, boundBy: `${cpuFill * 100} % of the server's cores` }]),
  ]
  const bySaturation: Bounded | null =
    saturation === null ? null : { multiple: saturation, bound: loops.isLowerBound ? 'atLeast' : bound, boundBy: 'saturation' }
  const least = minOf(told, bySaturation, ({ multiple }) => multiple, { isClientBound: loops.isLowerBound, trials })
  if (least === null) return { ...none, boundBy: 'its objectives are missed at any load, and nothing else was measured', notTested }
  return { ...least, mix, ratePerSecond: fixed + scaling * least.multiple.mid, notTested, saturation, cpu, objectives }
}

/** Operations per second at a multiple of 0, and those that each multiple adds. */
export function ratesOf(mix: readonly Operation[]): { fixed: number; scaling: number } {
  const total = (own: readonly Operation[]) => own.reduce((sum, { ratePerSecond }) => sum + ratePerSecond, 0)
  return { fixed: total(mix.filter(({ scales }) => !scales)), scaling: total(mix.filter(({ scales }) => scales)) }
}

/**
 * What is planned with, of one run or of several. Where the closed loops are client-bound the server's end is told by the others, but not where these
 * lie beyond every load that it had: that would be a number that a slow harness made.
 */
export function minOf<T>(
  others: readonly T[],
  saturation: T | null,
  intervalOf: (each: T) => Interval,
  loops: { isClientBound: boolean; trials: readonly TrialResult[] },
): T | null {
  const end = saturation === null ? null : intervalOf(saturation)
  const areEnough = loops.isClientBound && others.some((each) => isDriven(intervalOf(each), end, loops.trials))
  const all = areEnough || saturation === null ? others : [...others, saturation]
  return all.reduce<T | null>((a, b) => (a !== null && intervalOf(a).mid <= intervalOf(b).mid ? a : b), null)
}

/** Whether the server was driven that far. */
function isDriven({ mid }: Interval, saturation: Interval | null, trials: readonly TrialResult[]): boolean {
  const open = trials.filter((trial) => phasesOfMix.has(trial.phase) && isUsable(trial) && !trial.saturated)
  return mid <= Math.max(saturation?.mid ?? 0, ...open.map(({ arrival, slowdown }) => (arrival.multiple ?? 0) * slowdown))
}

interface Bounded {
  multiple: Interval
  bound: Capacity['bound']
  boundBy: string
}

/** Whether its closed loops are client-bound: nothing else hides its end, and saturation has no upper end all the same. */
export const isClientBound = (candidate: Pick<CandidateResult, 'capacity' | 'steady' | 'trials'>) =>
  candidate.capacity.saturation?.high === null && isEndKnown(candidate)

/** Of a server that was still becoming faster, or that only a driver asked, and of client-bound loops, nothing bounds what it does. */
const withoutEnd = (hasEnd: boolean, interval: Interval | null) => (interval === null || hasEnd ? interval : { ...interval, high: null })

function objectivesOf({ curve, objective, operation }: OperationCurve, isEndKnown: boolean): Bounded {
  const isAbove = !isEndKnown || curve.holds(curve.highest) > beyond
  const isBelow = 1 - curve.holds(curve.lowest) > beyond
  return {
    multiple: {
      low: isAbove ? Math.min(curve.low, curve.highest) : curve.low,
      mid: curve.mid,
      high: isAbove ? null : curve.high,
      confidence,
    },
    bound: isAbove ? 'atLeast' : isBelow ? 'atMost' : 'measured',
    boundBy: nameOf({ objective, operation }),
  }
}

const nameOf = ({ objective, operation }: Pick<OperationCurve, 'objective' | 'operation'>) => `${objective.name} of ${operation}`

/** What servers are bought by: the saved capacity, unless that is of an objective that no number of servers mends, as a result of an earlier dbtrial may have it. */
export function drivenCapacity(candidate: CandidateResult, operations: Operation[]): Capacity {
  const { capacity, mix, provision } = candidate
  const evidence = ownEvidence(candidate, operations)
  const isUnloaded = curvesOf(evidence)?.some((each) => each.unloaded !== null && nameOf(each) === capacity.boundBy) === true
  return isUnloaded ? capacityOf(evidence, mix, provision?.limits.cpus ?? 1) : capacity
}

/** Its middle; Infinity where none was found: then no rate is known to be too much. */
export const drivenMultiple = (candidate: CandidateResult, operations: Operation[]) =>
  drivenCapacity(candidate, operations).multiple?.mid ?? Number.POSITIVE_INFINITY

const atFullSpeed = ({ throughputPerSecond, slowdown }: TrialResult) => throughputPerSecond * slowdown

export interface Saturation {
  byStart: Map<number, number>
  /** All of these loops are client-bound: the server does at least that. */
  isLowerBound: boolean
}

/**
 * Closed-loop throughput by start, at the full speed of the cores: the middle of the repeats at the concurrency that did most in the middle of all.
 * Client-bound loops count only where there are no others.
 */
export function saturationOf(trials: readonly TrialResult[]): Saturation {
  const loops = trials.filter((trial) => trial.phase === 'sweep' && isUsable(trial))
  const byConcurrency = [...Map.groupBy(loops, (trial) => trial.arrival.concurrency)].map(([, own]) => ({
    own,
    middle: median(own.map(atFullSpeed)) as number,
  }))
  const best = byConcurrency.reduce<(typeof byConcurrency)[number] | undefined>((a, b) => (a === undefined || b.middle > a.middle ? b : a), undefined)
  const ofServer = (best?.own ?? []).filter(({ validity }) => validity.verdict === 'valid')
  const told = ofServer.length > 0 ? ofServer : (best?.own ?? [])
  return {
    byStart: new Map([...Map.groupBy(told, (trial) => trial.start)].map(([start, own]) => [start, median(own.map(atFullSpeed)) as number])),
    isLowerBound: told.length > 0 && ofServer.length === 0,
  }
}

const minRates = 2

/** Open loops of the mix as it is, with the connections that were chosen. */
const phasesOfMix: ReadonlySet<TrialResult['phase']> = new Set(['confirmation', 'curve', 'held-back'])

/** By start, the rate at which so many of the server's cores are busy, by the utilisation law. */
function ratesOfCpu(trials: readonly TrialResult[], cpus: number): Map<number, number> {
  const open = trials.filter((trial) => phasesOfMix.has(trial.phase) && isUsable(trial) && !trial.saturated)
  const rates = new Map<number, number>()
  for (const [start, own] of Map.groupBy(open, (trial) => trial.start)) {
    const told = own.filter(({ resources: { server } }) => server !== null && server.cpuCores > 0)
    if (new Set(told.map(({ throughputPerSecond }) => Math.round(throughputPerSecond))).size < minRates) continue
    const law = utilisationOf(told)
    if (law !== null && law.demand > 0 && cpuFill * cpus > law.idle) rates.set(start, (cpuFill * cpus - law.idle) / law.demand)
  }
  return rates
}

/** Student's t on the logarithms over starts; of a single start the value without an interval: a plan assumes one. */
function overStarts(values: Map<number, number>, multipleOf: (perSecond: number) => number): Interval | null {
  const logs = [...values.values()].map((value) => Math.log(multipleOf(value)))
  if (logs.length === 0) return null
  const { mean, variance } = moments(logs)
  if (logs.length === 1) return { low: Math.exp(mean), mid: Math.exp(mean), high: Math.exp(mean), confidence: null }
  const reach = jstat.studentt.inv((1 + confidence) / 2, logs.length - 1) * Math.sqrt(variance / logs.length)
  return { low: Math.exp(mean - reach), mid: Math.exp(mean), high: Math.exp(mean + reach), confidence }
}
