/** Names as MariaDB and MySQL have them in their statements. */
import { freeName } from '../../families/index-names.ts'

/** Quotes an identifier. */
export const id = (name: string) => `\`${name.replaceAll('`', '``')}\``

/** InnoDB has columns of its own, whose names are taken: with an underscore behind, like the names that end so already. The key of an owner has a long name where both have. */
export const columnName = (field: string) =>
  id(freeName(/^(fts_doc_id|db_row_id|db_trx_id|db_roll_ptr)_*$/.test(field) ? `${field}_` : field, new Set()))
