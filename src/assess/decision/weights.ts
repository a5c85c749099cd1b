/** What each criterion weighs: swing weights by stated rules, in the scenario's own points or comparisons, and so many times that of the command line. */
import { type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { consistentBelow, prioritiesOf } from '../../stats/ahp.ts'
import { criteriaOf } from './criteria.ts'

/**
 * A swing weight is what it is worth to go from the lower end of a scale, 0, to its upper end, 1 (von Winterfeldt and Edwards, 1986), in points:
 * the worthiest has about 100.
 */
const points: Record<string, number> = { money: 100, headroom: 50, latency: 60, operations: 50, fit: 70 }
/** Of a criterion of one's own that says nothing else. */
const ownPoints = 50
const tightMs = 10
const fastGrowth = 0.04
const highAvailability = 0.9995

/** Sum 1. `times`: how often each counts, once where it is not named. */
export function weightsOf(scenario: Scenario, times: Record<string, number> = {}): { weights: Map<string, number>; rules: string[] } {
  const rules: string[] = []
  const all = new Map(criteriaOf(scenario).map(({ name }) => [name, points[name] ?? ownPoints]))
  byRule(scenario, all, rules)
  byPoints(scenario, all, rules)
  byPairs(scenario, all, rules)
  for (const [name, factor] of Object.entries(times)) all.set(name, (all.get(name) ?? 0) * factor)
  const total = [...all.values()].reduce((sum, each) => sum + each, 0)
  return { weights: new Map([...all].map(([name, each]) => [name, total > 0 ? each / total : 0])), rules }
}

function byRule(scenario: Scenario, all: Map<string, number>, rules: string[]): void {
  const rule = (holds: boolean, name: string, factor: number, why: string) => {
    if (!holds) return
    all.set(name, (all.get(name) as number) * factor)
    rules.push(`${name} × ${factor}: ${why}`)
  }
  const { operations, entities, requirements } = scenario
  const tightest = Math.min(...operations.flatMap((operation) => operation.objectives.map((objective) => objective.limitMs)))
  const growing = entities.some((entity) => entity.growthPerMonth >= fastGrowth)
  const [writes, availability] = [writingShare(operations), requirements.availability ?? 0]
  rule(tightest <= tightMs, 'latency', 1.5, `an objective is as tight as ${tightest} ms`)
  rule(requirements.budgetUsdPerMonth !== null, 'money', 1.5, 'a budget is stated')
  rule(growing, 'headroom', 1.5, 'an entity grows by 4 % a month or more')
  rule(writes > 0.5, 'headroom', 1.25, `${Math.round(writes * 100)} % of the calls write, which replicas do not take over`)
  rule(availability >= highAvailability, 'operations', 1.5, `availability of ${(availability * 100).toFixed(2)} % is required`)
}

function byPoints({ criteria }: Scenario, all: Map<string, number>, rules: string[]): void {
  for (const [name, own] of Object.entries(criteria.swing)) {
    all.set(name, own)
    rules.push(`${name}: ${own} points, by criteria.swing`)
  }
}

/** What is compared shares the points that it has otherwise. */
function byPairs({ criteria }: Scenario, all: Map<string, number>, rules: string[]): void {
  const pairs = criteria.pairwise
  if (pairs.length === 0) return
  const names = [...new Set(pairs.flatMap(({ more, less }) => [more, less]))]
  const ratios = names.map((a) =>
    names.map(
      (b) =>
        pairs.find(({ more, less }) => more === a && less === b)?.times ?? 1 / (pairs.find(({ more, less }) => more === b && less === a)?.times ?? 1),
    ),
  )
  const { weights, ratio } = prioritiesOf(ratios)
  const shared = names.reduce((sum, name) => sum + (all.get(name) ?? 0), 0)
  for (const [at, name] of names.entries()) all.set(name, shared * (weights[at] as number))
  rules.push(
    `${names.join(', ')}: by criteria.pairwise, the principal eigenvector (AHP); consistency ratio ${ratio.toFixed(2)}${
      ratio > consistentBelow ? `: above ${consistentBelow}, so the comparisons contradict each other; look at them again` : ''
    }`,
  )
}

function writingShare(operations: Operation[]): number {
  const rate = (some: Operation[]) => some.reduce((sum, operation) => sum + operation.ratePerSecond, 0)
  return rate(operations.filter((operation) => writesOf(operation).length > 0)) / Math.max(1e-12, rate(operations))
}
