/** Why a fleet is as it is, in five lines: what it is, what each resource asks, what a smaller server lacks, who comes next, what would change it most. */
import { amount, bytes, digits } from './amount.ts'
import { type Complete, tornadoOf } from './candidate-plan.ts'
import { type Choice, cheapest } from './cheapest.ts'
import { choiceOf } from './choice.ts'
import type { Shape } from './prices.ts'
import { middleOf, type Spread } from './simulate.ts'
import { type Bound, bounds, carriedBy, copiesInPart, type Fleet, type Need, nodesOf, type Terms, usesOf } from './supply.ts'

const mostMovers = 3

export function explainFleet({ plan, cost, candidate }: Complete, month: number, { p10, p50, p90 }: Spread): string[] {
  const { shapes, block } = cost
  const terms = plan.terms(block, shapes)
  const need = plan.needOf(plan.needFigures(month).map((figure) => middleOf(figure)))
  const chosen = choiceOf(middleOf(cost.choice(month)))
  const shape = shapes[chosen.shape]
  const at = month === 0 ? 'now' : `in month ${month}`
  if (shape === undefined) return [`${candidate.name} ${at}: no fleet of the catalogue carries it.`]
  return [
    `${candidate.name} ${at}: ${fleetOf(chosen, shape, terms)}, with every number at its middle; ${digits(p50)} USD a month (${digits(p10)}–${digits(p90)}).`,
    asksText(shape, alone(chosen), need, terms),
    smallerText(shape, alone(chosen), shapes, need, terms),
    runnerUpText(chosen.shape, shapes, need, terms),
    moversText(tornadoOf(cost.total(month))),
  ]
}

function fleetOf(fleet: Pick<Fleet, 'parts' | 'members'>, shape: Shape, { topology }: Terms): string {
  const nodes = nodesOf(fleet, topology)
  if (topology.kind === 'ring') return `a ring of ${nodes} × ${shape.name}`
  return `${nodes} × ${shape.name}${fleet.parts > 1 ? ` in ${fleet.parts} shards of ${fleet.members}` : ''}`
}

/** One part of it, with as many copies: what each of them does. */
const alone = ({ members }: Pick<Fleet, 'members'>) => ({ parts: 1, members })

/** Side by side, of one server: what is asked, and what it has. */
function asksText(shape: Shape, part: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): string {
  const uses = usesOf(shape, part, need, terms)
  const copies = copiesInPart(terms.topology)
  const asked: Record<Bound, [number, (value: number) => string]> = {
    CPU: [(uses[bounds.indexOf('CPU')] ?? 0) * carriedBy(shape, need, terms), (value) => `${digits(value)}×`],
    memory: [(terms.memoryBound ? need.bytes : need.hotBytes) * copies, bytes],
    disk: [need.bytes * copies, bytes],
    'I/O': [(uses[bounds.indexOf('I/O')] ?? 0) * terms.block.mostIops, (value) => `${digits(value)} I/O/s`],
    network: [need.networkBytesPerSecond * copies, (value) => amount(value, 'bytes/s')],
  }
  const each = bounds.map((bound, index) => {
    const use = uses[index] as number
    const [value, text] = asked[bound]
    return use > 0 ? `${bound} ${digits(use)} (${text(value)} of ${text(value / use)})` : `${bound} 0`
  })
  const decides = bounds[uses.indexOf(Math.max(...uses))]
  return `Asked of one ${shape.name}: ${each.join(' · ')}; ${decides} decides.`
}

/** Of the next cheaper server. */
function smallerText(shape: Shape, part: Pick<Fleet, 'parts' | 'members'>, shapes: readonly Shape[], need: Need, terms: Terms): string {
  const price = (each: Shape) => each.usdPerHour ?? Number.POSITIVE_INFINITY
  const smaller = shapes.filter((each) => price(each) < price(shape)).sort((a, b) => price(b) - price(a))[0]
  if (smaller === undefined) return `No server of the catalogue that suits it is cheaper than a ${shape.name}.`
  const uses = usesOf(smaller, part, need, terms)
  const most = Math.max(...uses)
  return `Of the next cheaper one, ${smaller.name}, ${digits(most)} would be asked by ${bounds[uses.indexOf(most)]}.`
}

/** Servers, disks and their I/O are what fleets differ by. */
function runnerUpText(chosen: number, shapes: readonly Shape[], need: Need, terms: Terms): string {
  const best = cheapest([shapes[chosen] as Shape], need, terms)
  const others = shapes.filter((_, at) => at !== chosen)
  const next: Choice = cheapest(others, need, terms)
  const shape = others[next.shape]
  if (shape === undefined) return 'No other server of the catalogue carries it.'
  const more = Math.round((next.usdPerMonth / best.usdPerMonth - 1) * 100)
  return `The runner-up is ${fleetOf(next, shape, terms)}: servers and disks for ${digits(next.usdPerMonth)} USD a month in place of ${digits(best.usdPerMonth)}, ${more} % more.`
}

function moversText(movers: { path: string; low: number; high: number; provenance: string }[]): string {
  const most = movers.slice(0, mostMovers).map(({ path, low, high, provenance }) => `${path} (${provenance}): ${digits(low)} to ${digits(high)}`)
  return most.length === 0
    ? 'No number in it has a range.'
    : `What moves its cost most, in USD a month from its low to its high end: ${most.join(' · ')}.`
}
