/** What guards keep a number within: no row holds less, or more, in whatever order and however often at once they are changed. */
import { display } from '../data/fields.ts'
import { decimalText, type Value } from '../data/value.ts'
import {
  type Addition,
  type Entity,
  entityOf,
  type Field,
  fieldOf,
  type Guard,
  lineFields,
  type OperationOf,
  type Scenario,
  type Write,
  writesOf,
} from '../scenario/scenario.ts'
import type { InvariantResult } from './invariants.ts'

/** Inclusive; integers of the field's scale. */
interface Limit {
  entity: Entity
  field: Field
  bound: 'min' | 'max'
  value: number
}

/** Only of fields that are guarded where they are added to; one that may pass every limit without a guard has none. */
export function limitsOf(scenario: Pick<Scenario, 'entities' | 'operations'>): Limit[] {
  const writes = scenario.operations.flatMap(writesOf)
  return scenario.entities.flatMap((entity) =>
    entity.fields.flatMap((field) =>
      (['min', 'max'] as const).flatMap((bound): Limit[] => {
        const value = limitOf(scenario, writes, entity, field, bound)
        return value === null ? [] : [{ entity, field, bound, value }]
      }),
    ),
  )
}

function limitOf(
  scenario: Pick<Scenario, 'entities'>,
  writes: (Write & { entity: string })[],
  { name: entity }: Entity,
  { name, generator }: Field,
  bound: Limit['bound'],
): number | null {
  if (generator.kind !== 'number') return null
  const values = [bound === 'min' ? generator.low : generator.high]
  let isGuarded = false
  for (const write of writes) {
    if (write.entity !== entity || (write.kind !== 'insert' && write.kind !== 'update')) continue
    for (const each of write.set ?? []) if (each.field === name && each.to === 'constant') values.push(Number(each.constant))
    const added = write.kind === 'update' ? write.add.find(({ field }) => field === name) : undefined
    if (write.kind !== 'update' || added === undefined || !leadsTo(scenario, write.via?.owned, added, bound)) continue
    const isSummed = write.via !== null && write.guard?.from === undefined
    const after = write.guard?.field === name && !isSummed ? furthest(write.guard, added, bound) : null
    if (after === null) return null
    isGuarded = true
    values.push(after)
  }
  return isGuarded ? Math[bound](...values) : null
}

/** Whether an addition may lead towards a limit. */
function leadsTo(scenario: Pick<Scenario, 'entities'>, owned: string | undefined, { amount, from }: Addition, bound: Limit['bound']): boolean {
  const generator = owned === undefined || from === null ? undefined : fieldOf(entityOf(scenario, owned), from).generator
  const factors = generator?.kind === 'number' ? [generator.low, generator.high] : [1]
  return factors.some((factor) => (bound === 'min' ? amount * factor < 0 : amount * factor > 0))
}

/** The last value that the guard lets through, with what is added to it; null: it lets all through. */
function furthest({ is, constant, from, asRead }: Guard, addition: Addition, bound: Limit['bound']): number | null {
  if (asRead) return null
  // What is summed for a row is known where it is compared with the very same, and by its sign.
  if (from !== (addition.from ?? undefined) || (from !== undefined && Number(constant) !== -addition.amount)) return null
  const at = from === undefined ? Number(constant) + addition.amount : 0
  if (is === 'equals') return at
  if (bound === 'min') return is === 'gte' ? at : is === 'gt' ? at + 1 : null
  return is === 'lte' ? at : is === 'lt' ? at - 1 : null
}

/** Looks at every row that is read back. */
export class Limits {
  readonly #limits: (Limit & { seen: number; beyond: number; example: string })[]

  constructor(scenario: Pick<Scenario, 'entities' | 'operations'>) {
    this.#limits = limitsOf(scenario).map((each) => ({ ...each, seen: 0, beyond: 0, example: '' }))
  }

  look(check: OperationOf<'get'>, row: Value[]): void {
    for (const limit of this.#limits) {
      const { entity, field, bound, value } = limit
      for (const held of valuesIn(check, row, entity, field)) {
        limit.seen++
        if (bound === 'min' ? Number(held) >= value : Number(held) <= value) continue
        limit.beyond++
        limit.example ||= `${display(row[0] as Value)}: ${shown(field, Number(held))}`
      }
    }
  }

  results(): InvariantResult[] {
    return this.#limits.map(({ entity, field, bound, value, seen, beyond, example }) => ({
      name: `${entity.name}.${field.name} is at ${bound === 'min' ? 'least' : 'most'} ${shown(field, value)}`,
      ok: beyond === 0,
      detail: `kept by guards: ${seen} written rows read back, ${beyond} beyond it${example === '' ? '' : ` (${example})`}`,
    }))
  }
}

function valuesIn(check: OperationOf<'get'>, row: Value[], entity: Entity, { name }: Field): Value[] {
  if (check.entity === entity.name) return [row[check.fields.indexOf(name)] as Value]
  const at = check.with.indexOf(entity.name)
  if (at < 0) return []
  const column = lineFields(entity).findIndex((each) => each.name === name)
  return (row[check.fields.length + at] as Value[][]).map((line) => line[column] as Value)
}

const shown = ({ scale }: Field, value: number) => decimalText(BigInt(value), scale)
