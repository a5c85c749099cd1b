/** Why a fleet is as it is, in five lines: what is bought, what each resource asks of one server, what a cheaper fleet lacks, who comes next, what would change it most. */

import { linesOf } from '../cost/fleet-cost.ts'
import type { Shape } from '../cost/prices.ts'
import { amount, bytes, digits } from '../figures/amount.ts'
import { middleOf, type Spread, simulate } from '../figures/simulate.ts'
import { type Complete, tornadoOf } from './candidate-plan.ts'
import { cheapest, suffices } from './cheapest.ts'
import type { Chosen, Sufficiency } from './fleet-plan.ts'
import type { Purchases } from './purchases.ts'
import {
  type Bound,
  besideOf,
  bounds,
  cacheOf,
  carriedBy,
  fewest,
  iopsOf,
  maxMembers,
  type Need,
  nodesOf,
  type Terms,
  usesOf,
  wholeParts,
} from './supply.ts'

const mostMovers = 3
/** As often as the chosen one, but for what so many draws cannot tell. */
const asOften = 0.01
const comparingDraws = 250

interface Around {
  shapes: readonly Shape[]
  need: Need
  terms: Terms
  /** How likely a fleet suffices then. */
  suffices(fleet: Chosen): Sufficiency | undefined
  month: number
  /** What that month needs, by some draws: enough to compare fleets. */
  needs: readonly Need[]
}

/** `planned`: USD a month of exactly that fleet. */
export function explainFleet({ plan, cost, candidate }: Complete, month: number, planned: Spread, seed: number): string[] {
  const { shapes, block, purchases } = cost
  const bought = purchases.fleet(month)
  const shape = shapes[bought.shape]
  const at = month === 0 ? 'now' : `in month ${month}`
  if (shape === undefined) return [`${candidate.name} ${at}: no fleet of the catalogue carries it.`]
  const terms = plan.terms(block, shapes)
  const figures = plan.needFigures(month)
  const drawn = simulate(figures, seed, comparingDraws)
  const columns = figures.map((figure) => drawn.get(figure) as Float64Array)
  const around: Around = {
    needs: Array.from({ length: comparingDraws }, (_, draw) => plan.needOf(columns.map((column) => column[draw] as number))),
    shapes,
    need: plan.needOf(figures.map((figure) => middleOf(figure))),
    terms,
    suffices: (fleet) => purchases.sufficiency(fleet).find((each) => each.month >= month),
    month,
  }
  return [
    `${candidate.name} ${at}: ${fleetOf(bought, shape, terms)}, ${sinceText(purchases, month)}; ${digits(planned.p50)} USD a month (${digits(planned.p10)}–${digits(planned.p90)}). ${sufficesText(bought, around)}`,
    asksText(shape, bought, around),
    cheaperText(bought, shape, around),
    runnerUpText(bought, around),
    moversText(tornadoOf(cost.needed(month))),
  ]
}

export function fleetOf(fleet: Pick<Chosen, 'parts' | 'members'>, shape: Shape, { topology }: Terms): string {
  const nodes = nodesOf(fleet, topology)
  const beside = besideOf(fleet, topology).map((each) => ` and ${each.nodes} ${each.what}`)
  if (topology.kind === 'ring') return `a ring of ${nodes} × ${shape.name}`
  return `${nodes} × ${shape.name}${fleet.parts > 1 ? ` in ${fleet.parts} shards of ${fleet.members}` : ''}${beside.join('')}`
}

function sinceText({ changes }: Purchases, month: number): string {
  const since = changes.findLast((change) => change.month <= month)
  const until = changes.find((change) => change.month > month)
  const from = since === undefined ? 'from the start' : `since month ${since.month}`
  return until === undefined ? from : `${from}, until month ${until.month}`
}

const percent = (share: number) => `${Math.round(share * 100)} %`

function sufficesText(fleet: Chosen, { suffices, month }: Around): string {
  const found = suffices(fleet)
  if (found === undefined) return ''
  const when = found.month === month ? '' : ` of month ${found.month}`
  return `It suffices in ${percent(found.probability)} of the draws${when}${found.resource === null ? '' : `; ${found.resource} is what the others lack first`}.`
}

/** Side by side, of one server at peak, with one of its part lost: what is asked, and what it has. */
function asksText(shape: Shape, fleet: Chosen, { need, terms }: Around): string {
  const uses = usesOf(shape, fleet, need, terms)
  const cache = cacheOf(shape, need)
  const has: Record<Bound, [number, (value: number) => string]> = {
    load: [carriedBy(shape, need, terms), (value) => `${digits(value)}×`],
    memory: [terms.memoryBound ? cache * need.memoryFill : cache, bytes],
    disk: [(shape.localDiskGib ?? terms.block.mostGb) * 2 ** 30 * need.diskFill, bytes],
    'I/O': [iopsOf(shape, terms), (value) => `${digits(value)}/s`],
    network: [terms.networkBytesPerSecond(shape), (value) => amount(value, 'bytes/s')],
  }
  const each = bounds.map((bound, index) => {
    const use = uses[index] as number
    const [most, text] = has[bound]
    if (bound === 'memory' && use === 0) return `memory none that must be cached (it caches ${bytes(cache)}, the rest is I/O)`
    return `${bound} ${percent(use)} (${text(use * most)} of ${text(most)})`
  })
  const decides = bounds[uses.indexOf(Math.max(...uses))]
  return `Asked of one ${shape.name} at peak, every number at its middle: ${each.join(' · ')}; ${decides} decides. Load counts in what one server of the bench carries within its limits, and is what it does at average load.`
}

/** The cheapest that the middle of all ranges needs, or what the next cheaper server lacks. */
function cheaperText(bought: Chosen, shape: Shape, around: Around): string {
  const { shapes, need, terms } = around
  const usd = usdOf(bought, around)
  const least = cheapest(shapes, need, terms)
  const cheaper = shapes[least.shape]
  if (cheaper !== undefined && least.usdPerMonth < usd * 0.999) {
    const often = around.suffices(least)
    return `Cheaper: ${fleetOf(least, cheaper, terms)}, servers and disks for ${digits(least.usdPerMonth)} USD a month in place of ${digits(usd)}, is enough where every number is at its middle${often === undefined ? '' : `, and in ${percent(often.probability)} of the draws`}.`
  }
  const price = (each: Shape) => each.usdPerHour ?? Number.POSITIVE_INFINITY
  const lacking = shapes
    .filter((each) => price(each) < price(shape))
    .sort((a, b) => price(b) - price(a))
    .map((each) => ({ each, uses: usesOf(each, bought, need, terms) }))
    .find(({ uses }) => Math.max(...uses) > Math.max(1, 1.01 * Math.max(...usesOf(shape, bought, need, terms))))
  if (lacking === undefined) return `Cheaper: no server of the catalogue that suits it costs less than a ${shape.name} and does not carry it.`
  const most = Math.max(...lacking.uses)
  return `Cheaper: as many ${lacking.each.name} would be asked ${percent(most)} of their ${bounds[lacking.uses.indexOf(most)]}.`
}

/** Servers, disks and their I/O are what fleets differ by. */
function usdOf(fleet: Chosen, { shapes, need, terms }: Around): number {
  const shape = shapes[fleet.shape] as Shape
  const lines = linesOf(shape, { ...fleet, nodes: nodesOf(fleet, terms.topology) }, need, terms, shape.usdPerHour as number)
  return lines.servers + lines.storage + lines.provisionedIo + lines.shards
}

/** Of other servers the cheapest that suffice as often as what is bought. */
function runnerUpText(bought: Chosen, around: Around): string {
  const { shapes, need, terms } = around
  const usd = usdOf(bought, around)
  const share = (fleet: Chosen) =>
    around.needs.filter((each) => suffices(shapes[fleet.shape] as Shape, fleet, each, terms)).length / around.needs.length
  const wanted = share(bought) - asOften
  const enough = (fleet: Chosen) => share(fleet) >= wanted
  let best: { fleet: Chosen; usd: number } | null = null
  for (const [shape, each] of shapes.entries()) {
    if (shape === bought.shape || each.usdPerHour === null) continue
    for (let members = bought.members; members <= maxMembers(need, terms.topology); members++) {
      const of = (parts: number): Chosen => ({ shape, members, parts: wholeParts(parts, terms.topology) })
      const isDivisible = terms.divisible && each.shardable !== false
      // More than twice the price is nobody's runner-up.
      const isDear = (fleet: Chosen) => usdOf(fleet, around) > Math.min(2 * usd, best?.usd ?? Number.POSITIVE_INFINITY)
      const parts = isDivisible ? fewest(1, (some) => isDear(of(some)) || enough(of(some))) : 1
      if (!Number.isFinite(parts)) continue
      const fleet = of(parts)
      if (!isDear(fleet) && enough(fleet)) best = { fleet, usd: usdOf(fleet, around) }
    }
  }
  if (best === null) return 'Runner-up: no other server of the catalogue suffices as often for less than twice the price.'
  const more = Math.round((best.usd / usd - 1) * 100)
  const shape = shapes[best.fleet.shape] as Shape
  return `Runner-up: ${fleetOf(best.fleet, shape, terms)} suffices as often, servers and disks for ${digits(best.usd)} USD a month in place of ${digits(usd)}, ${more >= 0 ? `${more} % more` : `${-more} % less in this month`}.`
}

function moversText(movers: { path: string; low: number; high: number; provenance: string }[]): string {
  const most = movers.slice(0, mostMovers).map(({ path, low, high, provenance }) => `${path} (${provenance}): ${digits(low)} to ${digits(high)}`)
  return most.length === 0
    ? 'No number that has a range moves what is needed by a hundredth.'
    : `What moves most what is needed, in USD a month from its low to its high end: ${most.join(' · ')}.`
}
