/** Names as PostgreSQL has them in its statements. */

/** Quotes an identifier. */
export const id = (name: string) => `"${name.replaceAll('"', '""')}"`

/** Names like those of the system catalogues would find these first. */
export const tableName = (entity: string) => (entity.startsWith('pg_') ? `public.${id(entity)}` : id(entity))

/** Every table has columns of the system, whose names are taken; with an underscore behind, like the names that end so already. */
export const columnName = (field: string) => id(/^(tableoid|xmin|cmin|xmax|cmax|ctid)_*$/.test(field) ? `${field}_` : field)
