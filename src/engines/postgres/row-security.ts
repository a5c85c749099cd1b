/** Rights by row: a transaction of the application sees and writes the rows of the tenant that it names, whatever its statements ask for. */
import { liesInParts } from '../../families/model.ts'
import { rightsOf } from '../../scenario/rights.ts'
import { type Entity, entityOf, fieldOf, type Scenario } from '../../scenario/scenario.ts'
import { isOfTenants, tenantFieldOf, tenantOwnerOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import type { RowRights } from '../handbook.ts'
import { sqlType } from './dialect.ts'
import { columnName, tableName } from './names.ts'

type Design = Pick<Compiled, 'scenario' | 'operations' | 'model'>

export const rowSecurityOf = (design: Design): RowRights => ({
  how: [
    'Policies: a transaction sees and writes the rows of the tenant that it names, and none where it names none, whatever its statements ask for.',
    "A transaction begins with SELECT set_config('app.tenant', $1, true), or with SET LOCAL app.tenant = '…'. Both end with it, also where a pooler lends its connection to others; a plain SET would stay for whoever has the connection next.",
    'Statements keep their own condition on the tenant: it is what indexes are entered by, and what holds where somebody forgets the policies.',
    'FORCE binds the owner of the tables, too. Superusers and roles with BYPASSRLS see all rows: backups and what reads across tenants come from a role of their own that has it, never from the application.',
    ...(expiring(design).length === 0 ? [] : [purgeApart]),
    'Keys are checked past policies: a reference may point at the row of another tenant, and a unique value of another tenant is refused.',
    `Conditions whose operators are not leakproof are evaluated behind the policy, so that their indexes may not be used${slowed(design)}.`,
  ],
  statements: [...design.scenario.entities.flatMap((entity) => policiesOf(design, entity)), ...purgeOf(design)],
})

const purgeApart =
  'The purge of expired rows names no tenant: from the application it would remove nothing, and say nothing. It needs a role of its own with BYPASSRLS, which a superuser makes; the application gives back its right to delete rows where no operation does.'

/** A search for words is one: @@ is not leakproof. */
function slowed({ scenario, operations }: Design): string {
  const names = operations
    .filter(({ kind, entity }) => kind === 'search' && isOfTenants(scenario, entityOf(scenario, entity)))
    .map(({ name }) => name)
  return names.length === 0 ? '' : `: here the search for words (@@) of ${names.join(', ')}`
}

/** Parts of a table are dropped by whom it belongs to. */
const expiring = ({ scenario, model }: Design) =>
  scenario.entities.filter((entity) => entity.ttlMs !== null && isOfTenants(scenario, entity) && !liesInParts(model.stores, entity.name))

/** It locks the rows that it removes: that takes the right to change them. */
function purgeOf(design: Design): string[] {
  const tables = expiring(design).map(({ name }) => tableName(name))
  const kept = expiring(design).filter(({ name }) => rightsOf(name, design.operations).deletes.length === 0)
  if (tables.length === 0) return []
  return [
    'CREATE ROLE purge BYPASSRLS',
    `GRANT SELECT, UPDATE, DELETE ON ${tables.join(', ')} TO purge`,
    ...kept.map(({ name }) => `REVOKE DELETE ON ${tableName(name)} FROM application`),
  ]
}

function policiesOf(design: Design, entity: Entity): string[] {
  const { scenario } = design
  const owner = tenantOwnerOf(scenario, entity)
  const condition = owner === null ? conditionOn(scenario, entity, '') : ofOwner(scenario, entity, owner)
  if (condition === null) return []
  const table = tableName(entity.name)
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant ON ${table} USING (${condition}) WITH CHECK (${condition})`,
    ...(owner === null ? [] : rightToAsk(design, entity, owner)),
  ]
}

/** null: nothing in the row says whose it is. No tenant is named by a text that was never set, and by an empty one where a transaction before has set it. */
function conditionOn(scenario: Scenario, entity: Entity, of: string): string | null {
  const name = tenantFieldOf(scenario, entity)
  if (name === null) return null
  const type = sqlType(scenario, entity, fieldOf(entity, name))
  return `${of}${columnName(name)} = (SELECT NULLIF(current_setting('app.tenant', true), '')::${type})`
}

function ofOwner(scenario: Scenario, owned: Entity, owner: Entity): string {
  // No entity has such a name.
  const its = '"owner row"'
  const key = `${its}.${columnName(owner.key[0] as string)} = ${tableName(owned.name)}.${columnName(owned.key[0] as string)}`
  return `EXISTS (SELECT FROM ${tableName(owner.name)} ${its} WHERE ${key} AND ${conditionOn(scenario, owner, `${its}.`)})`
}

/** A policy asks with the rights of whoever it binds: who has some on owned rows has to read what says whose they are. */
function rightToAsk({ scenario, operations }: Design, owned: Entity, owner: Entity): string[] {
  const isUsed = Object.values(rightsOf(owned.name, operations)).some((names) => names.length > 0)
  if (!isUsed || rightsOf(owner.name, operations).reads.length > 0) return []
  const columns = [owner.key[0] as string, tenantFieldOf(scenario, owner) as string].filter((name, at, all) => all.indexOf(name) === at)
  return [`GRANT SELECT (${columns.map(columnName).join(', ')}) ON ${tableName(owner.name)} TO application`]
}
