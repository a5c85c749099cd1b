/** What no schema sees of a result that hands or disks damaged: names that stand for nothing, histograms that cannot be read. */
import { Histogram } from '../measure/histogram.ts'
import { type Operation, type Step, selectedBy } from '../scenario/scenario.ts'
import type { Result } from './result.ts'

/** Where a part of the result is not what it must be, and why; undefined: nowhere. */
export const damageOf = (result: Result): string | undefined => unreadableHistogram(result) ?? danglingName(result)

/** Percentiles come from the merged answers of several trials. */
function unreadableHistogram({ candidates }: Result): string | undefined {
  for (const [at, { trials }] of candidates.entries())
    for (const [index, { operations }] of trials.entries())
      for (const [name, { responseUs, serviceUs }] of Object.entries(operations)) {
        const place = `candidates.${at}.trials.${index}.operations.${name}`
        if (responseUs !== null && countOf(responseUs.encoded) !== responseUs.count)
          return `${place}.responseUs.encoded: it is no histogram of ${responseUs.count} answers`
        // Service times may have been left out to save space.
        if (serviceUs.encoded !== '' && countOf(serviceUs.encoded) !== serviceUs.count)
          return `${place}.serviceUs.encoded: it is no histogram of ${serviceUs.count} answers`
      }
  return undefined
}

function countOf(encoded: string): number | undefined {
  try {
    return Histogram.countIn(encoded)
  } catch {
    return undefined
  }
}

/** An entity and those of its fields that are named somewhere. */
interface Named {
  where: string
  entity: string
  fields: string[]
}

/** A name that stands for nothing. */
function danglingName(result: Result): string | undefined {
  const fields = new Map(result.scenario.entities.map((each) => [each.name, new Set(each.fields.map((own) => own.name))]))
  for (const { where, entity, fields: named } of namesIn(result)) {
    const known = fields.get(entity)
    if (known === undefined) return `${where}: there is no entity "${entity}"`
    const unknown = named.find((each) => !known.has(each))
    if (unknown !== undefined) return `${where}: there is no field "${entity}.${unknown}"`
  }
  return undefined
}

function* namesIn({ scenario, candidates }: Result): Iterable<Named> {
  for (const { name, key, fields, owner } of scenario.entities) {
    const where = `scenario.entities.${name}`
    yield { where, entity: name, fields: key }
    const others = [
      ...fields.flatMap(({ generator }) => (generator.kind === 'reference' ? generator.entity : [])),
      ...(owner === null ? [] : [owner.entity]),
    ]
    for (const entity of others) yield { where, entity, fields: [] }
  }
  for (const operation of scenario.operations) yield* namesInOperation(operation)
  for (const { name, terms } of scenario.invariants)
    for (const { entity, field } of terms) yield { where: `scenario.invariants.${name}`, entity, fields: [field] }
  for (const [at, { model }] of candidates.entries())
    for (const { name, entity } of model.stores) yield { where: `candidates.${at}.model.stores.${name}`, entity, fields: [] }
}

function* namesInOperation(operation: Operation): Iterable<Named> {
  const where = `scenario.operations.${operation.name}`
  yield { where, entity: operation.entity, fields: fieldsOf(operation) }
  const steps = operation.kind === 'transaction' ? operation.steps : []
  for (const step of steps) yield { where, entity: step.entity, fields: fieldsOf(step) }
  for (const part of [operation, ...steps]) for (const entity of 'with' in part ? part.with : []) yield { where, entity, fields: [] }
}

function fieldsOf(part: Operation | Step): string[] {
  switch (part.kind) {
    case 'get':
      return part.fields
    case 'list':
      return [...part.fields, ...selectedBy(part), ...part.order.map(({ field }) => field)]
    case 'search':
      return [...part.fields, ...part.in]
    case 'aggregate':
      return [...selectedBy(part), ...[part.groupBy?.field, part.sum].filter((each) => each != null)]
    case 'insert':
      return (part.set ?? []).map(({ field }) => field)
    case 'update':
      return [...part.set, ...part.add, ...(part.guard === undefined ? [] : [part.guard])].map(({ field }) => field)
    default:
      return []
  }
}
