/** What an operation is called with: the layout of its parameters, and how their values are asked for. */
import {
  type Entity,
  entityOf,
  type Field,
  fieldOf,
  lineFields,
  type Operation,
  type Scenario,
  type Selection,
  type Write,
} from '../scenario/scenario.ts'
import { type Addressing, tenantAskedOf } from '../scenario/tenants.ts'
import type { EntityData } from './dataset.ts'
import { generatedValue } from './fields.ts'
import { compareValues, type Value } from './value.ts'

/**
 * `lines`: the owned rows of an insert as [line, field…] each. `targets`: [key, amount…] per updated row, with what its guard compares, in key order.
 * `read`: what the operation itself has read before it is bound. `deep`: whether the page starts behind the cursor that the `after.` parameters hold.
 */
export interface Parameter {
  name: string
  /** That is asked or written: of a transaction its step's. */
  entity: Entity
  field: Field | null
  shape: 'value' | 'lines' | 'targets' | 'deep' | 'now' | 'read'
  /** Of each owned row, or of each target: what its values are of, in their order; [] of other shapes. */
  columns: Field[]
}

const alone = (entity: Entity, shape: 'deep' | 'now'): Parameter => ({ name: shape, entity, field: null, shape, columns: [] })
const valuesOf = (entity: Entity, prefix: string, names: string[]): Parameter[] =>
  names.map((name) => ({ name: `${prefix}${name}`, entity, field: fieldOf(entity, name), shape: 'value', columns: [] }))

/** The tenant that a row is asked for as one of; foreign in a part of the verification. */
const tenantAsked = (entity: Entity, asked: Addressing) => [tenantAskedOf(entity, asked)].filter((name) => name !== null)

/** Of the span of time that is looked at. */
export const isWindowBound = ({ name }: Parameter) => name === 'from' || name === 'to'

/** Whether a row that was read is of the tenant that asks, where that matters. */
export function isOfTenant(entity: Entity, asked: Addressing, bound: (name: string) => Value, has: (field: string) => Value): boolean {
  const name = tenantAskedOf(entity, asked)
  return name === null || compareValues(has(name), bound(`tenant.${name}`)) === 0
}

/** Positions of an operation's parameters; every engine binds them by these names. */
export function parametersOf(scenario: Pick<Scenario, 'entities'>, operation: Operation): Parameter[] {
  const entity = entityOf(scenario, operation.entity)
  const of = (prefix: string, names: string[]) => valuesOf(entity, prefix, names)
  const expiring = entity.ttlMs === null ? [] : [alone(entity, 'now')]
  switch (operation.kind) {
    case 'get':
      return [...of('key.', entity.key), ...of('known.', operation.known ?? []), ...of('tenant.', tenantAsked(entity, operation)), ...expiring]
    case 'list':
      return [
        ...of('where.', anyFilters(operation)),
        ...expiring,
        alone(entity, 'deep'),
        ...of(
          'after.',
          operation.order.map((order) => order.field),
        ),
        ...endsOf(entity, operation),
      ]
    case 'search':
      return [...of('', [operation.in[0] as string]).map((each) => ({ ...each, name: 'word' })), ...expiring]
    case 'aggregate':
      return [
        ...of('where.', anyFilters(operation)),
        ...expiring,
        ...of(
          'after.',
          (operation.before ?? []).map((order) => order.field),
        ),
        ...endsOf(entity, operation),
      ]
    case 'transaction':
      return operation.steps.flatMap((step, index) => writeParameters(scenario, step).map((each) => ({ ...each, name: `${index}.${each.name}` })))
    default:
      return writeParameters(scenario, operation)
  }
}

/** The times that a window goes from and up to; what texts begin with, and the first that begins otherwise behind it. */
function endsOf(entity: Entity, { over, prefixes = [] }: Selection): Parameter[] {
  const times = over == null ? [] : ['from', 'to'].map((name) => ({ name, field: over.field }))
  const texts = prefixes.flatMap(({ field }) => ['prefix', 'below'].map((role) => ({ name: `${role}.${field}`, field })))
  return [...times, ...texts].map(({ name, field }) => ({ name, entity, field: fieldOf(entity, field), shape: 'value', columns: [] }))
}

/** The same by name. */
export function positionsOf(scenario: Pick<Scenario, 'entities'>, operation: Operation): Map<string, number> {
  return new Map(parametersOf(scenario, operation).map((parameter, at) => [parameter.name, at]))
}

export const anyFilters = (operation: { where: { field: string; constant: unknown }[] }) =>
  operation.where.filter((filter) => filter.constant === null).map((filter) => filter.field)

function writeParameters(scenario: Pick<Scenario, 'entities'>, write: Write & { entity: string }): Parameter[] {
  const entity = entityOf(scenario, write.entity)
  const of = (prefix: string, names: string[]) => valuesOf(entity, prefix, names)
  const expiring = entity.ttlMs === null ? [] : [alone(entity, 'now')]
  if (write.kind === 'insert') {
    const lines = write.with.map(
      (name): Parameter => ({ name: `lines.${name}`, entity, field: null, shape: 'lines', columns: lineFields(entityOf(scenario, name)) }),
    )
    return [
      ...of(
        'row.',
        entity.fields.map((field) => field.name),
      ),
      ...lines,
    ]
  }
  if (write.kind === 'put')
    return of(
      'row.',
      entity.fields.map((field) => field.name),
    )
  const tenant = of('tenant.', tenantAsked(entity, write))
  if (write.kind === 'delete') return [...of('key.', entity.key), ...tenant, ...expiring]
  if (write.via !== null)
    return [
      {
        name: 'targets',
        entity,
        field: null,
        shape: 'targets',
        columns: [
          entity.key[0] as string,
          ...write.add.map((each) => each.field),
          ...(write.guard?.from === undefined ? [] : [write.guard.field]),
        ].map((name) => fieldOf(entity, name)),
      },
      ...of(
        'set.',
        write.set.filter((each) => each.to !== 'constant').map((each) => each.field),
      ),
    ]
  return [
    ...of('key.', entity.key),
    ...tenant,
    ...expiring,
    ...of(
      'set.',
      write.set.filter((each) => each.to !== 'constant').map((each) => each.field),
    ),
    ...(write.guard?.asRead ? of('read.', [write.guard.field]).map((each): Parameter => ({ ...each, shape: 'read' })) : []),
  ]
}

/** Values of one operation, addressed by position. */
export interface ParamSource {
  /** Draws the values of the next call of this operation. */
  next(operation: number): void
  value(at: number): Value
  /** The values of this call, which later calls do not change. */
  values(): Value[]
}

/**
 * The same values without an object for each: numbers as numbers, everything else as bytes straight into a request.
 * `at` is a position; of a parameter of shape `lines` also (line, column), of `targets` also (target, column).
 */
export interface WireSource extends ParamSource {
  /** Whether there is no value: only of optional fields, and then nothing else is asked for. */
  isNull(at: number): boolean
  /** int; decimal as integer of its scale; timestamp in ms; bool and `deep` as 0 or 1; enum as the index of its value; `now`. */
  number(at: number): number
  /** UTF-8 or raw bytes of the other types; returns the offset behind them. */
  write(at: number, to: Buffer, offset: number): number
  /** Most bytes that `write` writes. */
  maxBytes(at: number): number
  lines(at: number): LineSource
}
/** The owned rows of one insert; columns as `lineFields` orders them. */
export interface LineSource {
  readonly count: number
  isNull(line: number, column: number): boolean
  number(line: number, column: number): number
  write(line: number, column: number, to: Buffer, offset: number): number
  maxBytes(column: number): number
}

/** The row fields of a key, as parameter values of an internal check of one row. */
export function keyValues(entity: Entity, data: EntityData, row: number): Value[] {
  return entity.key.map((name) => generatedValue(data.generators[entity.fields.findIndex((field) => field.name === name)]!, row, 0, 0))
}

/** A source that was given its values. */
export function fixedParameters(values: Value[]): ParamSource {
  return { next: () => undefined, value: (at) => values[at] as Value, values: () => values }
}

/** The same values, with what was read since in the place of parameter `at`. */
export function knowing(params: ParamSource, at: number, read: Value): ParamSource {
  const value = (each: number) => (each === at ? read : params.value(each))
  return { next: () => undefined, value, values: () => params.values().map((_, each) => value(each)) }
}

/** Of nothing that is called yet. */
export const noParameters: WireSource = {
  ...fixedParameters([]),
  isNull: () => false,
  number: () => 0,
  write: (_at, _to, offset) => offset,
  maxBytes: () => 0,
  lines: () => ({ count: 0, isNull: () => false, number: () => 0, write: (_line, _column, _to, offset) => offset, maxBytes: () => 0 }),
}
