/**
 * Whether every objective holds, on average and at peak: the draws in which all calls of the plan stay within their limits, and those that were
 * measured on fewer rows do so on the rows of production. Where nothing was planned: what one server did.
 */
import type { CandidateResult } from '../../result/result.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import type { AtScale, ScaledCall } from '../capacity/at-scale.ts'
import { isSlow } from '../capacity/at-scale.ts'
import type { Drawn } from '../figures/drawn.ts'
import type { Figure } from '../figures/figure.ts'
import type { LoadLevel, PlannedCall, PlannedLatency } from '../fleet/latency-of-plan.ts'
import type { CandidateAssessment } from '../judge/assess.ts'
import { type Constraint, likelihood, outBelow, stateOf, uncertain } from './constraints.ts'

interface PlannedObjectives {
  latency: PlannedLatency
  scaled: ScaledCall[]
  drawn: Drawn
  /** Of the horizon. */
  months: number
}

const levels: { load: LoadLevel; name: Constraint['name'] }[] = [
  { load: 'average', name: 'objectives on average' },
  { load: 'peak', name: 'objectives at peak' },
]

/** `planned`: null where there is no plan. */
export function objectiveConstraints(
  candidate: CandidateResult,
  assessment: CandidateAssessment,
  scenario: Scenario,
  atScale: readonly AtScale[],
  planned: PlannedObjectives | null,
): Constraint[] {
  return levels.map(({ load, name }) => {
    const asked = askedText(scenario, load)
    return planned === null ? measured(name, asked, candidate, assessment, atScale) : ofPlan(name, asked, load, assessment.tried, atScale, planned)
  })
}

function askedText({ operations, requirements }: Scenario, load: LoadLevel): string {
  const count = operations.reduce((sum, { objectives }) => sum + objectives.length, 0)
  return `${count} limits at ${load === 'average' ? 'the average load' : `${requirements.peak}×`}`
}

/** What one number must stay within. */
interface Limit {
  what: string
  figure: Figure<'seconds'>
  holds: (seconds: number) => boolean
  limitMs: number
  month: number
  answers: number | null
}

/** What fewer calls told is said to be so. */
const manyAnswers = 1000

const within = (limitMs: number) => (seconds: number) => seconds * 1000 <= limitMs

function limitOf({ operation, objective, limitMs, month, answers }: PlannedCall, figure: Figure<'seconds'>): Limit {
  return { what: `${objective} of ${operation}`, figure, holds: within(limitMs), limitMs, month, answers }
}

const limitsOf = ({ operation, limitMs, now, horizon }: ScaledCall, months: number): Limit[] =>
  [
    { figure: now, month: 0 },
    { figure: horizon, month: months },
  ].map((each) => ({ ...each, what: `${operation} on the rows of production`, holds: within(limitMs), limitMs, answers: null }))

/**
 * Out is only who fails by what was measured, often enough, and by nothing that a summary table mends; what is assumed of production leaves it
 * open, and so does a summary table with which it almost surely fails all the same, and a load lighter than any that was tried.
 */
function ofPlan(
  name: Constraint['name'],
  asked: string,
  load: LoadLevel,
  tried: CandidateAssessment['tried'],
  atScale: readonly AtScale[],
  { latency, scaled, drawn, months }: PlannedObjectives,
): Constraint {
  const mendable = new Set(atScale.filter((each) => each.rollup !== null && isSlow(each)).map(({ operation }) => operation))
  const stays = <T extends { operation: string }>(some: T[]) => some.filter(({ operation }) => !mendable.has(operation))
  const calls = latency.calls.filter((call) => call.load === load)
  const onRows = (some: ScaledCall[]) => some.flatMap((call) => limitsOf(call, months))
  const totals = (some: PlannedCall[]) => some.map((call) => limitOf(call, call.total))
  const mended = [...totals(stays(calls)), ...onRows(stays(scaled))]
  const all = [...totals(calls), ...onRows(scaled)]
  if (all.length === 0) return uncertain(name, asked, 'not told', null, 'no operation with an objective was called often enough to tell')
  const [asModelled, after] = [all, mended].map((limits) => drawn.shareWithin(limits)) as [number, number]
  // The disk of the bench, or a faster one in its place.
  const late = stays(calls).filter(({ unloaded }) => unloaded)
  const unloaded = Math.max(drawn.shareWithin(late.map((call) => limitOf(call, call.alone))), drawn.shareWithin(totals(late)))
  const certain = Math.min(toldByLightest(tried), unloaded, drawn.shareWithin(onRows(stays(scaled))))
  const condition = mendable.size === 0 ? null : { operations: [...mendable], probability: after }
  const found = stateOf(asModelled)
  const state = found !== 'out' ? found : certain < outBelow ? 'out' : condition === null || !mends(condition) ? 'open' : 'condition'
  const evidence = evidenceOf({ all, mended, condition, untold: untoldOf(latency, scaled), drawn })
  return { ...uncertain(name, asked, plannedText(asModelled, condition?.probability ?? null), asModelled, evidence), state, condition }
}

/**
 * That everything holds under the lightest load that was tried. It says nothing of lighter ones, unless it was a light one itself, or what is
 * late there is nearly as late as under the heaviest load: then load is not what makes it late.
 */
function toldByLightest(tried: CandidateAssessment['tried']): number {
  if (tried === null) return 1
  const [lightest, heaviest] = tried.shares ?? []
  const isFlat = lightest !== undefined && heaviest !== undefined && lightest.share > flatShare * heaviest.share
  return tried.isLight || isFlat ? tried.holdsAtLowest : 1
}

const flatShare = 0.5

/** A change with which it almost surely fails all the same is no condition to stand on. */
const mends = ({ probability }: NonNullable<Constraint['condition']>) => probability >= outBelow

const plannedText = (asModelled: number, after: number | null) =>
  `all hold in ${likelihood(asModelled)} of the draws${after === null ? '' : `, rolled up in ${likelihood(after)}`}`

interface Evidence {
  all: Limit[]
  mended: Limit[]
  condition: Constraint['condition']
  untold: string[]
  drawn: Drawn
}

function evidenceOf({ all, mended, condition, untold, drawn }: Evidence): string {
  const rolledUp =
    condition === null
      ? []
      : [
          `with ${condition.operations.join(', ')} rolled up ${worstText(mended, drawn)}`,
          ...(mends(condition) ? [] : [`all hold in ${likelihood(condition.probability)} of the draws then: that mends too little to stand on`]),
        ]
  const untested = untold.length === 0 ? [] : [`called too rarely to tell: ${untold.join(', ')}`]
  return [worstText(all, drawn), ...rolledUp, ...untested].join('; ')
}

/** What is judged on the rows of production is told. */
const untoldOf = ({ untold }: PlannedLatency, scaled: ScaledCall[]) =>
  untold.filter((each) => scaled.every(({ operation }) => !each.endsWith(` of ${operation}`)))

/** The limit that holds in the fewest draws. */
function worstText(limits: Limit[], drawn: Drawn): string {
  const [worst] = limits.map((limit) => ({ limit, share: drawn.shareWithin([limit]) })).sort((a, b) => a.share - b.share)
  if (worst === undefined) return 'nothing else has a limit'
  const { what, figure, limitMs, month, answers } = worst.limit
  const few = answers !== null && answers < manyAnswers ? `, by only ${answers} calls` : ''
  const when = month === 0 ? ' now' : ` in month ${month}`
  return `${what} decides: ${seconds(drawn.spread(figure).p50)} of ${seconds(limitMs / 1000)}${when}, which holds in ${likelihood(worst.share)} of the draws${few}`
}

const seconds = (value: number) => (value >= 1 ? `${Number(value.toPrecision(3))} s` : `${Number((value * 1000).toPrecision(3))} ms`)

/** Nothing was planned: what holds at the lightest rate that was tried could be bought, at some price. */
function measured(
  name: Constraint['name'],
  asked: string,
  { capacity }: CandidateResult,
  { tried, unloaded }: CandidateAssessment,
  atScale: readonly AtScale[],
): Constraint {
  const { multiple, boundBy } = capacity
  const late = unloaded.map(({ objective, operation }) => `${objective} of ${operation}`)
  if (late.length > 0)
    return { ...uncertain(name, asked, 'not planned', 0, `missed at any load that was measured: ${late.join(', ')}`), state: 'open' }
  if (tried === null) return uncertain(name, asked, 'not planned', null, `no rate was tried that tells which load it holds (${boundBy})`)
  const { lowest, highest, rates, rounds, holdsAtLowest, binding } = tried
  const probability = atScale.reduce((product, each) => product * (1 - each.probability), holdsAtLowest)
  const range = `${rates} rates from ${times(lowest)} to ${times(highest)} were tried in ${rounds} rounds`
  const sure = `at the lightest of them every limit holds with a probability of ${likelihood(holdsAtLowest)}`
  const slow = atScale.filter(isSlow)
  const text =
    holdsAtLowest >= 1 - outBelow && multiple !== null
      ? `one server carries ${times(multiple.mid)}, and no fleet was planned; ${range}`
      : `${range}, and nothing lighter: ${sure}${binding === '' ? '' : `, bound by ${binding}`}`
  const judged = uncertain(name, asked, 'not planned', probability, [text, ...slow.map(slowText)].join('; '))
  const certain = atScale.reduce((product, each) => product * (1 - each.probability), toldByLightest(tried))
  const found = judged.state === 'out' && certain >= outBelow ? { ...judged, state: 'open' as const } : judged
  const operations = slow.flatMap(({ operation, rollup }) => (rollup === null ? [] : [operation]))
  const condition = { operations, probability: holdsAtLowest }
  return found.state === 'out' && operations.length === slow.length && slow.length > 0 && mends(condition)
    ? { ...found, state: 'condition', condition }
    : found
}

const slowText = ({ operation, now, limitMs }: AtScale) =>
  `${operation} would take ${seconds(now.p50)} on the rows of production, of ${seconds(limitMs / 1000)} allowed`

const times = (multiple: number) => `${Number(multiple.toPrecision(2))}×`
