/** The cheapest fleets that carry enough of many needs: those of the draws of each of some months. */

import { hoursPerMonth } from '../cost/fleet-cost.ts'
import type { Shape } from '../cost/prices.ts'
import { type Choice, cheaperParts, usdOf } from './cheapest.ts'
import { type Ask, askOf, fewest, maxMembers, meets, minMembers, type Need, nodesOf, type Terms, wholeParts } from './supply.ts'

/** Whether a fleet carries at least this share of the needs. */
export function isEnough<N>(needs: readonly N[], share: number, carries: (need: N) => boolean): boolean {
  const spare = spareOf(needs, share)
  let failed = 0
  for (const need of needs) if (!carries(need) && ++failed > spare) return false
  return true
}

/** So many may fail. */
const spareOf = (needs: readonly unknown[], share: number) => Math.floor((1 - share) * needs.length + 1e-9)

/** Of one number of each draw, what so large a share of them stays within. */
export function valueBoughtFor(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.max(0, values.length - 1 - spareOf(values, share))] as number
}

/** The same in every month. */
export const isEnoughIn = <N>(months: readonly (readonly N[])[], share: number, carries: (need: N) => boolean): boolean =>
  months.every((needs) => isEnough(needs, share, carries))

/** Those that ask for most of a server first: what is too small is soon known. */
export const demandingFirst = (needs: readonly Need[]) => {
  const ask = ({ load, carried, host }: Need) => load / (carried * host)
  return [...needs].sort((a, b) => ask(b) - ask(a))
}

/**
 * At most so many, the cheapest first, each of other servers or with other copies; none where no fleet is enough. Priced at the `typical` need.
 * Of a shape the fewest parts that are enough: whatever more parts are, they carry no less. `order`: of the shapes, the likely ones first.
 */
export function enoughFleets(
  shapes: readonly Shape[],
  order: readonly number[],
  months: readonly (readonly Need[])[],
  typical: Need,
  terms: Terms,
  share: number,
  most: number,
): Choice[] {
  const { topology } = terms
  const best: Choice[] = []
  const limit = () => (best.length < most ? Number.POSITIVE_INFINITY : (best.at(-1) as Choice).usdPerMonth)
  const take = (choice: Choice) => {
    if (choice.usdPerMonth >= limit()) return
    const at = best.findIndex(({ usdPerMonth }) => usdPerMonth > choice.usdPerMonth)
    best.splice(at < 0 ? best.length : at, 0, choice)
    if (best.length > most) best.pop()
  }
  const first = wholeParts(1, topology)
  for (const at of order) {
    const shape = shapes[at] as Shape
    const { usdPerHour } = shape
    if (usdPerHour === null) continue
    for (let members = minMembers(topology); members <= maxMembers(typical, topology); members++) {
      const serversUsd = (parts: number) => nodesOf({ parts, members }, topology) * usdPerHour * hoursPerMonth
      if (serversUsd(first) >= limit()) break
      const enough = enoughOf(shape, members, months, terms, share)
      let parts = first
      if (!enough(first)) {
        if (!terms.divisible || shape.shardable === false) continue
        const tooDear = (tried: number) => serversUsd(tried) >= limit()
        parts = fewest(first + 1, (tried) => tooDear(wholeParts(tried, topology)) || enough(wholeParts(tried, topology)))
        if (!Number.isFinite(parts)) continue
        parts = wholeParts(parts, topology)
        if (tooDear(parts)) continue
      }
      take({ shape: at, parts, members, usdPerMonth: usdOf(shape, { parts, members }, typical, terms) })
      if (!terms.divisible || shape.shardable === false) continue
      // More parts cache more and need less of the disk, and the spare of a ring is a smaller part of it: they may cost less.
      const more = cheaperParts(wholeParts(parts + 1, topology), shape, members, typical, terms)
      take({ shape: at, parts: more, members, usdPerMonth: usdOf(shape, { parts: more, members }, typical, terms) })
    }
  }
  return best
}

/** Whether so many parts are enough. More parts carry no less: of each need it is kept which number did, and which did not. */
function enoughOf(shape: Shape, members: number, months: readonly (readonly Need[])[], terms: Terms, share: number): (parts: number) => boolean {
  const divisible = terms.divisible && shape.shardable !== false
  const known = months.map((needs) => ({
    needs,
    asks: new Array<Ask>(needs.length),
    holds: new Float64Array(needs.length).fill(Number.POSITIVE_INFINITY),
    fails: new Float64Array(needs.length),
  }))
  return (parts) => {
    if (parts > 1 && !divisible) return false
    const fleet = { parts, members }
    return known.every(({ needs, asks, holds, fails }) => {
      const spare = spareOf(needs, share)
      let failed = 0
      for (let at = 0; at < needs.length; at++) {
        if (parts >= (holds[at] as number)) continue
        if (parts > (fails[at] as number)) {
          const need = needs[at] as Need
          const ask = asks[at] ?? askOf(shape, need, terms)
          asks[at] = ask
          const met = meets(ask, fleet, need, terms)
          if (met) holds[at] = parts
          else fails[at] = parts
          if (met) continue
        }
        if (++failed > spare) return false
      }
      return true
    })
  }
}

/** Each number of a need on average over the draws. */
export function meanOf(needs: readonly Need[]): Need {
  const mean = { ...(needs[0] as Need) }
  for (const key of Object.keys(mean) as (keyof Need)[]) mean[key] = needs.reduce((sum, need) => sum + need[key], 0) / needs.length
  return mean
}
