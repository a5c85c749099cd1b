/** A fleet as one number, so that a choice can be a figure and be drawn like any other. */

import type { Shape } from '../cost/prices.ts'
import type { Choice } from './cheapest.ts'

type Chosen = Pick<Choice, 'shape' | 'parts' | 'members'>

const partsLimit = 65_536
const membersLimit = 64

export const encodeChoice = ({ shape, parts, members }: Chosen) =>
  shape < 0 ? -1 : (shape * membersLimit + members) * partsLimit + Math.min(partsLimit - 1, parts)

/** What a figure of `CapacityPlan.choice` says. */
export function choiceOf(encoded: number): Chosen {
  const above = Math.floor(encoded / partsLimit)
  return { shape: Math.floor(above / membersLimit), members: above % membersLimit, parts: encoded % partsLimit }
}

export function fleetText({ shape, parts, members }: Chosen, shapes: readonly Shape[]): string {
  const name = shapes[shape]?.name
  return name === undefined ? 'no fleet that has a price' : members > 1 ? `${parts} × ${members} × ${name}` : `${parts} × ${name}`
}
