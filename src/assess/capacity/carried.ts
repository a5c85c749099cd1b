/** Multiples of today's average load that one bench-sized server carries. */
import type { CandidateResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import type { Demand } from '../demand/demand.ts'
import { derived, derivedFrom, type Figure, given, productOf, type Range, sumOf } from '../figures/figure.ts'
import { ratio } from '../figures/figure-memo.ts'
import { assumptions } from '../fleet/plan-assumptions.ts'
import { cpuFill } from './capacity.ts'
import { type Scalability, sweepOf } from './scaling.ts'
import type { Work } from './work.ts'

/** Cores that the whole mix takes today, on average over the day. */
export function coresAtAverage(name: string, mix: Operation[], demand: Demand, work: Work): Figure<'cores'> {
  return sumOf(
    `capacity.${name}.coresAtAverage`,
    'cores',
    mix.map((operation) =>
      productOf(`capacity.${name}.${operation.name}.cores`, 'cores', 'rate × cpu', [
        demand.rate(operation, 0),
        work.perOperation.get(operation.name) as Figure<'core-s/operation'>,
      ]),
    ),
  )
}

/** What was sustained, and at most the share of the CPU beyond which queues grow faster than load. null: no rate was sustained. */
export function carriedOf(
  candidate: CandidateResult,
  { multiple, boundBy }: CandidateResult['capacity'],
  mix: Operation[],
  demand: Demand,
  work: Work,
  cores: Figure<'cores'>,
  scalability: Scalability | null,
): Figure<'multiple'> | null {
  const { name } = candidate
  if (multiple === null) return null
  const sustained = sustainedOf(`capacity.${name}`, multiple, boundBy)
  const bounds = [sustained, cpuBound(candidate, work, cores), throughputBound(candidate, mix, demand, scalability)].filter((each) => each !== null)
  return derivedFrom(
    `capacity.${name}.carried`,
    'multiple',
    `min(${bounds.map(({ path }) => path.split('.').at(-1)).join(', ')})`,
    bounds,
    (values) => values.reduce((least, value) => Math.min(least, value)),
  )
}

function sustainedOf(path: string, multiple: NonNullable<CandidateResult['capacity']['multiple']>, boundBy: string): Figure<'multiple'> {
  const source = `the least of three capacities of one server: objectives, 70 % of its cores, saturation; bound by ${boundBy}`
  // Where the bound lies beyond what was tried, nothing above the low end is counted on.
  const range: Range =
    multiple.high === null ? { low: multiple.low, mid: multiple.low, high: multiple.mid, confidence: null } : { ...multiple, high: multiple.high }
  if (range.low < range.high) return given(`${path}.sustained`, 'multiple', range, 'measured', source)
  return productOf(`${path}.sustained`, 'multiple', 'sustainedOnce × startSpread', [
    given(`${path}.sustainedOnce`, 'multiple', range, 'measured', `${source}; by one start of the server`),
    given('plan.startSpread', 'ratio', assumptions.startSpread, 'assumed', 'what another start of a server would do over what one did'),
  ])
}

/** What the server uses at any rate is no work: only the rest of its cores is for calls. */
function cpuBound({ name, provision }: CandidateResult, { fixed }: Work, cores: Figure<'cores'>): Figure<'multiple'> {
  const cpus = given(`capacity.${name}.cpus`, 'cores', provision?.limits.cpus ?? 1, 'measured', 'cores of the server that was measured')
  const left = (all: number, rest: number) => Math.max(minLeft * all, cpuFill * all - rest)
  return derived(`capacity.${name}.cpuBound`, 'multiple', `(${cpuFill} × cpus − fixed) ÷ coresAtAverage`, [cpus, fixed, cores], (all, rest, own) =>
    ratio(left(all, rest), own),
  )
}

/** Of the cores: a server that does nothing but keep itself busy was measured wrong. */
const minLeft = 0.05

/** null: no closed loop was measured. */
function throughputBound(
  { name, trials }: CandidateResult,
  mix: Operation[],
  demand: Demand,
  scalability: Scalability | null,
): Figure<'multiple'> | null {
  const highest = Math.max(0, ...sweepOf({ trials }).map(({ perSecond }) => perSecond))
  if (highest <= 0) return null
  const law = scalability === null || scalability.points <= parameters ? null : rangeOfMost(scalability, highest)
  const most = given(
    `capacity.${name}.most`,
    'operations/s',
    law ?? highest,
    'measured',
    law === null
      ? `highest of the closed-loop sweep${scalability === null ? '' : '; the Universal Scalability Law has as many parameters as there are points'}`
      : 'highest of the Universal Scalability Law fitted to the closed-loop sweep, by residuals of logarithms and of throughputs',
  )
  const average = sumOf(
    `capacity.${name}.averageRate`,
    'operations/s',
    mix.map((operation) => demand.rate(operation, 0)),
  )
  return derived(`capacity.${name}.throughputBound`, 'multiple', `${cpuFill} × most ÷ averageRate`, [most, average], (x, rate) =>
    ratio(cpuFill * x, rate),
  )
}

/** λ, σ and κ. */
const parameters = 3

function rangeOfMost({ mostPerSecond, byThroughput }: Scalability, highest: number): Range | null {
  if (mostPerSecond === null) return null
  const both = [mostPerSecond, byThroughput.mostPerSecond ?? mostPerSecond]
  return { low: Math.min(highest, ...both), mid: mostPerSecond, high: Math.max(...both), confidence: null }
}
