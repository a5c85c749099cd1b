/** Whether a row has what a list or an aggregate asks for beside equality. */
import type { Entity, Selection } from '../scenario/scenario.ts'
import { compareValues, constantOf, type Value } from './value.ts'

/** `bound`: the times that a window goes from and up to. */
export function isSelected(
  entity: Entity,
  { over, bounds, among }: Omit<Selection, 'where'>,
  bound: (name: 'from' | 'to') => Value,
  value: (field: string) => Value,
): boolean {
  if (over != null && !isWithin(value(over.field), Number(bound('from')), Number(bound('to')))) return false
  if (bounds !== undefined && !isWithin(value(bounds.field), bounds.from ?? -Infinity, bounds.below ?? Infinity)) return false
  return among === undefined || among.constants.some((each) => compareValues(value(among.field), constantOf(entity, among.field, each)) === 0)
}

const isWithin = (value: Value, from: number, below: number) => Number(value) >= from && Number(value) < below
