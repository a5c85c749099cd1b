/** Rows that others refer to. */
import type { Operation, Step } from '../scenario/scenario.ts'
import { type Dataset, type EntityData, generatorOf } from './dataset.ts'
import { type FieldGenerator, firstMissingRow } from './fields.ts'

type Refers = NonNullable<FieldGenerator['refers']>
/** The reference in the row that a later step makes. */
export interface LaterReference {
  step: number
  refers: Refers
}

/** By which a step is about the row that a later one refers to; null: it is not. */
export function referenceOf(dataset: Dataset, operation: Operation, write: Operation | Step): LaterReference | null {
  if (operation.kind !== 'transaction' || write.kind !== 'update' || write.of === undefined) return null
  const { step, field } = write.of
  const data = dataset.entities.get((operation.steps[step] as Step).entity) as EntityData
  return { step, refers: generatorOf(data, field).refers as Refers }
}

/** A row that refers to another tenant than this one does; where all loaded ones refer to one, a row that is not there. */
export function rowOfAnother({ refers }: FieldGenerator, row: number, data: EntityData): number {
  const own = refers?.(row, 0)
  for (let after = 1; after <= data.rows; after++) {
    const other = (row + after) % data.rows
    if (refers?.(other, 0) !== own) return other
  }
  return firstMissingRow
}
