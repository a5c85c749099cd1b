/** From what one core of the bench carries to the vCPUs that are bought: every factor between the two, and their product is the fleet. */

import type { Topology } from '../../engines/engine.ts'
import { cpuFill } from '../capacity/capacity.ts'
import type { Shape } from '../cost/prices.ts'
import type { Demand } from '../demand/demand.ts'
import { copiesAsked } from '../demand/load.ts'
import { threeDigits } from '../figures/amount.ts'
import { type Figure, reachable } from '../figures/figure.ts'
import { middleOf } from '../figures/simulate.ts'
import type { Complete } from './candidate-plan.ts'
import { middleNeed } from './capacity-plan.ts'
import { valueBoughtFor } from './enough.ts'
import type { Chosen } from './fleet-plan.ts'
import { type Bound, bounds, busiestOf, carriedBy, crossingShare, type Need, nodesOf, usesOf } from './supply.ts'

const stepNames = {
  measured: 'cores of the bench for today’s average load',
  headroom: 'headroom: what is planned with, over what was sustained',
  calls: 'calls grow',
  peak: 'peak over average',
  copies: 'copies that each call asks',
  rows: 'rows of a call, production over the bench',
  rowsGrown: 'rows of a call grow',
  host: 'a vCPU of the cloud for a core of the bench',
  doubling: 'more cores in one server do less each',
  draws: 'safety margin: the draw that is bought for, over the middle',
  crossing: 'calls that ask every shard',
  survivors: 'servers for when one is lost',
  whole: 'whole servers',
} as const
export type StepName = keyof typeof stepNames

export interface WaterfallStep {
  name: StepName
  what: string
  factor: number
  /** After it: what all factors until here come to. */
  vcpus: number
  why: string
}
/** Of the fleet of a month; it was bought for the month `until`. */
export interface Waterfall {
  until: number
  vcpus: number
  steps: WaterfallStep[]
}

/** `month`: one in which the fleet stands. */
export function waterfallOf({ plan, cost, candidate }: Complete, demand: Demand, month: number): Waterfall {
  const { purchases, shapes, block } = cost
  const { from, until, share, fleet } = purchases.stage(month)
  const shape = shapes[fleet.shape] as Shape
  const terms = plan.terms(block, shapes)
  const useOf = (need: Need, bound: Bound) => usesOf(shape, fleet, need, terms)[bounds.indexOf(bound)] as number
  const boughtUse = (at: number, bound: Bound = 'load') =>
    valueBoughtFor(
      purchases.needs(at).map((need) => useOf(need, bound)),
      share,
    )
  // The scarcer end of the year: what shrinks asks most at its beginning.
  const asked = boughtUse(from) > boughtUse(until) ? from : until
  const bought = boughtUse(asked)
  const need = middleNeed(plan, asked)
  const { topology } = plan.facts
  const nodes = nodesOf(fleet, topology)
  const sustained = reachable([plan.carried]).find(({ path }) => path === `capacity.${candidate.name}.sustained`) as Figure
  const [measured, carried] = [middleOf(sustained), middleOf(plan.carried)]
  const more = shape.vcpus / terms.benchCpus / (carriedBy(shape, need, terms) / need.carried / need.host)
  const crossing = fleet.parts * crossingShare(need) + 1 - crossingShare(need)
  const scarcest = bounds.reduce((most, bound) => (boughtUse(asked, bound) > boughtUse(asked, most) ? bound : most))
  return stepsOf(asked, nodes * shape.vcpus, [
    [
      'measured',
      terms.benchCpus / measured,
      `one server of ${coresText(terms.benchCpus)} carries ${threeDigits(measured)}×, bound by ${candidate.capacity.boundBy}`,
    ],
    ['headroom', measured / carried, headroomText(measured / carried)],
    ...demandSteps({ plan, demand, month: asked }),
    ['host', 1 / need.host, `plan.hostFactor ${threeDigits(need.host)}`],
    ['doubling', more, doublingText(shape, need, terms.benchCpus, terms.commandThreads)],
    ['draws', bought / useOf(need, 'load'), `carried in ${Math.round(share * 1000) / 10} % of the draws, not in half of them`],
    ['crossing', crossing, `${threeDigits(100 * crossingShare(need))} % of the work is done on all of ${fleet.parts} parts`],
    ['survivors', (nodes * crossingFree(need, fleet)) / fleet.parts, survivorsText(fleet, need, nodes, topology)],
    ['whole', 1 / bought, wholeText(shape, nodes, scarcest, 1 / bought)],
  ])
}

type Told = [name: StepName, factor: number, why: string]

function stepsOf(until: number, vcpus: number, told: Told[]): Waterfall {
  let product = 1
  const steps = told.map(([name, factor, why]) => {
    product *= factor
    return { name, what: stepNames[name], factor, vcpus: product, why }
  })
  return { until, vcpus, steps }
}

/** What the mix asks then over what it asks today: more calls, at peak, of more copies, over more rows. */
function demandSteps({ plan, demand, month }: Pick<Complete, 'plan'> & { demand: Demand; month: number }): Told[] {
  const copies = copiesAsked(plan.facts.topology)
  const now = middleOf(plan.coresAtAverage)
  const cores = plan.operations.map((operation) => {
    const cpu = middleOf(plan.work.perOperation.get(operation.name) as Figure)
    const costAt = (at: number) => {
      const cost = plan.rows.cost(operation, at)
      return cost === null ? 1 : middleOf(cost)
    }
    const average = middleOf(demand.rate(operation, month)) * cpu
    const peak = middleOf(demand.peakRate(operation, month)) * cpu
    const copied = peak * copies(operation)
    return { average, peak, copied, rows: copied * costAt(0), grown: copied * costAt(month) }
  })
  const sum = (of: keyof (typeof cores)[number]) => cores.reduce((all, each) => all + each[of], 0)
  const [average, peak, copied, rows, grown] = [sum('average'), sum('peak'), sum('copied'), sum('rows'), sum('grown')]
  return [
    ['calls', average / now, `of month ${month}, by what each takes`],
    ['peak', peak / average, 'scheduled calls do not follow it'],
    ['copies', copied / peak, plan.facts.topology.name],
    ['rows', rows / copied, 'what was measured touched fewer (plan.rowsExponent)'],
    ['rowsGrown', grown / rows, `until month ${month} (plan.rowsExponent)`],
  ]
}

/** Share of all work that the busiest member of a part does, without what crosses. */
const crossingFree = (need: Need, { members }: Chosen) => busiestOf(need, members) / need.load

const coresText = (cpus: number) => (cpus === 1 ? 'one core' : `${cpus} cores`)

const headroomText = (factor: number) =>
  factor > 1 + 1e-9
    ? `at most ${cpuFill * 100} % of the cores, and of the highest throughput, is planned with: less than was sustained`
    : `none on top: what is sustained lies below ${cpuFill * 100} % of the cores and of the highest throughput`

function doublingText({ vcpus }: Shape, { doubling }: Need, benchCpus: number, threads: number | null): string {
  const ran = threads !== null && threads < vcpus ? `, and ${threads} of them runs commands` : ''
  return `${vcpus} vCPU for ${coresText(benchCpus)}: each doubling does ${threeDigits(2 * doubling)} times, not twice (doubling ${threeDigits(doubling)})${ran}`
}

function survivorsText({ parts, members }: Chosen, need: Need, nodes: number, { kind, copies }: Topology): string {
  if (kind === 'ring') return `${nodes} servers, one of them lost (a zone that is lost takes ${Math.ceil(nodes / copies)})`
  const share = Math.round(100 * (busiestOf(need, members) / need.load))
  const each = parts > 1 ? 'of each part' : ''
  return `${members} members ${each}: with one lost the busiest of ${members - 1} does ${share} % of the work`.replace('  ', ' ').replace(' :', ':')
}

const wholeText = ({ name, vcpus }: Shape, nodes: number, bound: Bound, factor: number) =>
  `${nodes} × ${name} of ${vcpus} vCPU${bound === 'load' ? '' : `; ${bound} decides, so that cores are left over`}${factor > 2 && bound === 'load' ? ': less was not to be had' : ''}`

/** A line for each step, for `--explain`. */
export function waterfallLines({ until, vcpus, steps }: Waterfall): string[] {
  return [
    `From the bench to ${vcpus} vCPU, every number at its middle, for month ${until}:`,
    ...steps
      .filter(({ factor, name }) => name === 'headroom' || Math.abs(factor - 1) > 0.0005)
      .map(({ what, factor, vcpus: after, why }, at) => `  ${at === 0 ? '  ' : '× '}${threeDigits(factor)} = ${threeDigits(after)}  ${what}: ${why}`),
  ]
}
