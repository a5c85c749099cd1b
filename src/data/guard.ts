/** Whether a row holds what an update asks of it. */
import type { Comparison, Entity, Guard } from '../scenario/scenario.ts'
import { compareValues, constantOf, type Value } from './value.ts'

const agrees: Record<Comparison, (order: number) => boolean> = {
  equals: (order) => order === 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
}

/** `value`: of the guard's field. Nothing comes between the reading and the writing where one call follows the other. */
export function holds(entity: Entity, { field, is, constant, asRead }: Guard, value: Value): boolean {
  if (asRead === true) return true
  // No value is more or less than another, nor equal to one.
  if (value === null || constant === null) return value === constant
  return agrees[is](compareValues(value, constantOf(entity, field, constant)))
}

/** The guard of one target, with what was summed for it in place of what it is multiplied with. */
export const guardOfTarget = (guard: Guard, sum: Value | undefined): Guard => (guard.from === undefined ? guard : { ...guard, constant: Number(sum) })

/** What was read first in place of the constant, where that is what a guard compares with. */
export const guardOfRead = ({ asRead, ...guard }: Guard, read: Value): Guard => (asRead ? { ...guard, constant: Number(read) } : guard)

/** A value of the guard's field of which it holds: of a number the nearest. */
export function heldBy(entity: Entity, { field, is, constant }: Guard): Value {
  const beyond = is === 'gt' ? 1 : is === 'lt' ? -1 : 0
  return constantOf(entity, field, typeof constant === 'number' ? constant + beyond : constant)
}
