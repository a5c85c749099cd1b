/** Multiples of today's average load that one bench-sized server carries. */
import type { CandidateResult } from '../result.ts'
import type { Operation } from '../scenario/scenario.ts'
import { cpuFill } from './capacity.ts'
import type { Demand } from './demand.ts'
import { derived, type Figure, given, productOf, sumOf } from './figure.ts'
import { ratio } from './figure-memo.ts'
import type { Scalability } from './scaling.ts'
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
  mix: Operation[],
  demand: Demand,
  cores: Figure<'cores'>,
  scalability: Scalability | null,
): Figure<'multiple'> | null {
  const { name } = candidate
  const { multiple, boundBy } = candidate.capacity
  if (multiple === null) return null
  const saturated = saturatedOf(candidate, mix, demand, cores, scalability)
  const full = productOf(`capacity.${name}.cpuBound`, 'multiple', `${cpuFill} × saturated`, [saturated], cpuFill)
  const sustained = given(
    `capacity.${name}.sustained`,
    'multiple',
    // Where the bound lies beyond what was tried, nothing above the low end is counted on.
    multiple.high === null ? { low: multiple.low, mid: multiple.low, high: multiple.mid, confidence: null } : { ...multiple, high: multiple.high },
    'measured',
    `the least of three capacities of one server: objectives, 70 % of its cores, saturation; bound by ${boundBy}`,
  )
  return derived(`capacity.${name}.carried`, 'multiple', 'min(sustained, cpuBound)', [sustained, full], (a, b) => Math.min(a, b))
}

function saturatedOf(
  candidate: CandidateResult,
  mix: Operation[],
  demand: Demand,
  cores: Figure<'cores'>,
  scalability: Scalability | null,
): Figure<'multiple'> {
  const { name } = candidate
  const cpus = given(`capacity.${name}.cpus`, 'cores', candidate.provision?.limits.cpus ?? 1, 'measured', 'cores of the server that was measured')
  const byCpu = derived(`capacity.${name}.saturatedByCpu`, 'multiple', 'cpus ÷ coresAtAverage', [cpus, cores], ratio)
  const most =
    scalability?.mostPerSecond ??
    Math.max(0, ...candidate.trials.filter((trial) => trial.phase === 'sweep').map((trial) => trial.throughputPerSecond))
  if (most <= 0) return { ...byCpu, path: `capacity.${name}.saturated` }
  const throughput = given(
    `capacity.${name}.most`,
    'operations/s',
    most,
    'measured',
    scalability === null ? 'highest of the closed-loop sweep' : 'highest of the Universal Scalability Law fitted to the closed-loop sweep',
  )
  const average = sumOf(
    `capacity.${name}.averageRate`,
    'operations/s',
    mix.map((operation) => demand.rate(operation, 0)),
  )
  return derived(`capacity.${name}.saturated`, 'multiple', 'min(saturatedByCpu, most ÷ averageRate)', [byCpu, throughput, average], (cpu, x, rate) =>
    Math.min(cpu, x / rate),
  )
}
