/** The cheapest fleet that carries a need. */
import { hoursPerMonth, type Lines, linesOf } from '../cost/fleet-cost.ts'
import type { Shape } from '../cost/prices.ts'
import {
  askOf,
  carries,
  type Fleet,
  fewest,
  maxMembers,
  minMembers,
  minParts,
  type Need,
  nodesOf,
  partsForIo,
  type Terms,
  wholeParts,
} from './supply.ts'

/** `shape` -1: none has a price. */
export interface Choice extends Pick<Fleet, 'parts' | 'members'> {
  shape: number
  usdPerMonth: number
}

/**
 * Of the shapes that have a price. A greater need never costs less: every fleet that carries it carries the smaller one, too, and none of
 * them is cheaper under a greater need. `likely`: the shape that is tried first, because what costs more than its fleet is soon left.
 */
export function cheapest(shapes: readonly Shape[], need: Need, terms: Terms, likely = -1): Choice {
  const best: Choice = { shape: -1, parts: 0, members: 0, usdPerMonth: Number.POSITIVE_INFINITY }
  const first = shapes[likely]
  if (first !== undefined) improve(best, likely, first, need, terms, terms.divisible && first.shardable !== false)
  for (let at = 0; at < shapes.length; at++) {
    const shape = shapes[at] as Shape
    if (at !== likely) improve(best, at, shape, need, terms, terms.divisible && shape.shardable !== false)
  }
  if (best.shape >= 0) return best
  // Nothing carries it: what the dearest would cost if it could be divided and no call asked every part. `suffices` says that it does not.
  const dearest = shapes.reduce((most, shape, at) => ((shape.usdPerHour ?? 0) > (shapes[most]?.usdPerHour ?? 0) ? at : most), 0)
  const shape = shapes[dearest]
  if (shape !== undefined) improve(best, dearest, shape, { ...need, crossing: 0 }, terms, true)
  return best
}

/** Whether some fleet carries the need for no more than so much. `likely`: the shape that is tried first. */
export function isAffordable(
  shapes: readonly Shape[],
  need: Need,
  terms: Terms,
  usdPerMonth: number,
  likely: number,
): { within: boolean; shape: number } {
  const best: Choice = { shape: -1, parts: 0, members: 0, usdPerMonth: usdPerMonth * (1 + 1e-12) }
  for (let at = -1; at < shapes.length && best.shape < 0; at++) {
    const shape = shapes[at < 0 ? likely : at]
    if (shape === undefined) continue
    improve(best, at < 0 ? likely : at, shape, need, terms, terms.divisible && shape.shardable !== false)
  }
  return { within: best.shape >= 0, shape: best.shape < 0 ? likely : best.shape }
}

/** Whether any fleet carries the need, whatever it costs. */
export function isCarriable(shapes: readonly Shape[], need: Need, terms: Terms): boolean {
  const most = maxMembers(need, terms.topology)
  // The largest stand last.
  for (let at = shapes.length - 1; at >= 0; at--) {
    const shape = shapes[at] as Shape
    const divisible = terms.divisible && shape.shardable !== false
    const ask = askOf(shape, need, terms)
    for (let members = minMembers(terms.topology); members <= most; members++) {
      const parts = minParts(ask, members, need, terms)
      const needed = Number.isFinite(parts) ? partsForIo(ask, need, terms, parts) : parts
      if (Number.isFinite(needed) && (divisible || needed <= 1)) return true
    }
  }
  return false
}

/** Whether a fleet that was chosen carries the need: the last resort of `cheapest` does not. */
export function suffices(shape: Shape, fleet: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): boolean {
  return (fleet.parts === 1 || (terms.divisible && shape.shardable !== false)) && carries(shape, fleet, need, terms)
}

function improve(best: Choice, at: number, shape: Shape, need: Need, terms: Terms, divisible: boolean): void {
  const { topology } = terms
  const { usdPerHour } = shape
  if (usdPerHour === null) return
  tried.parts = 1
  tried.members = minMembers(topology)
  // The fewest servers that there can be cost more already: most of the larger shapes end here.
  if (nodesOf(tried, topology) * usdPerHour * hoursPerMonth >= best.usdPerMonth) return
  const ask = askOf(shape, need, terms)
  const most = maxMembers(need, topology)
  for (let members = minMembers(topology); members <= most; members++) {
    tried.parts = minParts(ask, members, need, terms)
    tried.members = members
    // The servers alone cost more already: so does everything larger.
    if (nodesOf(tried, topology) * usdPerHour * hoursPerMonth >= best.usdPerMonth) continue
    const needed = partsForIo(ask, need, terms, tried.parts)
    if (!Number.isFinite(needed) || (needed > 1 && !divisible)) continue
    const usd = costOf(shape, needed, members, need, terms, usdPerHour)
    take(best, at, needed, members, usd)
    // More parts cache more and need less of the disk, and the spare of a ring is a smaller part of it: they may cost less.
    if (!divisible || (lines.provisionedIo === 0 && topology.kind !== 'ring')) continue
    const more = cheaperParts(wholeParts(needed + 1, topology), shape, members, need, terms)
    take(best, at, more, members, costOf(shape, more, members, need, terms, usdPerHour))
  }
}

/** The cheapest number of parts from `least` on: each line is convex in it where the most drawn pages are cached first. */
export function cheaperParts(least: number, shape: Shape, members: number, need: Need, terms: Terms): number {
  const usdPerHour = shape.usdPerHour as number
  const at = (step: number) => costOf(shape, wholeParts(least + step * stepOf(terms), terms.topology), members, need, terms, usdPerHour)
  return wholeParts(least + (fewest(1, (step) => at(step) >= at(step - 1)) - 1) * stepOf(terms), terms.topology)
}

const stepOf = ({ topology }: Terms) => (topology.kind === 'ring' ? topology.copies : 1)

function take(best: Choice, shape: number, parts: number, members: number, usdPerMonth: number): void {
  if (usdPerMonth >= best.usdPerMonth) return
  best.shape = shape
  best.parts = parts
  best.members = members
  best.usdPerMonth = usdPerMonth
}

/** USD a month of what a fleet decides: its servers, disks, their I/O, and labour of its shards. */
export const usdOf = (shape: Shape, { parts, members }: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): number =>
  costOf(shape, parts, members, need, terms, shape.usdPerHour as number)

/** The fleet under trial and its lines: millions are tried. */
const tried: Fleet = { parts: 0, members: 0, nodes: 0 }
let lines: Lines

function costOf(shape: Shape, parts: number, members: number, need: Need, terms: Terms, usdPerHour: number): number {
  tried.parts = parts
  tried.members = members
  tried.nodes = nodesOf(tried, terms.topology)
  lines = linesOf(shape, tried, need, terms, usdPerHour)
  return lines.servers + lines.storage + lines.provisionedIo + lines.shards
}
