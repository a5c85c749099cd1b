/** Whether a row has what a list or an aggregate asks for beside equality. */
import type { Entity, Selection } from '../scenario/scenario.ts'
import { compareValues, constantOf, type Value } from './value.ts'

type Conditions = Omit<Selection, 'where'>

/** `bound`: the times that a window goes from and up to, and what texts begin with. */
export function isSelected(
  entity: Entity,
  { over, bounds = [], prefixes = [], among = [], presence = [] }: Conditions,
  bound: (name: string) => Value,
  value: (field: string) => Value,
): boolean {
  if (over != null && !isWithin(value(over.field), Number(bound('from')), Number(bound('to')))) return false
  if (!presence.every(({ field, isNull }) => (value(field) === null) === isNull)) return false
  if (!bounds.every(({ field, from, below }) => isWithin(value(field), from ?? -Infinity, below ?? Infinity))) return false
  if (!prefixes.every(({ field }) => beginsWith(value(field), String(bound(`prefix.${field}`))))) return false
  return among.every(({ field, constants, none = false }) => {
    const own = value(field)
    // No value is none of the constants, and no other value either.
    return own !== null && constants.some((each) => compareValues(own, constantOf(entity, field, each)) === 0) !== none
  })
}

const isWithin = (value: Value, from: number, below: number) => value !== null && Number(value) >= from && Number(value) < below
const beginsWith = (value: Value, start: string) => value !== null && String(value).startsWith(start)

/** The conditions on some of the fields. */
export function conditionsOn({ over, bounds, prefixes, among, presence }: Conditions, isOf: (field: string) => boolean): Conditions {
  const own = <T extends { field: string }>(parts: T[] = []) => parts.filter(({ field }) => isOf(field))
  return {
    over: over != null && isOf(over.field) ? over : null,
    bounds: own(bounds),
    prefixes: own(prefixes),
    among: own(among),
    presence: own(presence),
  }
}
