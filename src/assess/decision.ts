/** The verdict: who passes the hard constraints, how they rank, what each would need and cost month by month, and how sure all that is. */

import type { Topology } from '../engines/engine.ts'
import { rowBytes } from '../model/sizes.ts'
import type { Result } from '../result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Assessment } from './assess.ts'
import { availabilityOf } from './availability.ts'
import { isReadOperation, productionRows } from './calls.ts'
import { type CapacityPlan, isPlan, type NoPlan, planCapacity } from './capacity-plan.ts'
import { choiceOf } from './choice.ts'
import { type Constraint, constraintsOf } from './constraints.ts'
import { type CostPlan, costOf } from './cost.ts'
import { type Criterion, criteria, type Exhibit, judgeCriteria, nodesFigure, weightsOf } from './criteria.ts'
import { Demand } from './demand.ts'
import { type Figure, type Given, reachable } from './figure.ts'
import { type Forecast, forecastsOf } from './forecast.ts'
import { engineerUsdPerHour, type ManagedCost, managedCost } from './managed.ts'
import { type Group, type PolyglotProposal, proposePolyglot } from './polyglot.ts'
import { type Catalogue, caveats } from './prices.ts'
import { type Contender, type Ranking, rank } from './ranking.ts'
import { requestCost } from './requests.ts'
import { concurrencyFor, type Scalability } from './scaling.ts'
import { proposeShardKey, type ShardProposal } from './shard-key.ts'
import { draws, middleOf, type Spread, simulate, spreadOf } from './simulate.ts'
import { type Bound, boundOf, coordinatorsOf, volumeGb } from './supply.ts'
import { type Trigger, triggersOf } from './triggers.ts'

export interface DecisionOptions {
  catalogues: Catalogue[]
  weights: Record<string, number>
  today: Date
}
/** What stands for one month. */
export interface MonthPlan {
  month: number
  nodes: Spread
  shape: string
  /** 1 where nothing is divided, or a ring divides by itself. */
  shards: number
  /** Small servers beside them; '' where there are none. */
  coordinators: string
  volumeGb: number
  bound: Bound
  /** In use at peak, on all servers. */
  connections: Spread
  /** USD a month. */
  lines: { name: string; usdPerMonth: Spread }[]
  total: Spread
  /** Share of the draws that the budget allows; null where none is stated. */
  withinBudget: number | null
}
export interface CandidatePlan {
  topology: string
  how: string
  carried: Spread
  scalability: Scalability | null
  now: MonthPlan
  horizon: MonthPlan
  /** Of some months, the first and the last among them. */
  usdPerMonth: (Spread & { month: number })[]
  usdToHorizon: Spread
  usdPerMillionOperations: Spread
  triggers: (Omit<Trigger, 'month'> & { month: Spread /** Share of the draws in which it comes before the horizon ends. */; probability: number })[]
  /** Of the fleet now, by independent failures of servers that are up as often as is assumed. */
  availability: number
  /** Operations in flight on one server at what it carries, by the scalability law; null: unknown. */
  inFlight: number | null
  /** Objectives that hold on one server, and may not with the stated budgets for copies and zones. */
  atRisk: string[]
  managed: ManagedCost[]
  /** What moves the cost at the horizon most, one at a time from its low to its high end. */
  tornado: { path: string; low: number; high: number; provenance: string }[]
}
export interface CandidateDecision {
  name: string
  /** Partial: its plan is for a smaller job, and stands beside no full one. */
  mix: 'full' | 'partial'
  constraints: Constraint[]
  out: boolean
  criteria: { criterion: string; utility: Spread | null; shown: string }[]
  plan: CandidatePlan | null
  noPlan: string | null
}
/** A service that was not measured, priced today for one copy of the values; null: no such price. */
export interface Unmeasured {
  service: string
  provider: string
  requestsUsdPerMonth: number | null
  storageUsdPerMonth: number | null
  /** Beside it: how many of them is not known here. */
  needsServers: boolean
}
export interface Decision {
  candidates: CandidateDecision[]
  criteria: (Criterion & { weight: number })[]
  rules: string[]
  ranking: Ranking
  polyglot: PolyglotProposal | null
  shards: ShardProposal | null
  forecasts: Forecast[]
  pricedNotMeasured: Unmeasured[]
  caveats: string[]
  months: number
  budgetUsdPerMonth: number | null
}

/** Added to what was measured on one node, in milliseconds: the second is not measured here. */
export const budgetsMs = { zoneHop: 1.5, replication: 5 }
const tornadoRows = 8

export function decide(result: Result, assessment: Assessment, options: DecisionOptions): { decision: Decision; figures: Figure[] } {
  const scenario = result.scenario as unknown as Scenario
  const demand = new Demand(scenario)
  const catalogue = options.catalogues.find((each) => each.instances.length > 0 && each.blockStorage !== undefined)
  const peak = Math.max(...result.trialPlan.multiples)
  const exhibits = result.candidates.map((candidate): Exhibit & { reason: string | null } => {
    const plan = planCapacity({ candidate, result, demand })
    const own = isPlan(plan) ? plan : null
    const cost = own === null || catalogue === undefined ? null : costOf(own, catalogue, demand)
    const triggers = own === null || cost === null ? [] : triggersOf(own, cost, demand, middleOf(cost.choice(0)))
    const atPeak = assessment.candidates.find((each) => each.name === candidate.name)?.at.find((at) => at.multiple === peak)
    return {
      candidate,
      plan: own,
      cost,
      triggers,
      atPeak,
      reason: isPlan(plan) ? (cost === null ? 'no catalogue has priced servers and disks for it' : null) : (plan as NoPlan).reason,
    }
  })
  const judged = exhibits.map((exhibit) => judgeCriteria(exhibit, demand))
  const months = demand.sampledMonths
  const nodeFigures = new Map<string, Figure<'nodes'>>()
  const wanted = new Set<Figure>()
  for (const [at, exhibit] of exhibits.entries()) {
    for (const { utility } of judged[at] ?? []) if (utility !== null) wanted.add(utility)
    const { plan, cost, triggers } = exhibit
    if (plan === null || cost === null) continue
    for (const month of months) wanted.add(cost.total(month))
    for (const month of [0, demand.months]) {
      wanted.add(nodesOf(exhibit, month))
      wanted.add(plan.connections(month))
      for (const line of Object.values(cost.lines(month))) wanted.add(line)
    }
    for (const figure of [plan.carried, cost.horizon, cost.perMillionOperations, ...triggers.map((trigger) => trigger.month)]) wanted.add(figure)
  }
  const samples = simulate([...wanted], result.seed)
  const spread = (figure: Figure) => spreadOf(samples.get(figure) as Float64Array)
  const shareOf = (figure: Figure, holds: (value: number) => boolean) => (samples.get(figure) as Float64Array).filter(holds).length / draws
  const budget = scenario.requirements.budgetUsdPerMonth
  const decisions = exhibits.map((exhibit, at): CandidateDecision => {
    const { candidate, plan, cost, reason } = exhibit
    const assessed = assessment.candidates.find((each) => each.name === candidate.name) as Assessment['candidates'][number]
    const ahead = cost === null ? null : { now: spread(cost.total(0)), horizon: spread(cost.total(demand.months)), months: demand.months }
    const constraints = constraintsOf(result, candidate, assessed, ahead)
    return {
      name: candidate.name,
      mix: candidate.mix,
      constraints,
      out: constraints.some((constraint) => !constraint.holds),
      criteria: (judged[at] ?? []).map(({ criterion, utility, shown }) => ({ criterion, utility: utility === null ? null : spread(utility), shown })),
      plan: plan === null || cost === null ? null : describePlan(exhibit as Complete, assessed),
      noPlan: reason,
    }
  })
  const { weights, rules } = weightsOf(scenario, options.weights)
  const contenders = exhibits.flatMap(({ candidate }, at): Contender[] =>
    decisions[at]?.out === true
      ? []
      : [
          {
            name: candidate.name,
            utilities: new Map(
              (judged[at] ?? []).map(({ criterion, utility }) => [
                criterion,
                utility === null ? unknownUtility : (samples.get(utility) as Float64Array),
              ]),
            ),
          },
        ],
  )
  const ranking = rank(contenders, weights, result.seed)
  const single = [...decisions]
    .filter((each) => !each.out && each.plan !== null)
    .map((each) => ({ candidate: each.name, usdPerMonth: (each.plan as CandidatePlan).horizon.total.mid }))
    .sort((a, b) => a.usdPerMonth - b.usdPerMonth)[0]
  return {
    decision: {
      candidates: decisions,
      criteria: criteria.map((criterion) => ({ ...criterion, weight: weights.get(criterion.name) as number })),
      rules,
      ranking,
      polyglot: catalogue === undefined ? null : proposePolyglot(scenario, able(), groupCost(catalogue), single ?? null, engineerUsdPerHour),
      shards: proposeShardKey(scenario),
      forecasts: result.candidates.flatMap((candidate) => forecastsOf(candidate, scenario.operations)),
      pricedNotMeasured: notMeasured(),
      caveats: [...new Set(options.catalogues.flatMap((each) => caveats(each, scenario.requirements.regions, options.today)))],
      months: demand.months,
      budgetUsdPerMonth: budget,
    },
    figures: [...wanted],
  }

  function nodesOf(exhibit: Exhibit, month: number): Figure<'nodes'> {
    const path = `${exhibit.candidate.name}@${month}`
    const known = nodeFigures.get(path) ?? nodesFigure(exhibit, month)
    nodeFigures.set(path, known)
    return known
  }

  function describePlan({ plan, cost, triggers, candidate }: Complete, assessed: Assessment['candidates'][number]): CandidatePlan {
    const monthPlan = (month: number): MonthPlan => {
      const chosen = choiceOf(middleOf(cost.choice(month)))
      const need = plan.needOf(plan.needFigures(month).map((figure) => middleOf(figure)))
      const shape = cost.shapes[chosen.shape] as (typeof cost.shapes)[number]
      const terms = plan.terms(cost.block, cost.shapes)
      return {
        month,
        nodes: spread(nodesOf({ plan, cost, triggers, candidate, atPeak: undefined }, month)),
        shape: shape.name,
        shards: plan.facts.topology.kind === 'ring' ? 1 : chosen.parts,
        coordinators: coordinatorsText(chosen.parts, plan.facts.topology),
        volumeGb: shape.localDiskGib === undefined ? Math.ceil(volumeGb(chosen, need, terms)) : 0,
        bound: boundOf(shape, chosen, need, terms),
        connections: spread(plan.connections(month)),
        lines: Object.entries(cost.lines(month)).map(([name, figure]) => ({ name, usdPerMonth: spread(figure) })),
        total: spread(cost.total(month)),
        withinBudget: budget === null ? null : shareOf(cost.total(month), (usd) => usd <= budget),
      }
    }
    const now = monthPlan(0)
    const need = plan.needOf(plan.needFigures(0).map((figure) => middleOf(figure)))
    return {
      topology: plan.facts.topology.name,
      how: plan.work.how,
      carried: spread(plan.carried),
      scalability: plan.scalability,
      now,
      horizon: monthPlan(demand.months),
      usdPerMonth: months.map((month) => ({ month, ...spread(cost.total(month)) })),
      usdToHorizon: spread(cost.horizon),
      usdPerMillionOperations: spread(cost.perMillionOperations),
      triggers: triggers
        .map((trigger) => {
          const probability = shareOf(trigger.month, (month) => month <= demand.months)
          return { ...trigger, month: spread(trigger.month), probability }
        })
        .sort((a, b) => a.month.p50 - b.month.p50 || a.month.mid - b.month.mid),
      availability: availabilityOf(plan.facts.topology, choiceOf(middleOf(cost.choice(0))).parts),
      inFlight: plan.scalability === null ? null : inFlightAt(plan.scalability, middleOf(plan.carried) * plan.averageRate),
      atRisk: atRisk(plan, assessed),
      managed: options.catalogues.flatMap((each) =>
        each.managed
          .filter((offer) => offer.engines.includes(candidate.engine))
          .map((offer) => managedCost(plan, need, offer, each.provider, cost, now.lines)),
      ),
      tornado: tornadoOf(cost.total(demand.months)),
    }
  }

  /** Not ranked out for what it is: wrong answers and broken promises exclude it from parts, too. */
  function able(): string[] {
    const fatal = new Set<Constraint['name']>(['runs', 'answers', 'invariants', 'promises', 'objectives', 'licence', 'compliance'])
    return decisions
      .filter((each) => each.constraints.every((constraint) => constraint.holds || !fatal.has(constraint.name)))
      .map((each) => each.name)
  }

  function groupCost(prices: Catalogue): (group: Group, name: string) => number | null {
    return (group, name) => {
      const candidate = result.candidates.find((each) => each.name === name)
      if (candidate === undefined) return null
      const does = new Set(candidate.compiled.map((each) => each.operation))
      if (group.operations.some((operation) => !does.has(operation.name))) return null
      const plan = planCapacity({ candidate, result, demand, serves: group })
      const cost = isPlan(plan) ? costOf(plan, prices, demand) : null
      return cost === null ? null : middleOf(cost.total(demand.months))
    }
  }

  /** Services that were not measured: what their requests and their storage cost today; nobody knows here what their servers carry. */
  function notMeasured(): Unmeasured[] {
    const rows = productionRows(result)
    const gigabytes = scenario.entities.reduce((sum, entity) => sum + entity.count * rowBytes(entity), 0) / 1e9
    return options.catalogues.flatMap(({ provider, managed }) =>
      managed
        .filter((offer) => offer.engines.length === 0)
        .map(({ service, requests, shapes, storageUsdPerGbMonth }) => ({
          service,
          provider,
          requestsUsdPerMonth: requests === undefined ? null : requestCost(scenario, (operation) => rows.get(operation.name) ?? 1, requests),
          storageUsdPerMonth: storageUsdPerGbMonth === null ? null : gigabytes * storageUsdPerGbMonth,
          needsServers: shapes.length > 0,
        })),
    )
  }
}

function coordinatorsText(parts: number, topology: Topology): string {
  const nodes = coordinatorsOf(parts, topology)
  return nodes === 0 ? '' : `${nodes} ${topology.coordinators?.what}`
}

/** At least one: less than one on average is still one at a time. */
function inFlightAt(law: Scalability, perSecond: number): number | null {
  const found = concurrencyFor(law, perSecond)
  return found === null ? null : Math.max(1, Math.round(found))
}

type Complete = Exhibit & { plan: CapacityPlan; cost: CostPlan }
/** Nothing tells: anywhere on the scale. */
const unknownUtility = Float64Array.from({ length: draws }, (_, draw) => (draw === 0 ? 0.5 : ((draw * 7919) % draws) / draws))

function atRisk(plan: CapacityPlan, assessed: Assessment['candidates'][number]): string[] {
  const extra = (operation: CapacityPlan['operations'][number]) => budgetsMs.zoneHop + (isReadOperation(operation) ? 0 : budgetsMs.replication)
  return plan.operations.flatMap((operation) => {
    const cell = assessed.at[0]?.cells.find((each) => each.operation === operation.name)
    const limit = operation.objectives.find((objective) => objective.name === 'p99')?.limitMs
    if (cell?.p99Us == null || limit === undefined || cell.outcome !== 'met') return []
    return cell.p99Us / 1000 + extra(operation) > limit ? [operation.name] : []
  })
}

function tornadoOf(cost: Figure<'USD/month'>): CandidatePlan['tornado'] {
  const ranges = reachable([cost]).filter((figure): figure is Given => figure.kind === 'given' && figure.range.low < figure.range.high)
  return ranges
    .map((figure) => ({
      path: figure.path,
      low: middleOf(cost, { figure, value: figure.range.low }),
      high: middleOf(cost, { figure, value: figure.range.high }),
      provenance: figure.provenance,
    }))
    .sort((a, b) => Math.abs(b.high - b.low) - Math.abs(a.high - a.low))
    .slice(0, tornadoRows)
}
