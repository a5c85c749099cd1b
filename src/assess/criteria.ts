/** What a choice is judged by: each criterion with its utility on an absolute scale, so that who else is there changes nothing, and its weight by rule. */
import type { EngineTraits, Ratings } from '../engines/engine.ts'
import type { PhysicalModel } from '../model/model.ts'
import { rowBytes } from '../model/sizes.ts'
import type { CandidateResult } from '../result.ts'
import { type Operation, type Scenario, writesOf } from '../scenario/scenario.ts'
import type { AtMultiple } from './at-multiple.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { choiceOf } from './choice.ts'
import type { CostPlan } from './cost.ts'
import type { Demand } from './demand.ts'
import { derived, derivedFrom, type Figure, given } from './figure.ts'
import { nodesOf } from './supply.ts'
import type { Trigger } from './triggers.ts'

export interface Criterion {
  name: string
  group: 'measured' | 'planned' | 'judged'
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
  atPeak: AtMultiple | undefined
}

export const criteria: Criterion[] = [
  { name: 'capacity', group: 'measured', scale: 'multiples that one server carries, over the peak: 0.1 → 0, 10 → 1, logarithmic' },
  { name: 'latency', group: 'measured', scale: 'worst p99 at peak over its objective: 10 → 0, 0.1 → 1, logarithmic' },
  { name: 'storage', group: 'measured', scale: 'bytes stored over bytes of the values: 8 → 0, 1 → 1, logarithmic' },
  { name: 'loading', group: 'measured', scale: 'rows per second: 1,000 → 0, 1,000,000 → 1, logarithmic' },
  { name: 'driver', group: 'measured', scale: 'client CPU of an operation through the official driver: 200 µs → 0, 5 µs → 1, logarithmic' },
  { name: 'costNow', group: 'planned', scale: 'monthly cost now over the budget (5,000 USD where there is none): 2 → 0, 0.05 → 1, logarithmic' },
  { name: 'costLater', group: 'planned', scale: 'monthly cost at the horizon over the budget: 2 → 0, 0.05 → 1, logarithmic' },
  { name: 'nodes', group: 'planned', scale: 'servers at the horizon: 100 → 0, 1 → 1, logarithmic' },
  { name: 'headroom', group: 'planned', scale: 'months until the first bigger topology: 0 → 0, the horizon → 1' },
  { name: 'transactions', group: 'judged', scale: 'share of the transactions that it does as they are; one to three stars where there are none' },
  { name: 'horizontalScaling', group: 'judged', scale: 'one to three stars' },
  { name: 'queryPower', group: 'judged', scale: 'share of the operations that it does without excuse or emulation' },
  { name: 'documentSupport', group: 'judged', scale: 'one to three stars' },
  { name: 'ecosystem', group: 'judged', scale: 'one to three stars' },
  { name: 'easeOfOperation', group: 'judged', scale: 'one to three stars' },
]

const budgetWhereNone = 5000

/** 0 at `worst`, 1 at `best`, straight on a logarithmic scale between, flat outside. */
export function logarithmic(worst: number, best: number): (value: number) => number {
  const span = Math.log(best / worst)
  return (value) => Math.min(1, Math.max(0, Math.log(Math.max(value, 1e-12) / worst) / span))
}

export function judgeCriteria(exhibit: Exhibit, demand: Demand): Judged[] {
  const { candidate, plan, cost, triggers, atPeak } = exhibit
  const { scenario, months } = demand
  const name = candidate.name
  const path = (criterion: string) => `utility.${name}.${criterion}`
  const none = (criterion: string): Judged => ({ criterion, utility: null, shown: '—' })
  const from = (criterion: string, inputs: readonly Figure[], curve: (...values: number[]) => number, shown: string): Judged => ({
    criterion,
    utility: derivedFrom(path(criterion), 'ratio', criteria.find((each) => each.name === criterion)?.scale ?? '', inputs, (values) =>
      curve(...values),
    ),
    shown,
  })
  const measured = (criterion: string, value: number, curve: (value: number) => number, source: string, shown: string) =>
    from(criterion, [given(`measured.${name}.${criterion}`, 'ratio', value, 'measured', source)], curve, shown)
  const budget = scenario.requirements.budgetUsdPerMonth ?? budgetWhereNone
  // Where nothing may be spent, every cost is beyond the scale.
  const money = budget > 0 ? logarithmic(2 * budget, 0.05 * budget) : () => 0
  const peak = scenario.requirements.peak
  return [
    plan === null
      ? none('capacity')
      : from('capacity', [plan.carried, demand.peak], (carried, times) => logarithmic(0.1, 10)(carried / times), `of ${peak}× peak`),
    latency(),
    storage(),
    candidate.load === null
      ? none('loading')
      : measured(
          'loading',
          candidate.load.rows / candidate.load.seconds,
          logarithmic(1000, 1e6),
          'rows loaded over seconds',
          `${Math.round(candidate.load.rows / candidate.load.seconds).toLocaleString('en')} rows/s`,
        ),
    driver(),
    cost === null ? none('costNow') : from('costNow', [cost.total(0)], money, ''),
    cost === null ? none('costLater') : from('costLater', [cost.total(months)], money, ''),
    cost === null || plan === null ? none('nodes') : from('nodes', [nodesFigure(exhibit, months)], logarithmic(100, 1), ''),
    triggers.length === 0
      ? none('headroom')
      : from(
          'headroom',
          triggers.filter((trigger) => trigger.stage === 'bigger' || trigger.stage === 'shards').map((trigger) => trigger.month),
          (...dates) => Math.min(1, Math.min(...dates) / months),
          '',
        ),
    ...ratings(),
  ]

  function latency(): Judged {
    const limits = new Map(
      scenario.operations.map((operation) => [operation.name, operation.objectives.find((objective) => objective.name === 'p99')?.limitMs]),
    )
    const worst = (atPeak?.cells ?? [])
      .flatMap((cell) => {
        const limit = limits.get(cell.operation)
        return cell.p99Us === null || limit === undefined ? [] : [{ cell, limit: limit * 1000, ratio: cell.p99Us / (limit * 1000) }]
      })
      .sort((a, b) => b.ratio - a.ratio)[0]
    if (worst === undefined) return none('latency')
    const { cell, limit } = worst
    const interval = cell.p99IntervalUs
    const range =
      interval === null
        ? worst.ratio
        : { low: interval.low / limit, mid: worst.ratio, high: Math.max(interval.high / limit, worst.ratio), confidence: null }
    const figure = given(
      `measured.${name}.latency`,
      'ratio',
      typeof range === 'number' ? range : { ...range, low: Math.min(range.low, range.mid) },
      'measured',
      `p99 of ${cell.operation} at ${atPeak?.multiple}× over its objective`,
    )
    return from('latency', [figure], logarithmic(10, 0.1), `${cell.operation} ${Number(worst.ratio.toPrecision(2)).toLocaleString('en')}×`)
  }

  function storage(): Judged {
    const { bytesPerRow } = candidate.storage
    if (bytesPerRow === null) return none('storage')
    const rows = scenario.entities.reduce((sum, entity) => sum + entity.count, 0)
    const raw = scenario.entities.reduce((sum, entity) => sum + entity.count * rowBytes(entity), 0) / rows
    return measured(
      'storage',
      bytesPerRow / raw,
      logarithmic(8, 1),
      'bytes per row with indexes over bytes of the values',
      `${(bytesPerRow / raw).toPrecision(2)}×`,
    )
  }

  function driver(): Judged {
    const own = candidate.trials.filter((trial) => trial.client === 'driver' && trial.arrival.loop === 'closed')
    const costs = own.flatMap((trial) => (trial.resources.client.cpuUsPerOperation === null ? [] : [trial.resources.client.cpuUsPerOperation]))
    const [first] = costs.sort((a, b) => a - b)
    return first === undefined
      ? none('driver')
      : measured(
          'driver',
          first,
          logarithmic(200, 5),
          'CPU of the replaying threads per operation through the driver',
          `${Number(first.toPrecision(2))} µs`,
        )
  }

  /** A measurement in place of stars: what this scenario asks was tried and verified. null where it asks nothing of the kind. */
  function native(asked: Operation[]): { share: number; shown: string } | null {
    if (asked.length === 0) return null
    const { excuses, emulations } = candidate.model as unknown as PhysicalModel
    const marred = new Set([...excuses.map((each) => each.operation), ...emulations.map((each) => each.operation)])
    const done = asked.filter((operation) => !marred.has(operation.name)).length
    return { share: done / asked.length, shown: `${done} of ${asked.length} without excuse or emulation` }
  }

  function ratings(): Judged[] {
    const transactions = scenario.operations.filter((operation) => operation.kind === 'transaction')
    const given_ = (candidate.traits as unknown as Partial<EngineTraits>).ratings
    return criteria
      .filter((criterion) => criterion.group === 'judged')
      .map(({ name: quality }) => {
        const seen = quality === 'transactions' ? native(transactions) : quality === 'queryPower' ? native(scenario.operations) : null
        if (seen !== null)
          return measured(
            quality,
            seen.share,
            (share_) => share_,
            'share of the operations that the model does without excuse or emulation, as verified',
            seen.shown,
          )
        const rating = given_?.[quality as keyof Ratings]
        if (rating === undefined) return none(quality)
        const stars = given(`judged.${name}.${quality}`, 'ratio', rating.stars, 'vendor', `${rating.reason} (${rating.source})`)
        return from(quality, [stars], (value) => (value - 1) / 2, `${'★'.repeat(rating.stars)}${'☆'.repeat(3 - rating.stars)}`)
      })
  }
}

export function nodesFigure({ candidate, plan, cost }: Exhibit, month: number): Figure<'nodes'> {
  const { topology } = (plan as CapacityPlan).facts
  return derived(
    `capacity.${candidate.name}.nodes@${month}`,
    'nodes',
    `${topology.kind === 'ring' ? `max(${topology.copies}, parts + 1)` : 'parts × members'} of the cheapest fleet that carries it; CPU asks for ceil(load ÷ (carried × (2 × doubling)^log₂(vCPUs ÷ cores of the bench) × hostFactor)) parts`,
    [(cost as CostPlan).choice(month)],
    (choice) => nodesOf(choiceOf(choice), topology),
  )
}

/** Weights by stated rules, summing to 1; `times`: how often each counts, once where it is not named. */
export function weightsOf(scenario: Scenario, times: Record<string, number> = {}): { weights: Map<string, number>; rules: string[] } {
  const rules: string[] = []
  const weights = new Map(criteria.map((criterion) => [criterion.name, { measured: 3, planned: 3, judged: 1 }[criterion.group]]))
  const rule = (holds: boolean, names: string[], factor: number, why: string) => {
    if (!holds) return
    for (const name of names) weights.set(name, (weights.get(name) as number) * factor)
    rules.push(`${names.join(', ')} × ${factor}: ${why}`)
  }
  const { operations, entities, requirements } = scenario
  const transactional = operations.some((operation) => operation.kind === 'transaction')
  const tightest = Math.min(...operations.flatMap((operation) => operation.objectives.map((objective) => objective.limitMs)))
  rule(true, ['driver', 'loading', 'storage'], 0.5, 'they cost little beside the servers')
  rule(tightest <= 10, ['latency'], 2, `an objective is as tight as ${tightest} ms`)
  rule(requirements.budgetUsdPerMonth !== null, ['costNow', 'costLater'], 1.5, 'a budget is stated')
  rule(
    entities.some((entity) => entity.growthPerMonth >= 0.04),
    ['horizontalScaling', 'headroom'],
    2,
    'an entity grows by 4 % a month or more',
  )
  rule(transactional, ['transactions'], 3, 'an operation is a transaction')
  rule(!transactional, ['transactions'], 0.5, 'no operation is a transaction')
  rule(
    operations.some((operation) => ['aggregate', 'search'].includes(operation.kind)),
    ['queryPower'],
    2,
    'operations aggregate or search',
  )
  rule(
    entities.some((entity) => entity.owner !== null || entity.fields.some((field) => field.type === 'json')),
    ['documentSupport'],
    1.5,
    'rows own rows or hold JSON',
  )
  rule(
    (requirements.availability ?? 0) >= 0.9995,
    ['easeOfOperation'],
    1.5,
    `availability of ${((requirements.availability ?? 0) * 100).toFixed(2)} % is required`,
  )
  const writes = share(operations, (operation) => writesOf(operation).length > 0)
  rule(writes > 0.5, ['capacity'], 1.5, `${Math.round(writes * 100)} % of the calls write, which replicas do not take over`)
  const total = [...weights.values()].reduce((sum, each) => sum + each, 0)
  const shares = new Map([...weights].map(([name, weight]) => [name, weight / total]))
  return { weights: multiplied(shares, times), rules }
}

function share(operations: Operation[], of: (operation: Operation) => boolean): number {
  const rate = (some: Operation[]) => some.reduce((sum, operation) => sum + operation.ratePerSecond, 0)
  return rate(operations.filter(of)) / Math.max(1e-12, rate(operations))
}

/** Each counts so many times; the whole stays one. */
function multiplied(weights: Map<string, number>, times: Record<string, number>): Map<string, number> {
  const changed = new Map([...weights].map(([name, weight]) => [name, weight * (times[name] ?? 1)]))
  const total = [...changed.values()].reduce((sum, each) => sum + each, 0)
  return new Map([...changed].map(([name, weight]) => [name, weight / total]))
}
