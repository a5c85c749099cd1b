/** What one operation costs the server: CPU, bytes written and flushes, by least squares over trials whose mixes differ. */
import type { CandidateResult, TrialResult } from '../result.ts'
import { type Operation, writesOf } from '../scenario/scenario.ts'
import { type Figure, given, type Range } from './figure.ts'
import { type Fitted, nonNegativeLeastSquares } from './linear.ts'

export interface Work {
  /** In the order of the operations; an excused one has none. Those that are not told apart share a figure. */
  perOperation: Map<string, Figure<'core-s/operation'>>
  /** Bytes that one call makes the disk write, and the flushes it waits for or causes. */
  written: Map<string, Figure<'bytes'>>
  flushes: Map<string, Figure<'ratio'>>
  /** How the CPU was found, for people. */
  how: string
}

/** Beyond this the trials do not tell the operations apart: a change of one coefficient is made up by others. */
const worstCondition = 1e4
/** A cost whose error is larger than this multiple of itself is not known. */
const worstError = 1
const confidence = 0.95

export interface Observation {
  /** Calls per second, by operation. */
  calls: number[]
  /** What was used per second. */
  used: number
}

export function workOf(candidate: CandidateResult, operations: Operation[]): Work | null {
  const done = new Set(candidate.compiled.map((each) => each.operation))
  const own = operations.filter((operation) => done.has(operation.name)).map((operation) => operation.name)
  const trials = candidate.trials.filter(tells)
  if (own.length === 0 || trials.length === 0) return null
  const path = `work.${candidate.name}`
  const cpu = observe(trials, own, (trial) => trial.resources.server?.cpuCores ?? null)
  const { figures, groups } = costsOf(path, 'cpu', 'core-s/operation', own, cpu)
  const writes = operations.filter((operation) => own.includes(operation.name) && writesOf(operation).length > 0).map((operation) => operation.name)
  const disk = (of: (use: NonNullable<TrialResult['resources']['disk']>) => number) =>
    observe(trials, writes, (trial) => (trial.resources.disk === null ? null : of(trial.resources.disk) / trial.seconds))
  const together = groups.filter((group) => group.length > 1)
  return {
    perOperation: figures,
    written: costsOf(
      path,
      'written',
      'bytes',
      writes,
      disk((use) => use.writtenBytes),
    ).figures,
    flushes: costsOf(
      path,
      'flushes',
      'ratio',
      writes,
      disk((use) => use.syncs),
    ).figures,
    how:
      groups.length === 1
        ? `CPU by mix only: ${cpu.length} trials do not tell the operations apart`
        : `CPU by least squares over ${cpu.length} trials with different mixes${together.map((group) => `; ${group.join(', ')} only together`).join('')}`,
  }
}

/** Others did not use the machine, the server lived, what was asked of it was answered in time, and it was our own client. */
function tells(trial: TrialResult): boolean {
  const { verdict } = trial.validity
  return (
    trial.phase !== 'warm-up' &&
    trial.phase !== 'maintenance' &&
    trial.client === 'wire' &&
    verdict !== 'noisy' &&
    verdict !== 'broken' &&
    !trial.saturated &&
    trial.seconds > 0
  )
}

function observe(trials: TrialResult[], operations: string[], of: (trial: TrialResult) => number | null): Observation[] {
  return trials.flatMap((trial) => {
    const used = of(trial)
    const calls = operations.map((name) => {
      const each = trial.operations[name]
      return each === undefined ? 0 : (each.completed ?? each.ok + each.miss + each.conflict) / trial.seconds
    })
    return used === null || calls.every((rate) => rate === 0) ? [] : [{ calls, used }]
  })
}

/**
 * The cost of one call of each operation. Operations that the trials do not tell apart are taken together, with one average of theirs,
 * until every cost that is left is known to within itself; where that is one for all, it is the mix's own: right for the mix as it is,
 * silent about any other.
 */
export function costsOf<U extends Figure['unit']>(
  path: string,
  what: string,
  unit: U,
  operations: string[],
  observed: Observation[],
): { figures: Map<string, Figure<U>>; groups: string[][] } {
  let groups = operations.map((_, at) => [at])
  let fitted: Fitted | null = null
  while (groups.length > 1) {
    fitted = fit(observed, groups)
    const unknown = fitted === null || fitted.condition >= worstCondition ? mostAlike(observed, groups) : unknownOf(groups, fitted)
    if (unknown.length === 0) break
    groups = [...groups.filter((group) => !unknown.includes(group)), unknown.flat().sort((a, b) => a - b)]
  }
  const named = groups.map((group) => group.map((at) => operations[at] as string))
  const figureOf = (names: string[], at: number): Figure<U> => {
    if (groups.length === 1) return given(`${path}.mix.${what}`, unit, averageOf(observed), 'measured', 'average of the mix over the trials')
    const mid = fitted?.coefficients[at] as number
    const error = 1.96 * (fitted?.standardErrors[at] as number)
    const range: Range = { low: Math.max(mid / 10, mid - error), mid, high: mid + error, confidence }
    const source = `least squares over trials with different mixes${names.length > 1 ? `, average of ${names.join(', ')}` : ''}`
    return given(`${path}.${names.join('+')}.${what}`, unit, range, 'measured', source)
  }
  const figures = named.map(figureOf)
  const groupOf = (name: string) => named.findIndex((names) => names.includes(name))
  return { figures: new Map(operations.map((name) => [name, figures[groupOf(name)] as Figure<U>])), groups: named }
}

const callsOf = ({ calls }: Observation, group: number[]) => group.reduce((sum, at) => sum + (calls[at] as number), 0)

/** The last coefficient is what the server uses without any operation. Errors are shares of what is used, so rows weigh by its inverse. */
function fit(observed: Observation[], groups: number[][]): Fitted | null {
  if (observed.length < groups.length + 2) return null
  const floor = Math.max(1e-9, ...observed.map(({ used }) => used)) / 20
  const weight = ({ used }: Observation) => 1 / Math.max(floor, used)
  return nonNegativeLeastSquares(
    observed.map((each) => [...groups.map((group) => callsOf(each, group)), 1].map((value) => value * weight(each))),
    observed.map((each) => each.used * weight(each)),
  )
}

/** Those to be taken together; none: every cost is known. One alone joins the one that is known least beside it. */
function unknownOf(groups: number[][], { coefficients, standardErrors }: Fitted): number[][] {
  const error = (at: number) => {
    const cost = coefficients[at] as number
    return cost > 0 ? (standardErrors[at] ?? Number.POSITIVE_INFINITY) / cost : Number.POSITIVE_INFINITY
  }
  const worstFirst = groups.map((group, at) => ({ group, error: error(at) })).sort((a, b) => b.error - a.error)
  const unknown = worstFirst.filter((each) => each.error > worstError).length
  return unknown === 0 ? [] : worstFirst.slice(0, Math.max(2, unknown)).map((each) => each.group)
}

/** The two whose calls go up and down together most. */
function mostAlike(observed: Observation[], groups: number[][]): number[][] {
  const columns = groups.map((group) => observed.map((each) => callsOf(each, group)))
  const cosine = (a: number[], b: number[]) => {
    const size = Math.hypot(...a) * Math.hypot(...b)
    return size === 0 ? 1 : a.reduce((sum, value, at) => sum + value * (b[at] as number), 0) / size
  }
  const pairs = groups.flatMap((_, a) =>
    groups.slice(0, a).map((__, b) => ({ pair: [a, b], alike: cosine(columns[a] as number[], columns[b] as number[]) })),
  )
  const [closest] = pairs.sort((p, q) => q.alike - p.alike)
  return (closest?.pair ?? []).map((at) => groups[at] as number[])
}

function averageOf(observed: Observation[]): Range {
  const ratios = observed.map(({ calls, used }) => used / calls.reduce((sum, each) => sum + each, 0)).sort((a, b) => a - b)
  const at = (share: number) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? 0
  return { low: at(0.1), mid: at(0.5), high: at(0.9), confidence: null }
}
