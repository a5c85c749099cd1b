/** How a scenario's names and types are said in PostgreSQL. */
import { type Entity, type Field, type Scenario, writesOf } from '../../scenario/scenario.ts'

/** Quotes an identifier. */
export const id = (name: string) => `"${name.replaceAll('"', '""')}"`

/** Names like those of the system catalogues would find these first. */
export const tableName = (entity: string) => (entity.startsWith('pg_') ? `public.${id(entity)}` : id(entity))

/** Every table has columns of the system, whose names are taken; with an underscore behind, like the names that end so already. */
export const columnName = (field: string) => id(/^(tableoid|xmin|cmin|xmax|cmax|ctid)_*$/.test(field) ? `${field}_` : field)

const maxInteger = 2 ** 31 - 1
/** Values beyond a field's range stand for rows that are not there. */
const beyondRange = 1000

/** A column that something is added to has no bound but the type's widest. */
export function sqlType(scenario: Scenario, entity: Entity, field: Field): string {
  const { generator } = field
  switch (field.type) {
    case 'uuid':
      return 'uuid'
    case 'int': {
      const bounded = generator.kind === 'line' || (generator.kind === 'number' && generator.high + beyondRange <= maxInteger)
      return bounded && !isAddedTo(scenario, entity, field) ? 'integer' : 'bigint'
    }
    case 'decimal':
      return isAddedTo(scenario, entity, field) ? 'numeric' : `numeric(16,${field.scale})`
    case 'bool':
      return 'boolean'
    case 'timestamp':
      return 'timestamptz'
    case 'json':
      return 'jsonb'
    case 'bytes':
      return 'bytea'
    default:
      return 'text'
  }
}

function isAddedTo(scenario: Scenario, entity: Entity, field: Field): boolean {
  return scenario.operations.some((operation) =>
    writesOf(operation).some(
      (write) => write.kind === 'update' && write.entity === entity.name && write.add.some((each) => each.field === field.name),
    ),
  )
}
