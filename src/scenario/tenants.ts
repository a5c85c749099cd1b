/** Whose rows are, where a scenario has tenants: which entities are a tenant's, and which operations stay with the rows of one. */
import type { Report } from './problems.ts'
import { type Entity, entityOf, type Get, type Operation, type Scenario, type Write, writesOf } from './scenario.ts'

type Entities = Pick<Scenario, 'entities'>
/** What addresses rows by their keys, or makes some. */
export type Addressing = (Get | Write) & { internal?: boolean }

/** Marks the entities that refer to their tenant by a field of this name; their owned rows follow them. */
export function markTenants(name: string, entities: Entity[], isBroken: (entity: string, field?: string) => boolean, report: Report): void {
  let tenants: string | undefined
  for (const entity of entities) {
    const field = entity.fields.find((each) => each.name === name)
    // Rows that a tenant owns have its key without a field of the file.
    if (field === undefined || (entity.owner !== null && name === entity.key[0])) continue
    const refuse = (why: string) => report(['entities', entity.name, 'fields', name], why, { atKey: true })
    const { generator } = field
    if (generator.kind !== 'reference') refuse(`"${name}" is a tenant: expected a reference, such as { ref: tenant }`)
    else if (entity.owner !== null) refuse(`rows of ${entity.name} are of the tenant of their ${entity.owner.entity}: remove "${name}"`)
    else if (field.optional !== undefined) refuse('every row is of a tenant: remove "optional"')
    else if (generator.entity === entity.name) refuse('a tenant has no tenant of its own')
    else if (tenants !== undefined && generator.entity !== tenants) refuse(`"${name}" refers to ${tenants} elsewhere: tenants are of one entity`)
    else {
      tenants = generator.entity
      entity.tenant = name
    }
  }
  const known = entities.flatMap(({ fields }) => fields.filter(({ generator }) => generator.kind === 'reference').map((field) => field.name))
  const isLost = entities.some((entity) => isBroken(entity.name, name))
  if (tenants === undefined && !isLost)
    report(['tenant'], `no entity refers to its tenant by "${name}"`, { meant: { name, known: [...new Set(known)] } })
}

/** The entity whose rows are the tenants; undefined: the scenario has none. */
export function tenantsIn({ entities }: Entities): string | undefined {
  const [generator] = entities.flatMap(({ tenant, fields }) => fields.filter((field) => field.name === tenant).map((field) => field.generator))
  return generator?.kind === 'reference' ? generator.entity : undefined
}

/** The field that says which tenant's a row is, of the tenants themselves their key, as of rows that they own; null: nothing in the row says it. */
export function tenantFieldOf(scenario: Entities, entity: Entity): string | null {
  return entity.tenant ?? ([entity.name, entity.owner?.entity].includes(tenantsIn(scenario) ?? '') ? (entity.key[0] as string) : null)
}

/** The owner of rows that follow it to its tenant; null: they do not, or are of a tenant by themselves. */
export function tenantOwnerOf(scenario: Entities, entity: Entity): Entity | null {
  const { owner } = entity
  const owning = owner === null || tenantFieldOf(scenario, entity) !== null ? undefined : entityOf(scenario, owner.entity)
  return owning === undefined || tenantFieldOf(scenario, owning) === null ? null : owning
}

/** Whether its rows are a tenant's, or the tenants. */
export const isOfTenants = (scenario: Entities, entity: Entity) =>
  tenantFieldOf(scenario, entity) !== null || tenantOwnerOf(scenario, entity) !== null

/** By which a row that is addressed by its key is asked for as one of a tenant; null: whose it is does not matter. The harness's own checks ask for any row. */
export function tenantAskedOf(entity: Entity, asked: Addressing): string | null {
  return isByKey(asked) && asked.internal !== true ? (entity.tenant ?? null) : null
}

const isByKey = (asked: Addressing) => asked.kind === 'get' || asked.kind === 'delete' || (asked.kind === 'update' && asked.via === null)

/** Whether some row that an operation addresses by its key is asked for as one of a tenant. */
export const asksAsTenant = (scenario: Entities, operation: Operation) =>
  operation.internal !== true && addressedBy(operation).some((name) => entityOf(scenario, name).tenant !== undefined)

/** Entities whose rows an operation addresses by their keys. */
export const addressedBy = (operation: Operation): string[] =>
  (operation.kind === 'get' ? [operation] : writesOf(operation)).filter(isByKey).map(({ entity }) => entity)

/** What keeps an operation on rows of tenants from staying with those of one; null: it stays, or asks for rows of none. */
export function acrossTenants(scenario: Entities, operation: Operation): string | null {
  if (operation.kind !== 'transaction') return strayOf(scenario, operation)
  const own = operation.steps.filter((step) => isOfTenants(scenario, entityOf(scenario, step.entity)))
  const [stray] = own.flatMap((step) => strayOf(scenario, step) ?? [])
  return stray ?? (own.length > 1 ? 'its steps are about rows of tenants that differ' : null)
}

type Single = Exclude<Operation, { kind: 'transaction' }> | (Write & { entity: string })

function strayOf(scenario: Entities, asked: Single): string | null {
  const entity = entityOf(scenario, asked.entity)
  if (!isOfTenants(scenario, entity)) return null
  const field = tenantFieldOf(scenario, entity)
  if (asked.kind === 'search') return `it searches the rows of all tenants`
  if (asked.kind === 'list' || asked.kind === 'aggregate') {
    if (field === null) return `it reads across tenants: only their ${entity.owner?.entity} says whose rows of ${entity.name} are`
    return asked.where.some((filter) => filter.field === field) ? null : `it reads across tenants: "where" has no ${field}: any`
  }
  if (asked.kind === 'update' && asked.via !== null) return `"via" leads to rows of ${entity.name} of other tenants`
  return field === null && asked.kind !== 'insert'
    ? `it asks for rows of ${entity.name} by their key alone, and nothing in them says whose they are`
    : null
}
