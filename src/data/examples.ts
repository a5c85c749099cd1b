/** Values that stand for those of a call where an operation is rehearsed: they are told apart, and nothing else is asked of them. */
import type { Field } from '../scenario/scenario.ts'
import type { Value } from './value.ts'

/** `which` counts from 1. Neighbours differ, wherever they are written as bytes, from the first byte on; texts that a scenario chooses may begin alike. */
export function exampleOf({ type, generator }: Field, which: number): Value {
  switch (type) {
    case 'uuid':
    case 'bytes':
      return Buffer.alloc(16, 0xe0 + which)
    case 'int':
    case 'decimal':
    case 'timestamp':
      return (which % 2 === 1 ? which : -which) * 1_000_000
    case 'bool':
      return which % 2 === 1
    case 'json':
      return [which]
    case 'enum':
      return (generator.kind === 'enum' ? generator.values[which - 1] : undefined) ?? `${which}th`
    default:
      return `${which}word`
  }
}
