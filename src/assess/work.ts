/** What one operation costs the server: CPU, bytes written and flushes, by least squares over trials whose mixes differ. */
import type { CandidateResult, TrialResult } from '../result.ts'
import { type Operation, writesOf } from '../scenario/scenario.ts'
import { type Figure, given, type Range } from './figure.ts'
import { type Fitted, nonNegativeLeastSquares } from './linear.ts'

export interface Work {
  /** In the order of the operations; an excused one has none. */
  perOperation: Map<string, Figure<'core-s/operation'>>
  /** Bytes that one call makes the disk write, and the flushes it waits for or causes. */
  written: Map<string, Figure<'bytes'>>
  flushes: Map<string, Figure<'ratio'>>
  /** How it was found, for people. */
  how: string
  identified: boolean
}

/** Beyond this the trials do not tell the operations apart: a change of one coefficient is made up by others. */
const worstCondition = 1e4
/** A cost whose error is larger than this multiple of itself is not known. */
const worstError = 1
const confidence = 0.95

interface Observation {
  /** Calls per second, by operation. */
  calls: number[]
  /** What was used per second. */
  used: number
}

export function workOf(candidate: CandidateResult, operations: Operation[]): Work | null {
  const done = new Set(candidate.compiled.map((each) => each.operation))
  const own = operations.filter((operation) => done.has(operation.name))
  const trials = candidate.trials.filter(tells)
  if (own.length === 0 || trials.length === 0) return null
  const cpu = observe(trials, own, (trial) => trial.resources.server?.cpuCores ?? null)
  const fitted = fit(cpu, own)
  const identified = fitted !== null && isIdentified(fitted, own.length)
  const perOperation = identified
    ? figures(`work.${candidate.name}`, 'cpu', 'core-s/operation', own, fitted)
    : byMix(`work.${candidate.name}`, 'cpu', 'core-s/operation', own, cpu)
  const writes = own.filter((operation) => writesOf(operation).length > 0)
  const disk = (of: (use: NonNullable<TrialResult['resources']['disk']>) => number) =>
    observe(trials, writes, (trial) => (trial.resources.disk === null ? null : of(trial.resources.disk) / trial.seconds))
  const bytes = disk((use) => use.writtenBytes)
  const syncs = disk((use) => use.syncs)
  return {
    perOperation,
    written: perWrite('written', 'bytes', bytes),
    flushes: perWrite('flushes', 'ratio', syncs),
    identified,
    how: identified
      ? `CPU by least squares over ${cpu.length} trials with different mixes`
      : `CPU by mix only: ${cpu.length} trials do not tell the operations apart${fitted === null ? '' : ` (condition ${fitted.condition.toExponential(1)})`}`,
  }

  function perWrite<U extends 'bytes' | 'ratio'>(what: string, unit: U, observed: Observation[]): Map<string, Figure<U>> {
    const path = `work.${candidate.name}`
    const found = fit(observed, writes)
    return found !== null && isIdentified(found, writes.length) ? figures(path, what, unit, writes, found) : byMix(path, what, unit, writes, observed)
  }
}

/** Others did not use the machine, the server lived, and it was our own client. */
function tells(trial: TrialResult): boolean {
  const { verdict } = trial.validity
  return (
    trial.phase !== 'warm-up' &&
    trial.phase !== 'maintenance' &&
    trial.client === 'wire' &&
    verdict !== 'noisy' &&
    verdict !== 'broken' &&
    trial.seconds > 0
  )
}

function observe(trials: TrialResult[], operations: Operation[], of: (trial: TrialResult) => number | null): Observation[] {
  return trials.flatMap((trial) => {
    const used = of(trial)
    const calls = operations.map(({ name }) => {
      const each = trial.operations[name]
      return each === undefined ? 0 : (each.ok + each.miss + each.conflict) / trial.seconds
    })
    return used === null || calls.every((rate) => rate === 0) ? [] : [{ calls, used }]
  })
}

/** The last coefficient is what the server uses without any operation. Errors are shares of what is used, so rows weigh by its inverse. */
function fit(observed: Observation[], operations: Operation[]): Fitted | null {
  if (observed.length < operations.length + 2) return null
  const floor = Math.max(1e-9, ...observed.map(({ used }) => used)) / 20
  const weight = ({ used }: Observation) => 1 / Math.max(floor, used)
  return nonNegativeLeastSquares(
    observed.map((each) => [...each.calls, 1].map((value) => value * weight(each))),
    observed.map((each) => each.used * weight(each)),
  )
}

function isIdentified({ coefficients, standardErrors, condition }: Fitted, operations: number): boolean {
  return (
    condition < worstCondition &&
    coefficients.slice(0, operations).every((value, at) => value > 0 && (standardErrors[at] ?? Number.POSITIVE_INFINITY) <= worstError * value)
  )
}

function figures<U extends Figure['unit']>(path: string, what: string, unit: U, operations: Operation[], found: Fitted): Map<string, Figure<U>> {
  return new Map(
    operations.map(({ name }, at) => {
      const mid = found.coefficients[at] as number
      const error = 1.96 * (found.standardErrors[at] as number)
      const range: Range = { low: Math.max(mid / 10, mid - error), mid, high: mid + error, confidence }
      return [name, given(`${path}.${name}.${what}`, unit, range, 'measured', 'least squares over trials with different mixes')]
    }),
  )
}

/** Each operation gets the mix's own average: right for the mix as it is, silent about any other. */
function byMix<U extends Figure['unit']>(
  path: string,
  what: string,
  unit: U,
  operations: Operation[],
  observed: Observation[],
): Map<string, Figure<U>> {
  const ratios = observed.map(({ calls, used }) => used / calls.reduce((sum, each) => sum + each, 0)).sort((a, b) => a - b)
  const at = (share: number) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? 0
  const range: Range = { low: at(0.1), mid: at(0.5), high: at(0.9), confidence: null }
  const figure = given(`${path}.mix.${what}`, unit, range, 'measured', 'average of the mix over the trials')
  return new Map(operations.map(({ name }) => [name, figure]))
}
