/**
 * What one operation costs the server. CPU: only the ratios between operations are taken from closed loops whose mixes differ, for these
 * are saturated and say nothing of the level; the level is that of the utilisation law over open-loop rates. Bytes written and flushes:
 * by least squares over all trials.
 */
import type { CandidateResult, TrialResult } from '../../result/result.ts'
import { type Operation, writesOf } from '../../scenario/scenario.ts'
import { type Fitted, nonNegativeLeastSquares } from '../../stats/linear.ts'
import { assumed, type Figure, given, productOf, type Range } from '../figures/figure.ts'

export interface Work {
  /** In the order of the operations; an excused one has none. Those that are not told apart share a figure. */
  perOperation: Map<string, Figure<'core-s/operation'>>
  /** What a server uses at any rate: each server of a fleet does. */
  fixed: Figure<'cores'>
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
  /** How long that was watched: short windows tell less. */
  seconds?: number
}

export function workOf(candidate: CandidateResult, operations: Operation[]): Work | null {
  const done = new Set(candidate.compiled.map((each) => each.operation))
  const own = operations.filter((operation) => done.has(operation.name)).map((operation) => operation.name)
  const trials = candidate.trials.filter(tells)
  if (own.length === 0 || trials.length === 0) return null
  const path = `work.${candidate.name}`
  const writes = operations.filter((operation) => own.includes(operation.name) && writesOf(operation).length > 0).map((operation) => operation.name)
  const disk = (of: (use: NonNullable<TrialResult['resources']['disk']>) => number) =>
    observe(trials, writes, (trial) => (trial.resources.disk === null ? null : of(trial.resources.disk) / trial.seconds))
  return {
    ...cpuOf(path, own, trials, candidate),
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
  }
}

/** On slower cores the same calls are more work. */
const slowdownOf = ({ slowdown }: TrialResult) => slowdown
const coresOf = (trial: TrialResult) => trial.resources.server?.cpuCores ?? null
/** A server that answers less than this share of what is asked is saturated, whatever its backlog says. */
const minAnswered = 0.95
/** Of the cores: a server with no more to give takes calls together, and a call costs less than at the rates that are planned. */
const mostBusy = 0.85
/** Its own mix at rates that were offered and answered: what the level is taken from. */
export const isOffered = (trial: TrialResult, { mix }: Pick<CandidateResult, 'mix'>) =>
  trial.arrival.loop === 'open' &&
  trial.mix === mix &&
  trial.phase !== 'probe' &&
  trial.throughputPerSecond >= minAnswered * (trial.arrival.ratePerSecond ?? 0)

function cpuOf(path: string, own: string[], trials: TrialResult[], candidate: CandidateResult): Pick<Work, 'perOperation' | 'fixed' | 'how'> {
  const designed = observe(
    trials.filter((trial) => trial.phase === 'work'),
    own,
    coresOf,
    slowdownOf,
  )
  const open = trials.filter((trial) => isOffered(trial, candidate))
  const offered = observe(
    open.filter((trial) => (coresOf(trial) ?? 0) < mostBusy * (candidate.provision?.limits.cpus ?? Number.POSITIVE_INFINITY)),
    own,
    coresOf,
    slowdownOf,
  )
  const answered = observe(open, own, coresOf, slowdownOf)
  // Closed loops are saturated: what they use beside the calls is told apart from nothing, so the ratios are through the origin.
  const ratios = costsOf(path, 'cpuInSaturation', 'core-s/operation', own, designed.length > own.length ? designed : [], 'origin')
  const relative = own.map((name) => middleOfRange(ratios.figures.get(name)) || 1)
  const lawOf = (weights: number[]) =>
    levelOf(offered, weights) ??
    levelOf(answered, weights) ??
    averageLevel(answered.length > 0 ? answered : observe(trials, own, coresOf, slowdownOf), weights)
  if (ratios.groups.length === 1) {
    const { perUnit, fixed, source } = lawOf(own.map(() => 1))
    const figure = given(`${path}.mix.cpu`, 'core-s/operation', perUnit, 'measured', source)
    const how = `CPU by mix only: ${trials.length} trials do not tell the operations apart`
    return { perOperation: new Map(own.map((name) => [name, figure])), fixed: fixedFigure(path, fixed, source), how }
  }
  const { perUnit, fixed, source } = lawOf(relative)
  const scale = given(`${path}.level`, 'ratio', perUnit, 'measured', `observed ÷ modelled: ${source}`)
  const together = ratios.groups.filter((group) => group.length > 1)
  const perOperation = new Map(
    ratios.groups.flatMap((names) => {
      const inSaturation = ratios.figures.get(names[0] as string) as Figure
      const figure = productOf(`${path}.${names.join('+')}.cpu`, 'core-s/operation', 'cpuInSaturation × level', [inSaturation, scale])
      return names.map((name) => [name, figure] as const)
    }),
  )
  const apart = together.map((group) => `; ${group.join(', ')} only together`).join('')
  return {
    perOperation,
    fixed: fixedFigure(path, fixed, source),
    how: `CPU: level by the ${source}; ratios between operations by least squares over ${designed.length} saturated trials with different mixes${apart}`,
  }
}

interface Level {
  /** Core-seconds of one unit of the modelled work. */
  perUnit: Range
  fixed: Range
  /** For people. */
  source: string
}

/** Rates that differ by less, in logarithms, are one. */
const rateStep = 0.2

/** cores = fixed + perUnit × Σ calls·relative. Nothing is used at any rate that was not used in the trial that used least. null: the rates do not tell. */
export function levelOf(observed: Observation[], relative: number[]): Level | null {
  const told = observed.flatMap(({ calls, used, seconds = 1 }) => {
    const work = calls.reduce((sum, each, at) => sum + each * (relative[at] as number), 0)
    return used > 0 && work > 0 ? [{ work, used, seconds }] : []
  })
  const least = Math.min(...told.map(({ used }) => used))
  // However often a rate was tried, it weighs as one: where the search went is not where production is.
  const points = [...Map.groupBy(told, ({ work }) => Math.round(Math.log(work) / rateStep)).values()].flatMap((own) => {
    const together = own.reduce((sum, { seconds }) => sum + seconds, 0)
    // An error of the cores grows with what is used, and has a part that does not.
    return own.map(({ work, used, seconds }) => ({ work, used, weight: Math.sqrt(seconds / together / used) }))
  })
  const fitted = nonNegativeLeastSquares(
    points.map(({ work, weight }) => [weight * work, weight]),
    points.map(({ used, weight }) => weight * used),
  )
  const [perUnit, fixed] = fitted?.coefficients ?? []
  if (fitted === null || perUnit === undefined || fixed === undefined || perUnit === 0 || points.length < 3) return null
  const range = (mid: number, error: number | null): Range => ({
    low: Math.max(mid / 10, mid - 1.96 * (error ?? 0)),
    mid,
    high: mid + 1.96 * (error ?? 0),
    confidence: error === null ? null : confidence,
  })
  return {
    perUnit: range(perUnit, fitted.standardErrors[0] ?? null),
    fixed: fixed === 0 ? assumed(0, 0, 0) : range(Math.min(fixed, least), fitted.standardErrors[1] ?? null),
    source: `utilisation law, cores = fixed + work, over ${told.length} trials at offered rates`,
  }
}

/** All is work where the rates do not tell. */
function averageLevel(observed: Observation[], relative: number[]): Level {
  const weighted = observed.map(({ calls, used }) => ({ calls: calls.map((each, at) => each * (relative[at] as number)), used }))
  return {
    perUnit: averageOf(weighted),
    fixed: assumed(0, 0, 0),
    source: `average of ${observed.length} trials, too few rates below saturation for the utilisation law`,
  }
}

const fixedFigure = (path: string, fixed: Range, source: string) =>
  given(`${path}.fixed`, 'cores', fixed, 'measured', `of a server at any rate: ${source}`)
const middleOfRange = (figure: Figure | undefined) => (figure?.kind === 'given' ? figure.range.mid : 0)

/** Others did not use the machine, the server lived, what was asked of it was answered in time, and it was the client of all trials. */
function tells(trial: TrialResult): boolean {
  const { verdict } = trial.validity
  return (
    trial.phase !== 'warm-up' &&
    trial.phase !== 'maintenance' &&
    trial.phase !== 'tax' &&
    verdict !== 'noisy' &&
    verdict !== 'broken' &&
    !trial.saturated &&
    trial.seconds > 0
  )
}

function observe(
  trials: TrialResult[],
  operations: string[],
  of: (trial: TrialResult) => number | null,
  weight = (_: TrialResult) => 1,
): Observation[] {
  return trials.flatMap((trial) => {
    const used = of(trial)
    const calls = operations.map((name) => {
      const each = trial.operations[name]
      return each === undefined ? 0 : (weight(trial) * (each.completed ?? each.ok + each.miss + each.conflict)) / trial.seconds
    })
    return used === null || calls.every((rate) => rate === 0) ? [] : [{ calls, used, seconds: trial.seconds }]
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
  rest: 'fitted' | 'origin' = 'fitted',
): { figures: Map<string, Figure<U>>; groups: string[][] } {
  let groups = operations.map((_, at) => [at])
  let fitted: Fitted | null = null
  while (groups.length > 1) {
    fitted = fit(observed, groups, rest)
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

/** `fitted`: the last coefficient is what is used without any operation. Errors are shares of what is used, so rows weigh by its inverse. */
function fit(observed: Observation[], groups: number[][], rest: 'fitted' | 'origin'): Fitted | null {
  if (observed.length < groups.length + 2) return null
  const floor = Math.max(1e-9, ...observed.map(({ used }) => used)) / 20
  const weight = ({ used }: Observation) => 1 / Math.max(floor, used)
  return nonNegativeLeastSquares(
    observed.map((each) => [...groups.map((group) => callsOf(each, group)), ...(rest === 'fitted' ? [1] : [])].map((value) => value * weight(each))),
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
