/** How many rows acknowledged writes may have left. */
import type { Dataset, EntityData } from '../data/dataset.ts'
import type { Entity } from '../scenario/scenario.ts'
import { Possible } from './possible.ts'
import type { Row, Writes } from './writes.ts'

export interface Bounds {
  least: number
  most: number
}

/** What is known of a row, as bits. */
const made = 1
const maybeMade = 2
const removed = 4
const maybeRemoved = 8

/** Rows that an entity has more, or less, than before these writes; expired rows count as there. */
export function grownBy(
  entity: Entity,
  dataset: Dataset,
  writes: Writes,
  before: (row: number) => Row | undefined,
  linesBefore: (owner: number) => number,
): Bounds {
  return entity.owner === null
    ? grownRows(dataset.entities.get(entity.name) as EntityData, writes, before)
    : grownLines(entity, dataset, writes, linesBefore)
}

function grownRows(data: EntityData, writes: Writes, before: (row: number) => Row | undefined): Bounds {
  const known = new Map<number, number>()
  for (const { step, row, isCertain } of writes.entries()) {
    if (step.entity !== data.entity.name || step.kind === 'update') continue
    const bit = step.kind === 'delete' ? (isCertain ? removed : maybeRemoved) : isCertain ? made : maybeMade
    known.set(row, (known.get(row) ?? 0) | bit)
  }
  const isBoth = (bits = 0) => (bits & (made | maybeMade)) > 0 && (bits & (removed | maybeRemoved)) > 0
  const ordered = writes.entriesOf(data.entity, (row) => isBoth(known.get(row)))
  const bounds = { least: 0, most: 0 }
  for (const [row, bits] of known) {
    const was = before(row)
    const entries = ordered.get(row)
    const possible = entries === undefined ? null : new Possible(was, writes.effects(data, row, entries, was), null)
    const there = was === undefined ? 0 : 1
    const [least, most] =
      possible !== null
        ? [possible.mayBeAbsent ? 0 : 1, possible.mayBePresent ? 1 : 0]
        : [bits & made ? 1 : bits & (removed | maybeRemoved) ? 0 : there, bits & (made | maybeMade) ? 1 : bits & removed ? 0 : there]
    bounds.least += least - there
    bounds.most += most - there
  }
  return bounds
}

/** They come with an insert of their owner, and go with it. */
function grownLines(entity: Entity, dataset: Dataset, writes: Writes, linesBefore: (owner: number) => number): Bounds {
  const { linesOf } = dataset.entities.get(entity.name) as EntityData
  const owner = entity.owner?.entity
  const known = new Map<number, number>()
  for (const { step, row, isCertain } of writes.entries()) {
    if (step.entity !== owner) continue
    if (step.kind === 'insert' && step.with.includes(entity.name)) known.set(row, (known.get(row) ?? 0) | (isCertain ? made : maybeMade))
    if (step.kind === 'delete') known.set(row, (known.get(row) ?? 0) | (isCertain ? removed : maybeRemoved))
  }
  const bounds = { least: 0, most: 0 }
  for (const [row, bits] of known) {
    // A row is inserted once, before anything else finds it: what removes it comes later.
    // An owner that was removed and put again is there without them.
    const were = linesBefore(row)
    if (were === 0 && (bits & (made | maybeMade)) === 0) continue
    const lines = were > 0 ? were : linesOf(row)
    const least = bits & (removed | maybeRemoved) || !(were > 0 || bits & made) ? 0 : lines
    const most = bits & removed ? 0 : lines
    bounds.least += least - were
    bounds.most += most - were
  }
  return bounds
}
