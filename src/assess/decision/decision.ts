/** The verdict: who passes the hard constraints, how they rank, what each would need and cost month by month, and how sure all that is. */

import type { CandidateResult, Result } from '../../result/result.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { type AtScale, atScaleOf, isSlow } from '../capacity/at-scale.ts'
import { type Forecast, forecastsOf } from '../capacity/forecast.ts'
import { rowsOf } from '../capacity/rows.ts'
import { costOf, pricedShapes } from '../cost/cost.ts'
import { engineerHour } from '../cost/labour.ts'
import { type Catalogue, caveats, consulted, serversOf } from '../cost/prices.ts'
import { type Unmeasured, unmeasuredOf } from '../cost/unmeasured.ts'
import { Demand } from '../demand/demand.ts'
import { type DemandTable, demandTable } from '../demand/demand-table.ts'
import { Drawn } from '../figures/drawn.ts'
import type { Explainable } from '../figures/explain.ts'
import { type Figure, type Provenance, type Range, reachable, type Unit } from '../figures/figure.ts'
import { draws, middleOf, type Spread } from '../figures/simulate.ts'
import { type CandidatePlan, type Complete, completed, describePlan, figuresOf, scaledCallsOfPlan } from '../fleet/candidate-plan.ts'
import { isPlan, planCapacity } from '../fleet/capacity-plan.ts'
import { type Composite, compositesOf } from '../fleet/composites.ts'
import { latencyOf } from '../fleet/latency-of-plan.ts'
import { proposeShardKey, type ShardProposal } from '../fleet/shard-key.ts'
import { triggersOf } from '../fleet/triggers.ts'
import type { Assessment, CandidateAssessment, MissedUnloaded } from '../judge/assess.ts'
import { markedName } from '../judge/cautions.ts'
import type { KnownResolution } from '../judge/machine-resolution.ts'
import { measuredThrough } from '../judge/own-evidence.ts'
import { type Constraint, constraintsOf } from './constraints.ts'
import { blurOf, type Criterion, criteriaOf, type Exhibit, type Judged, judgeCriteria } from './criteria.ts'
import { type Forks, forksOf } from './forks.ts'
import { lateGroups } from './late-groups.ts'
import { objectiveConstraints } from './objective-constraints.ts'
import { beyondCatalogue, beyondText, plannedConstraints, regionConstraint, unplannedFleet } from './planned-constraints.ts'
import { type GroupCost, type PolyglotProposal, proposePolyglot } from './polyglot.ts'
import { type Blur, type Contender, type Ranking, rank, unknownUtility } from './ranking.ts'
import { weightsOf } from './weights.ts'
export interface DecisionOptions {
  catalogues: Catalogue[]
  weights: Record<string, number>
  today: Date
}
export interface CandidateDecision {
  name: string
  /** The name as it stands beside numbers: marked where there is something to know about them, see `cautions.ts`. */
  marked: string
  /** Partial: its plan is for a smaller job, and stands beside no full one. */
  mix: 'full' | 'partial'
  constraints: Constraint[]
  out: boolean
  criteria: { criterion: string; utility: Spread | null; shown: string }[]
  plan: CandidatePlan | null
  noPlan: string | null
  /** Calls that touch more rows in production than were loaded: how long they take there, by what a row is assumed to cost. */
  atScale: AtScale[]
  /** Objectives that are missed at any load, which buys no server. */
  unloaded: MissedUnloaded[]
}
export interface Decision {
  demand: DemandTable
  candidates: CandidateDecision[]
  criteria: (Criterion & { weight: number })[]
  rules: string[]
  ranking: Ranking
  /** By how much two equals differ on this machine: who differs by less shares a rank. */
  resolution: KnownResolution[]
  polyglot: PolyglotProposal | null
  /** Of those that no hard constraint rules out. */
  forks: Forks[]
  /** Beside the candidates: none was measured, none is ranked. */
  composites: Composite[]
  shards: ShardProposal | null
  forecasts: Forecast[]
  /** All that nobody measured, stated or published, by path: what `--assume` replaces. */
  assumed: { path: string; unit: Unit; range: Range; source: string }[]
  pricedNotMeasured: Unmeasured[]
  caveats: string[]
  months: number
  budgetUsdPerMonth: number | null
  /** What an hour of people is charged with, at the middle, and where that comes from. */
  engineerHour: { usd: number; provenance: Provenance }
}

/** Calls that take too long on the rows of production, and would not with their answer kept. */
const mendableOf = (atScale: readonly AtScale[]) => atScale.filter((each) => each.rollup !== null && isSlow(each)).map(({ operation }) => operation)

/** A candidate with all that is known of it before anything is drawn. */
interface Case {
  exhibit: Exhibit
  complete: Complete | null
  assessed: CandidateAssessment
  judged: Judged[]
  /** Why it has no plan. */
  reason: string | null
  /** What is asked of servers and their place, where that is known before anything is drawn. */
  known: Constraint[]
  atScale: AtScale[]
}

/** Who passes, and how they rank. */
export type Verdict = Pick<Decision, 'candidates' | 'criteria' | 'rules' | 'ranking' | 'resolution' | 'months'>

/** A verdict with what it rests on. */
interface Weighed {
  scenario: Scenario
  demand: Demand
  catalogue: Catalogue | undefined
  cases: Case[]
  figures: Figure[]
  verdict: Verdict
}

function weigh(result: Result, assessment: Assessment, options: DecisionOptions): Weighed {
  const { scenario } = result
  const demand = new Demand(scenario)
  const catalogue = serversOf(options.catalogues, scenario.requirements.regions)
  const scaled = atScaleOf(result)
  const cases = result.candidates.map((candidate, at): Case => {
    const own = caseOf(candidate, result, demand, catalogue, assessment.candidates[at] as CandidateAssessment)
    return { ...own, atScale: scaled[at] ?? [] }
  })
  const figures = [...new Set(cases.flatMap((each) => figuresOfCase(each, demand)))]
  const drawn = new Drawn(figures, result.seed)
  const candidates = cases.map((each) => decisionOf(each, result, demand, drawn, options.catalogues))
  const { weights, rules } = weightsOf(scenario, options.weights)
  const contenders = cases.flatMap((each, at) => (candidates[at]?.out === true ? [] : [contenderOf(each, drawn, result.seed, assessment.resolution)]))
  return {
    scenario,
    demand,
    catalogue,
    cases,
    figures,
    verdict: {
      candidates,
      criteria: criteriaOf(scenario).map((criterion) => ({ ...criterion, weight: weights.get(criterion.name) as number })),
      rules,
      ranking: rank(contenders, weights, result.seed),
      resolution: assessment.resolution,
      months: demand.months,
    },
  }
}

const figuresOfCase = ({ complete, judged }: Case, demand: Demand): Figure[] => [
  ...judged.flatMap(({ utility }) => (utility === null ? [] : [utility])),
  ...(complete === null ? [] : figuresOf(complete, demand)),
]

/** The verdict alone: what other wishes change is told by it. */
export const verdictOf = (result: Result, assessment: Assessment, options: DecisionOptions): Verdict => weigh(result, assessment, options).verdict

export function decide(result: Result, assessment: Assessment, options: DecisionOptions): { decision: Decision; explainable: Explainable } {
  const { scenario, demand, catalogue, cases, figures, verdict } = weigh(result, assessment, options)
  const { candidates } = verdict
  const hour = engineerHour(scenario)
  const { regions, budgetUsdPerMonth } = scenario.requirements
  const asked = demandTable(
    demand,
    rowsOf(result, demand),
    cases.flatMap(({ exhibit: { plan } }) => (plan === null ? [] : [plan])),
  )
  return {
    decision: {
      demand: asked,
      ...verdict,
      forks: cases.flatMap(({ exhibit: { candidate }, complete }, at) =>
        complete === null || catalogue === undefined || candidates[at]?.out === true
          ? []
          : forksOf(candidate, result, catalogue, asked.still, mendableOf(candidates[at]?.atScale ?? [])),
      ),
      composites: cases.flatMap(({ complete }, at) =>
        complete === null || candidates[at]?.out === true ? [] : compositesOf(complete.plan, complete.cost, demand, middleOf(hour)),
      ),
      polyglot: withLate(
        catalogue === undefined
          ? null
          : proposePolyglot(scenario, ableOf(candidates), groupCostOf(result, demand, catalogue), cheapestOf(candidates), middleOf(hour)),
        candidates,
        assessment,
      ),
      shards: proposeShardKey(scenario),
      forecasts: result.candidates.flatMap((candidate) => forecastsOf(candidate, scenario.operations)),
      assumed: assumedIn(figures),
      pricedNotMeasured: unmeasuredOf(result, options.catalogues),
      caveats: [...new Set(consulted(options.catalogues, regions).flatMap((each) => caveats(each, regions, options.today)))],
      budgetUsdPerMonth,
      engineerHour: { usd: middleOf(hour), provenance: hour.provenance },
    },
    explainable: {
      catalogues: options.catalogues,
      figures,
      plans: cases.flatMap(({ complete }) => complete ?? []),
      unplanned: cases.flatMap(({ exhibit, reason }) => (reason === null ? [] : [{ name: exhibit.candidate.name, reason }])),
      demand,
      months: demand.months,
      seed: result.seed,
    },
  }
}

function caseOf(
  candidate: CandidateResult,
  result: Result,
  demand: Demand,
  catalogue: Catalogue | undefined,
  assessed: CandidateAssessment,
): Omit<Case, 'atScale'> {
  const plan = planCapacity({ candidate, result, demand })
  const own = isPlan(plan) ? plan : null
  const priced = own === null || catalogue === undefined ? null : costOf(own, catalogue, demand, result.seed)
  const beyond = own === null || priced === null ? null : beyondCatalogue(own, priced)
  const cost = beyond === null ? priced : null
  const isPriced = own !== null && catalogue !== undefined && pricedShapes(own, catalogue).length > 0
  const unpriced = own === null || cost !== null ? null : isPriced ? beyondText(own, null) : 'no catalogue has priced servers and disks for it'
  const triggers = own === null || cost === null ? [] : triggersOf(own, cost, demand)
  const latency = own === null || cost === null ? null : latencyOf(own, cost, candidate, demand, result.calibration)
  const isApart = measuredThrough(candidate) === 'driver' && result.candidates.some((other) => measuredThrough(other) === 'wire')
  const exhibit = { candidate, plan: own, cost, triggers, latency, isApart }
  return {
    exhibit,
    complete: completed(exhibit, demand),
    assessed,
    judged: judgeCriteria(exhibit, demand),
    reason: isPlan(plan) ? (beyond ?? unpriced) : plan.reason,
    known: [
      ...regionConstraint(demand.scenario.requirements.regions, catalogue),
      ...(own === null || cost !== null || !isPriced ? [] : [unplannedFleet(own, priced, demand)]),
    ],
  }
}

function withLate(
  proposal: Omit<PolyglotProposal, 'late'> | null,
  candidates: readonly CandidateDecision[],
  assessment: Assessment,
): PolyglotProposal | null {
  if (proposal === null) return null
  const single = candidates.find(({ name }) => name === proposal.single?.candidate)
  return { ...proposal, late: single === undefined ? [] : lateGroups(proposal.groups, single, assessment.candidates) }
}

/** Each once, however many figures stand for it. */
function assumedIn(figures: readonly Figure[]): Decision['assumed'] {
  const found = new Map<string, Decision['assumed'][number]>()
  for (const figure of reachable(figures))
    if (figure.kind === 'given' && figure.provenance === 'assumed')
      found.set(figure.path, { path: figure.path, unit: figure.unit, range: figure.range, source: figure.source })
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Where no fleet can be had nothing holds on one; what does not hold even so is out. */
const withoutFleet = (found: Constraint): Constraint => (found.state === 'holds' ? { ...found, state: 'open', probability: null } : found)

function decisionOf(
  { exhibit: { candidate, cost }, complete, assessed, judged, reason, known, atScale }: Case,
  result: Result,
  demand: Demand,
  drawn: Drawn,
  catalogues: Catalogue[],
): CandidateDecision {
  const budget = demand.scenario.requirements.budgetUsdPerMonth
  const affordable = cost === null ? [] : demand.sampledMonths.flatMap((month) => cost.affordable(month) ?? [])
  const ahead =
    cost === null
      ? null
      : {
          now: drawn.priced(cost.total(0)),
          horizon: drawn.priced(cost.total(demand.months)),
          months: demand.months,
          withinBudget:
            budget === null
              ? null
              : drawn.share(
                  demand.sampledMonths.map((month) => cost.total(month)),
                  (usd) => usd <= budget,
                ),
          withHindsight: affordable.length === 0 ? null : drawn.share(affordable, (within) => within === 1),
        }
  const constraints = [
    ...constraintsOf(result, candidate, assessed, ahead),
    ...objectiveConstraints(
      candidate,
      assessed,
      demand.scenario,
      atScale,
      complete === null ? null : { latency: complete.latency, scaled: scaledCallsOfPlan(complete.plan, demand), drawn, months: demand.months },
    ).map((found) => (known.some(({ name, state }) => name === 'fleet' && state === 'out') ? withoutFleet(found) : found)),
    ...known,
    ...(complete === null ? [] : plannedConstraints(complete.plan, complete.planned, demand, drawn)),
  ]
  return {
    name: candidate.name,
    marked: markedName(candidate),
    mix: candidate.mix,
    constraints,
    out: constraints.some((constraint) => constraint.state === 'out'),
    criteria: judged.map(({ criterion, utility, shown }) => ({ criterion, utility: utility === null ? null : drawn.spread(utility), shown })),
    plan: complete === null ? null : describePlan(complete, { demand, drawn, catalogues }),
    noPlan: reason,
    atScale,
    unloaded: assessed.unloaded,
  }
}

function contenderOf({ exhibit: { candidate }, judged }: Case, drawn: Drawn, seed: number, resolution: KnownResolution[]): Contender {
  const utilities = judged.map(({ criterion, utility }): [string, Float64Array] => [
    criterion,
    utility === null ? unknownUtility(seed, candidate.name, criterion, draws) : drawn.of(utility),
  ])
  const blur = utilities.flatMap(([criterion, own]): [string, Blur][] => {
    const found = blurOf(criterion, candidate.engine, resolution, own)
    return found === null ? [] : [[criterion, found]]
  })
  return { name: candidate.name, utilities: new Map(utilities), blur: new Map(blur) }
}

/** The cheapest at the horizon of those that are in but for the budget, which several stores have to keep, too; every number at its middle. */
function cheapestOf(candidates: CandidateDecision[]): { candidate: string; usdPerMonth: number } | null {
  const planned = candidates.flatMap(({ name, constraints, plan }) =>
    plan === null || constraints.some((each) => each.state === 'out' && each.name !== 'budget')
      ? []
      : [{ candidate: name, usdPerMonth: plan.usdPerMonth.horizon.middle }],
  )
  return planned.sort((a, b) => a.usdPerMonth - b.usdPerMonth)[0] ?? null
}

/** Not ranked out for what it is: wrong answers and broken promises exclude it from parts, too. */
function ableOf(candidates: CandidateDecision[]): string[] {
  const fatal = new Set<Constraint['name']>(['runs', 'answers', 'invariants', 'promises', 'objectives on average', 'licence', 'compliance'])
  return candidates.filter(({ constraints }) => constraints.every(({ name, state }) => state !== 'out' || !fatal.has(name))).map(({ name }) => name)
}

/** At the horizon, with every number at its middle. */
function groupCostOf(result: Result, demand: Demand, prices: Catalogue): GroupCost {
  return (group, name) => {
    const candidate = result.candidates.find((each) => each.name === name)
    if (candidate === undefined) return null
    const does = new Set(candidate.compiled.map((each) => each.operation))
    if (group.operations.some((operation) => !does.has(operation.name))) return null
    const plan = planCapacity({ candidate, result, demand, serves: group })
    const total = isPlan(plan) ? costOf(plan, prices, demand, result.seed)?.total(demand.months) : undefined
    return total === undefined ? null : middleOf(total)
  }
}
