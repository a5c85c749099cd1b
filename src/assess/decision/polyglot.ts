/** Whether several stores beat one: groups of entities that must stay together, each where it is cheapest, against the best single store. */
import { entityOf, type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { digits } from '../figures/amount.ts'
import { assumed, given } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'

export interface Group {
  entities: string[]
  operations: Operation[]
}
/** What a group costs on a candidate; null: it cannot serve it. */
export type GroupCost = (group: Group, candidate: string) => number | null
export interface PolyglotProposal {
  groups: { entities: string[]; operations: string[]; candidate: string; usdPerMonth: number }[]
  /** Of the parts and of running more than one system. */
  usdPerMonth: number
  secondSystemUsdPerMonth: number
  single: { candidate: string; usdPerMonth: number } | null
  /** Share of the single store's cost that it must save to be worth it. */
  margin: number
  worthIt: boolean
  why: string
  /** Groups that the single store is planned to serve late, and another was measured to serve in time. */
  late: string[]
}

export const margin = 0.2
export const secondSystemHours = () =>
  given(
    'plan.secondSystemHours',
    'hours/month',
    assumed(8, 16, 32),
    'assumed',
    'of one more system: its upgrades, backups, alarms, and people who know it; judged by the makers of dbtrial, 2026: two days of one engineer',
  )

/** Entities joined by ownership, by transactions, and by operations that read several. */
export function groupsOf(scenario: Scenario): Group[] {
  const parent = new Map(scenario.entities.map((entity) => [entity.name, entity.name]))
  const root = (name: string): string => {
    const above = parent.get(name) as string
    return above === name ? name : root(above)
  }
  const join = (a: string, b: string) => parent.set(root(a), root(b))
  for (const entity of scenario.entities) if (entity.owner !== null) join(entity.name, entity.owner.entity)
  for (const operation of scenario.operations) {
    for (const write of writesOf(operation)) join(operation.entity, write.entity)
    if ('with' in operation) for (const name of operation.with) join(operation.entity, name)
  }
  const roots = [...new Set(scenario.entities.map((entity) => root(entity.name)))]
  return roots
    .map((each) => ({
      entities: scenario.entities.filter((entity) => root(entity.name) === each).map((entity) => entity.name),
      operations: scenario.operations.filter((operation) => root(entityOf(scenario, operation.entity).name) === each),
    }))
    .filter((group) => group.operations.length > 0)
}

/** null where there is nothing to divide, or no group that several could serve. */
export function proposePolyglot(
  scenario: Scenario,
  candidates: string[],
  costOf: GroupCost,
  single: { candidate: string; usdPerMonth: number } | null,
  engineerUsdPerHour: number,
): Omit<PolyglotProposal, 'late'> | null {
  const groups = groupsOf(scenario)
  if (groups.length < 2 || candidates.length < 2) return null
  const costs = groups.map((group) => new Map(candidates.map((candidate) => [candidate, costOf(group, candidate)])))
  const second = middleOf(secondSystemHours()) * engineerUsdPerHour
  let best: { chosen: string[]; usdPerMonth: number } | null = null
  // Every set of at least two candidates: each group goes to the cheapest in it; where that is one for all, one group goes where it costs least more.
  for (let set = 1; set < 2 ** candidates.length; set++) {
    const members = candidates.filter((_, at) => (set >> at) & 1)
    const chosen = costs.map((of) => members.filter((name) => of.get(name) != null).sort((a, b) => (of.get(a) as number) - (of.get(b) as number))[0])
    if (chosen.some((name) => name === undefined)) continue
    if (new Set(chosen).size < 2 && !moveCheapest(chosen as string[], members, costs)) continue
    const used = new Set(chosen)
    const usdPerMonth = chosen.reduce((sum, name, at) => sum + (costs[at]?.get(name as string) as number), 0) + (used.size - 1) * second
    if (best === null || usdPerMonth < best.usdPerMonth) best = { chosen: chosen as string[], usdPerMonth }
  }
  if (best === null) return null
  const { chosen, usdPerMonth } = best
  const systems = new Set(chosen).size
  const worthIt = single === null || usdPerMonth <= single.usdPerMonth * (1 - margin)
  const when = 'at the horizon, every number at its middle,'
  return {
    groups: groups.map((group, at) => ({
      entities: group.entities,
      operations: group.operations.map((operation) => operation.name),
      candidate: chosen[at] as string,
      usdPerMonth: costs[at]?.get(chosen[at] as string) as number,
    })),
    usdPerMonth,
    secondSystemUsdPerMonth: (systems - 1) * second,
    single,
    margin,
    worthIt,
    why:
      single === null
        ? `no single store passes every constraint; ${systems} stores do for ${digits(usdPerMonth)} USD a month ${when} ${digits((systems - 1) * second)} of it for running one more system`
        : worthIt
          ? `${systems} stores cost ${digits(usdPerMonth)} USD a month ${when} with the price of one more system, ${single.candidate} alone ${digits(single.usdPerMonth)}`
          : `one store is enough: ${single.candidate} alone costs ${digits(single.usdPerMonth)} USD a month ${when} ${systems} stores ${digits(usdPerMonth)} with the price of one more system; they would have to save ${margin * 100} %`,
  }
}

/** Moves the group that costs least more elsewhere; false where none can move. */
function moveCheapest(chosen: string[], members: readonly string[], costs: readonly Map<string, number | null>[]): boolean {
  const moves = costs.flatMap((of, at) =>
    members.flatMap((name) => {
      const [here, there] = [of.get(chosen[at] as string), of.get(name)]
      return name === chosen[at] || here == null || there == null ? [] : [{ at, name, more: there - here }]
    }),
  )
  const [least] = moves.sort((a, b) => a.more - b.more)
  if (least === undefined) return false
  chosen[least.at] = least.name
  return true
}
