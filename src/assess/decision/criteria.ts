/** What a choice is judged by: one criterion for each purpose, with its utility on an absolute scale, so that who else is there changes nothing. */
import type { Topology } from '../../engines/engine.ts'
import type { CandidateResult } from '../../result/result.ts'
import type { purposes, Scenario } from '../../scenario/scenario.ts'
import type { CostPlan } from '../cost/cost.ts'
import type { Demand } from '../demand/demand.ts'
import { derived, derivedFrom, type Figure, given } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import { choiceOf } from '../fleet/choice.ts'
import { type PlannedLatency, worstOverLimit } from '../fleet/latency-of-plan.ts'
import { besideOf, type Fleet, type Need, nodesOf, usesOf } from '../fleet/supply.ts'
import type { Trigger } from '../fleet/triggers.ts'
import { factorOf, type KnownResolution } from '../judge/machine-resolution.ts'
import type { Blur } from './ranking.ts'

export interface Criterion {
  name: string
  group: 'measured' | 'planned' | 'yours'
  /** What 0 and 1 mean, for people. */
  scale: string
}
export interface Judged {
  criterion: string
  /** 0 to 1; null where nothing tells: then it counts as the middle of the scale, drawn over all of it. */
  utility: Figure<'ratio'> | null
  /** The value behind it, as text. */
  shown: string
}

/** What one candidate brings to the table. */
export interface Exhibit {
  candidate: CandidateResult
  plan: CapacityPlan | null
  cost: CostPlan | null
  triggers: Trigger[]
  /** Of calls on the fleet that is planned. */
  latency: PlannedLatency | null
  /** Measured through its driver, where others were by wire clients: what hangs on that ranks it beside none of them. */
  isApart: boolean
}

const budgetWhereNone = 5000
const maxCeiling = 10

const ofPurpose: Record<(typeof purposes)[number], Omit<Criterion, 'name'>> = {
  money: {
    group: 'planned',
    scale: 'USD a month on average until the horizon over the budget (5,000 where there is none): 2 → 0, 0.05 → 1, logarithmic',
  },
  headroom: {
    group: 'planned',
    scale: `how many times the peak of the horizon its topology can take, by larger servers or more of them, before it must be built anew: 1 → 0, ${maxCeiling} → 1, logarithmic`,
  },
  latency: {
    group: 'planned',
    scale: 'worst latency of the plan at peak over its objective, with hops between zones, flushes, reads from disk: 10 → 0, 0.1 → 1, logarithmic',
  },
  operations: { group: 'planned', scale: 'servers at the horizon × kinds of parts (data, coordinators, shards): 100 → 0, 1 → 1, logarithmic' },
  fit: { group: 'measured', scale: 'share of the operations that it does without excuse or emulation, as verified' },
}

/** Those of dbtrial, then those of the scenario. */
export function criteriaOf({ criteria: { own } }: Pick<Scenario, 'criteria'>): Criterion[] {
  return [
    ...Object.entries(ofPurpose).map(([name, each]) => ({ name, ...each })),
    ...own.map(({ name, source }) => ({ name, group: 'yours' as const, scale: `one to five stars: ${source}` })),
  ]
}

/** Servers are counted by what each carries, which is the least of its capacities: by its cores, and by its objectives. */
const carried: KnownResolution['number'][] = ['CPU per operation', 'capacity']
/** What the machine measured and the scale hangs on, and how many times its better end is its worse one. */
const hangsOn: Partial<Record<string, { numbers: KnownResolution['number'][]; ends: number }>> = {
  money: { numbers: carried, ends: 2 / 0.05 },
  headroom: { numbers: carried, ends: maxCeiling },
  latency: { numbers: ['p99'], ends: 100 },
  operations: { numbers: carried, ends: 100 },
}

/** By how much two equals of this engine may differ in a utility on this machine; null: nothing measured moves it. */
export function blurOf(criterion: string, engine: string, known: readonly KnownResolution[], utilities: Float64Array): Blur | null {
  const scale = hangsOn[criterion]
  if (scale === undefined) return null
  // Where production asks so little that the smallest fleet does, or servers are added without end, no measurement moves it. A p99 without an interval moves all the same.
  if (criterion !== 'latency' && utilities.every((each) => each === utilities[0])) return null
  const factor = Math.max(...scale.numbers.map((number) => factorOf(known, [engine], number)))
  return { number: scale.numbers.join(' and '), utility: Math.min(1, Math.log(factor) / Math.log(scale.ends)) }
}

/** 0 at `worst`, 1 at `best`, straight on a logarithmic scale between, flat outside. */
export function logarithmic(worst: number, best: number): (value: number) => number {
  const span = Math.log(best / worst)
  return (value) => Math.min(1, Math.max(0, Math.log(Math.max(value, 1e-12) / worst) / span))
}

export function judgeCriteria(exhibit: Exhibit, demand: Demand): Judged[] {
  const { candidate, plan, cost } = exhibit
  const { scenario, months } = demand
  const name = candidate.name
  const scales = new Map(criteriaOf(scenario).map((criterion) => [criterion.name, criterion.scale]))
  const none = (criterion: string): Judged => ({ criterion, utility: null, shown: '—' })
  const apart = (criterion: string): Judged => ({ ...none(criterion), shown: 'measured through its driver' })
  const from = (criterion: string, inputs: readonly Figure[], curve: (...values: number[]) => number, shown = ''): Judged => ({
    criterion,
    utility: derivedFrom(`utility.${name}.${criterion}`, 'ratio', scales.get(criterion) ?? '', inputs, (values) => curve(...values)),
    shown,
  })
  const judged = [
    cost === null ? none('money') : money(cost),
    plan === null || cost === null ? none('headroom') : from('headroom', [ceilingFigure(plan, cost, months)], logarithmic(1, maxCeiling)),
    latency(),
    plan === null || cost === null
      ? none('operations')
      : from('operations', [cost.choice(months)], (choice) => logarithmic(100, 1)(burdenOf(choiceOf(choice), plan.facts.topology))),
    fit(),
    ...scenario.criteria.own.map(({ name: criterion, stars, source }) => {
      const given_ = stars[name]
      return given_ === undefined
        ? none(criterion)
        : from(
            criterion,
            [given(`judged.${name}.${criterion}`, 'ratio', given_, 'stated', source)],
            (value) => (value - 1) / 4,
            `${'★'.repeat(given_)}${'☆'.repeat(5 - given_)}`,
          )
    }),
  ]
  return exhibit.isApart ? judged.map((each) => (hangsOn[each.criterion] === undefined ? each : apart(each.criterion))) : judged

  function money({ horizon }: CostPlan): Judged {
    const budget = scenario.requirements.budgetUsdPerMonth ?? budgetWhereNone
    // Where nothing may be spent, every cost is beyond the scale.
    const curve = budget > 0 ? logarithmic(2 * budget, 0.05 * budget) : () => 0
    return from('money', [horizon], (usd) => curve(usd / months))
  }

  function latency(): Judged {
    const worst = exhibit.latency === null ? null : worstOverLimit(name, exhibit.latency)
    if (worst === null) return none('latency')
    return from('latency', [worst], logarithmic(10, 0.1), `${Number(middleOf(worst).toPrecision(2)).toLocaleString('en')}× its objective`)
  }

  function fit(): Judged {
    const { excuses, emulations } = candidate.model
    const marred = new Set([...excuses.map((each) => each.operation), ...emulations.map((each) => each.operation)])
    const asked = scenario.operations.length
    const done = scenario.operations.filter((operation) => !marred.has(operation.name)).length
    const share = given(
      `measured.${name}.fit`,
      'ratio',
      done / asked,
      'measured',
      'share of the operations that the model does as they are, as verified',
    )
    return from('fit', [share], (value) => value, `${done} of ${asked} without excuse or emulation`)
  }
}

/** Servers times the kinds of parts that must be understood, watched and upgraded. */
function burdenOf(fleet: Pick<Fleet, 'parts' | 'members'>, topology: Topology): number {
  const divided = topology.kind !== 'ring' && fleet.parts > 1
  const beside = besideOf(fleet, topology).reduce((sum, { nodes }) => sum + nodes, 0)
  return (nodesOf(fleet, topology) + beside) * (1 + (divided ? 1 : 0) + (beside > 0 ? 1 : 0))
}

/** What the largest server carries over what is asked; what divides itself over more servers has no ceiling that counts. */
function ceilingFigure(plan: CapacityPlan, { shapes, block }: CostPlan, month: number): Figure<'ratio'> {
  const path = `capacity.${plan.candidate}.ceiling@${month}`
  const { topology } = plan.facts
  if (topology.kind === 'ring' || (topology.sharded && plan.torn.length === 0))
    return given(path, 'ratio', maxCeiling, 'vendor', `it divides itself over more servers: ${topology.source}`)
  const terms = plan.terms(block, shapes)
  const largest = shapes.filter((shape) => !shapes.some((other) => other.vcpus >= shape.vcpus && other.memoryGib > shape.memoryGib))
  const need = {} as Need
  return derivedFrom(
    path,
    'ratio',
    'what the largest server of the catalogue does ÷ what is asked, of the scarcest resource',
    plan.needFigures(month),
    (values) => {
      const asked = plan.needOf(values, need)
      return Math.max(...largest.map((shape) => 1 / Math.max(1e-9, ...usesOf(shape, { parts: 1, members: topology.copies }, asked, terms))))
    },
  )
}

export function nodesFigure({ candidate, plan, cost }: Exhibit, month: number): Figure<'nodes'> {
  const { topology } = (plan as CapacityPlan).facts
  return derived(
    `capacity.${candidate.name}.nodes@${month}`,
    'nodes',
    `${topology.kind === 'ring' ? `max(${topology.copies}, parts + 1)` : 'parts × members'} of the fleet that is bought`,
    [(cost as CostPlan).choice(month)],
    (choice) => nodesOf(choiceOf(choice), topology),
  )
}
