/** Each column of a store: its type, what constrains it, and what it is for. */
import { type Entity, type Operation, type Scenario, selectedBy, writesOf } from '../scenario/scenario.ts'
import { columnsOf, type Store, type StoredColumn } from './stored-columns.ts'

export const dictionaryHead = ['store', 'column', 'type', 'constraint', 'purpose']

export function dictionaryRows(stores: Store[], scenario: Scenario): string[][] {
  return stores.flatMap((store) =>
    columnsOf(store, scenario).map((column) => [
      store.name,
      column.name,
      column.type === 'decimal' ? `decimal, ${column.scale} digits after the point` : column.type,
      constraintsOn(column, store).join('; ') || '—',
      purposeOf(column, store, scenario),
    ]),
  )
}

const maxValues = 6

function constraintsOn({ name, role, own, field }: StoredColumn, store: Store): string[] {
  const { partition, clustering, references, base } = store
  const within = clustering.find(({ column }) => column === name)
  const reference = references.find((each) => each.field === field && own !== null)
  return [
    ...(partition.includes(name) ? [clustering.length > 0 ? 'chooses the partition' : partition.length > 1 ? 'part of the key' : 'key'] : []),
    ...(within === undefined ? [] : [`orders the partition${within.descending ? ', descending' : ''}`]),
    ...(role === 'static' ? ['once for each partition'] : []),
    ...(store.unique && partition.includes(name) ? ['a value stands here once'] : base && own?.unique === true ? ['unique'] : []),
    ...(reference !== undefined
      ? [`refers to ${reference.entity}`]
      : base && own?.generator.kind === 'reference'
        ? [`names a ${own.generator.entity}; nobody enforces it`]
        : []),
    ...(own?.optional === undefined ? [] : [`no value in ${Number((own.optional * 100).toPrecision(3))} % of the rows`]),
    ...(own?.generator.kind === 'enum' ? [`one of ${valuesText(own.generator.values)}`] : []),
    ...(own?.pii === true ? ['personal data'] : []),
  ]
}

const valuesText = (values: string[]) =>
  values.length <= maxValues ? values.join(', ') : `${values.slice(0, maxValues).join(', ')} and ${values.length - maxValues} more`

function purposeOf({ name, role, entity, field, own }: StoredColumn, store: Store, scenario: Scenario): string {
  if (role === 'bucket') return `the ${store.bucket?.unit ?? 'time'} of ${field}: keeps partitions small`
  if (role === 'version') return 'which change of the row was the last: the next one and a deletion ask for it'
  if (role === 'token') return `each word of ${field}: finds rows by their words`
  const uses = usesOf(field, entity, scenario)
  if (uses.length > 0) return uses.join('; ')
  if (store.expiry?.field === name || own?.generator.kind === 'expiresAt') return 'from when on the row is gone'
  if (own?.generator.kind === 'ownerKey') return `the ${entity.owner?.entity} that it belongs to`
  if (own?.generator.kind === 'line') return `the place among the rows of its ${entity.owner?.entity}`
  if (own?.generator.kind === 'reference') return `the ${own.generator.entity} that it belongs to`
  return entity.key.includes(field) ? 'finds the row' : 'read with the row'
}

type Use = [does: string, is: (operation: Operation) => boolean]

/** What operations of the entity do with a field, by what they are. */
function usesOf(field: string, entity: Entity, { operations }: Scenario): string[] {
  const isKey = entity.key.includes(field)
  const uses: Use[] = [
    [
      'finds the row of',
      (each) =>
        isKey && each.entity === entity.name && (each.kind === 'get' || each.kind === 'update' || each.kind === 'delete' || each.kind === 'put'),
    ],
    [
      'finds the rows of',
      (each) =>
        each.entity === entity.name &&
        (each.kind === 'list' || each.kind === 'aggregate') &&
        each.over?.field !== field &&
        selectedBy(each).includes(field),
    ],
    ['searched by', (each) => each.entity === entity.name && each.kind === 'search' && each.in.includes(field)],
    ['orders', (each) => each.entity === entity.name && each.kind === 'list' && !isKey && each.order.some((order) => order.field === field)],
    ['the window of', (each) => each.entity === entity.name && (each.kind === 'list' || each.kind === 'aggregate') && each.over?.field === field],
    ['groups', (each) => each.entity === entity.name && each.kind === 'aggregate' && each.groupBy?.field === field && each.over?.field !== field],
    ['added up by', (each) => each.entity === entity.name && each.kind === 'aggregate' && each.sum === field],
    ['changed by', (each) => changes(each, entity, field)],
  ]
  return uses.flatMap(([does, is]) => {
    const names = operations.filter((each) => !each.internal && is(each)).map(({ name }) => name)
    return names.length === 0 ? [] : [`${does} ${names.join(', ')}`]
  })
}

const changes = (operation: Operation, entity: Entity, field: string) =>
  writesOf(operation).some(
    (write) =>
      write.entity === entity.name &&
      ((write.kind === 'update' && [...write.set, ...write.add].some((each) => each.field === field)) ||
        (write.kind === 'put' && !entity.key.includes(field))),
  )
