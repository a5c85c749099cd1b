/** SQL of a relational model: tables, indexes, and the statements of every operation with their bindings. */
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import { decimalText } from '../../data/value.ts'
import { TrialError } from '../../errors.ts'
import { freeName } from '../../families/index-names.ts'
import type { Index, Store } from '../../families/model.ts'
import type { Program } from '../../families/program.ts'
import { decisiveOrder, primaryKeyName } from '../../families/relational/model.ts'
import { searchedFields } from '../../families/wanted-indexes.ts'
import {
  type Entity,
  entityOf,
  type Field,
  type Filter,
  fieldOf,
  lineFields,
  type Operation,
  type Scenario,
  type Update,
  type Write,
  writesOf,
} from '../../scenario/scenario.ts'
import { columnName, id, sqlType, tableName } from './types.ts'

const literalText = (text: string) => `'${text.replaceAll("'", "''")}'`

function literal(field: Field, { constant }: Filter): string {
  if (field.type === 'decimal') return decimalText(BigInt(constant as number), field.scale)
  return typeof constant === 'string' ? literalText(constant) : String(constant)
}

export function createTables(scenario: Scenario, stores: Store[]): string[] {
  const taken = new Set(stores.flatMap((store) => [store.name, ...store.indexes.map((index) => index.name)]))
  return stores.flatMap((store) => {
    const key = freeName(primaryKeyName(store.name), taken)
    taken.add(key)
    return createTable(scenario, store, key)
  })
}

function createTable(scenario: Scenario, store: Store, key: string): string[] {
  const entity = entityOf(scenario, store.entity)
  const columns = entity.fields.map((field) => {
    const type = sqlType(scenario, entity, field)
    const check =
      field.generator.kind === 'enum' ? ` CHECK (${columnName(field.name)} IN (${field.generator.values.map(literalText).join(', ')}))` : ''
    return `${columnName(field.name)} ${type}${type === 'text' ? ' COLLATE "C"' : ''} NOT NULL${check}`
  })
  const primary = `CONSTRAINT ${id(key)} PRIMARY KEY (${columnList(store.partition)})`
  const table = `CREATE TABLE ${tableName(store.name)} (\n  ${[...columns, primary].join(',\n  ')}\n)`
  return [table, ...store.indexes.map((index) => createIndex(entity, store, index))]
}

function createIndex(entity: Entity, store: Store, index: Index): string {
  const on = `${id(index.name)} ON ${tableName(store.name)}`
  if (index.kind === 'text') return `CREATE INDEX ${on} USING gin (${document(index.columns.map((column) => column.field))})`
  const columns = index.columns.map((column) => `${columnName(column.field)}${column.descending ? ' DESC' : ''}`).join(', ')
  const include = index.include.length > 0 ? ` INCLUDE (${columnList(index.include)})` : ''
  const where =
    index.where.length > 0
      ? ` WHERE ${index.where.map((filter) => `${columnName(filter.field)} = ${literal(fieldOf(entity, filter.field), filter)}`).join(' AND ')}`
      : ''
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${on} (${columns})${include}${where}`
}

/** Lines go with their owner; other references are declared where nothing ever removes what they point at. */
export function foreignKeys(scenario: Scenario, store: Store): string[] {
  const { owner } = entityOf(scenario, store.entity)
  return store.references.map(({ field, entity }) => {
    const target = `${tableName(entity)} (${columnList(entityOf(scenario, entity).key)})`
    const owned = owner !== null && field === store.partition[0] ? ' ON DELETE CASCADE' : ''
    return `ALTER TABLE ${tableName(store.name)} ADD FOREIGN KEY (${columnName(field)}) REFERENCES ${target}${owned}`
  })
}

const columnList = (names: string[]) => names.map(columnName).join(', ')

/** The searched text; the `simple` configuration keeps whole lower-case words, without stemming and stop words. */
const document = (fields: string[]) => `to_tsvector('simple', ${fields.map(columnName).join(" || ' ' || ")})`

/** Collects the parameters of one statement and numbers their places in the order in which they are asked for. */
class Binder {
  readonly #binds: number[] = []
  readonly #places: string[][] = []
  readonly #parameters: Parameter[]
  readonly #prefix: string
  #count = 0
  constructor(parameters: Parameter[], prefix = '') {
    this.#parameters = parameters
    this.#prefix = prefix
  }
  at(name: string): string {
    return this.several(name, 1)[0] as string
  }
  /** The places of a parameter that travels as several arrays. */
  several(name: string, count: number): string[] {
    const position = this.#parameters.findIndex((each) => each.name === this.#prefix + name)
    if (position < 0) throw new Error(`no parameter ${this.#prefix}${name}`)
    const known = this.#places[this.#binds.indexOf(position)]
    if (known !== undefined) return known
    const places = Array.from({ length: count }, () => `$${++this.#count}`)
    this.#binds.push(position)
    this.#places.push(places)
    return places
  }
  statement(text: string): Statement {
    return { text, binds: this.#binds }
  }
}

export interface Statement {
  text: string
  /** Parameter positions bound to the placeholders, in order. */
  binds: number[]
}
export type SqlProgram = Program<Statement>

/** Under which a connection knows a statement. */
export const nameOf = (operation: number, variant: number, statement: number) => `o${operation}_${variant}_${statement}`

export function compileSql(scenario: Scenario, operation: Operation): SqlProgram {
  const statements = statementsOf(scenario, operation)
  const atomic = writesOf(operation).length > 0 && statements.length > 1
  const texts = statements.map(({ text }) => text)
  const pages = operation.kind === 'list'
  return {
    operation: operation.name,
    shown: atomic ? ['BEGIN', ...texts, 'COMMIT'] : texts,
    variants: pages ? statements.map((statement) => [statement]) : [statements],
    variantAt: pages ? parametersOf(scenario, operation).findIndex(({ shape }) => shape === 'deep') : null,
    atomic,
    counted: 0,
    stopWhenEmpty: operation.kind === 'get',
  }
}

function statementsOf(scenario: Scenario, operation: Operation): Statement[] {
  const parameters = parametersOf(scenario, operation)
  const own = operation.native.postgres
  if (own !== undefined) return nativeStatements(operation, own, parameters)
  const entity = entityOf(scenario, operation.entity)
  const table = tableName(operation.entity)
  const fresh = (prefix = '') => new Binder(parameters, prefix)
  const alive = (binder: Binder) => (entity.ttlMs === null ? [] : [`${columnName('expires_at')} > ${binder.at('now')}`])
  const and = (parts: string[]) => (parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`)
  const filters = (where: Filter[], binder: Binder) =>
    where.map(
      (filter) =>
        `${columnName(filter.field)} = ${filter.constant === null ? binder.at(`where.${filter.field}`) : literal(fieldOf(entity, filter.field), filter)}`,
    )
  switch (operation.kind) {
    case 'get': {
      const keyed = (binder: Binder, alias: string) => entity.key.map((key) => `${alias}${columnName(key)} = ${binder.at(`key.${key}`)}`)
      const [first, ...others] = operation.with
      const binder = fresh()
      if (first === undefined)
        return [binder.statement(`SELECT ${columnList(operation.fields)} FROM ${table}${and([...keyed(binder, ''), ...alive(binder)])}`)]
      const owned = entityOf(scenario, first)
      const columns = [
        ...operation.fields.map((name) => `o.${columnName(name)}`),
        ...lineFields(owned).map((field) => `l.${columnName(field.name)}`),
      ].join(', ')
      const join = `FROM ${table} o LEFT JOIN ${tableName(first)} l ON l.${columnName(owned.key[0] as string)} = o.${columnName(entity.key[0] as string)}`
      const rest = others.map((name) => {
        const other = entityOf(scenario, name)
        const own = fresh()
        const lines = lineFields(other).map((field) => columnName(field.name))
        return own.statement(
          `SELECT ${lines.join(', ')} FROM ${tableName(name)} WHERE ${columnName(other.key[0] as string)} = ${own.at(`key.${entity.key[0]}`)} ORDER BY ${columnName('line')}`,
        )
      })
      return [
        binder.statement(
          `SELECT ${columns} ${join}${and([...keyed(binder, 'o.'), ...alive(binder).map((text) => `o.${text}`)])} ORDER BY l.${columnName('line')}`,
        ),
        ...rest,
      ]
    }
    case 'list': {
      const page = (deep: boolean) => {
        const binder = fresh()
        const parts = [...filters(operation.where, binder), ...alive(binder)]
        const decisive = decisiveOrder(entity, operation.order)
        const names = decisive.map((order) => order.field)
        const descending = decisive[0]?.descending === true
        if (deep) parts.push(`(${columnList(names)}) ${descending ? '<' : '>'} (${names.map((name) => binder.at(`after.${name}`)).join(', ')})`)
        const order = decisive.map((each) => `${columnName(each.field)}${each.descending ? ' DESC' : ''}`).join(', ')
        return binder.statement(`SELECT ${columnList(operation.fields)} FROM ${table}${and(parts)} ORDER BY ${order} LIMIT ${operation.limit}`)
      }
      return [page(false), page(true)]
    }
    case 'search': {
      const binder = fresh()
      const parts = [`${document(searchedFields(entity, operation.in))} @@ plainto_tsquery('simple', ${binder.at('word')})`, ...alive(binder)]
      return [binder.statement(`SELECT ${columnList(operation.fields)} FROM ${table}${and(parts)} LIMIT ${operation.limit}`)]
    }
    case 'aggregate': {
      const binder = fresh()
      const { groupBy, over, sum } = operation
      const window = over === null ? [] : [`${columnName(over.field)} >= ${binder.at('from')}`, `${columnName(over.field)} < ${binder.at('to')}`]
      const group =
        groupBy === null
          ? null
          : groupBy.unit === null
            ? columnName(groupBy.field)
            : `date_trunc('${groupBy.unit}', ${columnName(groupBy.field)}, 'UTC')`
      const columns = [...(group === null ? [] : [group]), 'count(*)', ...(sum === null ? [] : [`sum(${columnName(sum)})`])].join(', ')
      const tail = group === null ? ' HAVING count(*) > 0' : ' GROUP BY 1 ORDER BY 1'
      return [binder.statement(`SELECT ${columns} FROM ${table}${and([...filters(operation.where, binder), ...alive(binder), ...window])}${tail}`)]
    }
    case 'transaction':
      return operation.steps.flatMap((step, index) => writeStatements(scenario, step, parameters, `${index}.`))
    default:
      return writeStatements(scenario, operation, parameters, '')
  }
}

function writeStatements(scenario: Scenario, write: Write & { entity: string }, parameters: Parameter[], prefix: string): Statement[] {
  const entity = entityOf(scenario, write.entity)
  const binder = new Binder(parameters, prefix)
  const table = tableName(entity.name)
  const names = entity.fields.map((field) => field.name)
  const keyed = () =>
    [
      ...entity.key.map((key) => `${columnName(key)} = ${binder.at(`key.${key}`)}`),
      ...(entity.ttlMs === null ? [] : [`${columnName('expires_at')} > ${binder.at('now')}`]),
    ].join(' AND ')
  if (write.kind === 'insert' || write.kind === 'put') {
    const values = names.map((name) => binder.at(`row.${name}`)).join(', ')
    const lines =
      write.kind === 'insert'
        ? write.with.map((owned) => insertLines(scenario, entityOf(scenario, owned), entity, new Binder(parameters, prefix)))
        : []
    return [
      binder.statement(`INSERT INTO ${table} (${columnList(names)}) VALUES (${values})${write.kind === 'put' ? upsertClause(entity) : ''}`),
      ...lines,
    ]
  }
  if (write.kind === 'delete') return [binder.statement(`DELETE FROM ${table} WHERE ${keyed()}`)]
  if (write.via !== null) return [updateTargets(scenario, entity, write, binder)]
  const changes = assignments(
    entity,
    write,
    binder,
    write.add.map((each) => decimalText(BigInt(each.amount), fieldOf(entity, each.field).scale)),
  )
  return [binder.statement(`UPDATE ${table} SET ${changes} WHERE ${keyed()}`)]
}

/** A row of nothing but its key is set to what it is, so that it counts as addressed. */
function upsertClause(entity: Entity): string {
  const rest = entity.fields.map((field) => field.name).filter((name) => !entity.key.includes(name))
  const changes = (rest.length > 0 ? rest : entity.key).map((name) => `${columnName(name)} = excluded.${columnName(name)}`)
  return ` ON CONFLICT (${columnList(entity.key)}) DO UPDATE SET ${changes.join(', ')}`
}

function assignments(entity: Entity, write: Update, binder: Binder, amounts: string[], of = ''): string {
  const set = write.set.map(
    (each) =>
      `${columnName(each.field)} = ${each.to === 'constant' ? literal(fieldOf(entity, each.field), { field: each.field, constant: each.constant }) : binder.at(`set.${each.field}`)}`,
  )
  return [...set, ...write.add.map((each, index) => `${columnName(each.field)} = ${of}${columnName(each.field)} + ${amounts[index]}`)].join(', ')
}

/** The lines travel as one array per column. */
function insertLines(scenario: Scenario, owned: Entity, owner: Entity, binder: Binder): Statement {
  const fields = lineFields(owned)
  const key = binder.at(`row.${owner.key[0]}`)
  const places = binder.several(`lines.${owned.name}`, fields.length)
  const arrays = fields.map((field, index) => `${places[index]}::${sqlType(scenario, owned, field)}[]`).join(', ')
  const ownerKey = fieldOf(owned, owned.key[0] as string)
  const columns = columnList([ownerKey.name, ...fields.map((field) => field.name)])
  return binder.statement(
    `INSERT INTO ${tableName(owned.name)} (${columns}) SELECT ${key}::${sqlType(scenario, owned, ownerKey)}, * FROM unnest(${arrays})`,
  )
}

/**
 * Rows are locked in key order first, so that two transactions never wait for each other crosswise; with the lock that an update of
 * other columns takes, which is compatible with the share locks that foreign keys of rows just inserted hold on the same rows.
 */
function updateTargets(scenario: Scenario, entity: Entity, write: Update, binder: Binder): Statement {
  const table = tableName(entity.name)
  const key = columnName(entity.key[0] as string)
  const fields = [fieldOf(entity, entity.key[0] as string), ...write.add.map((each) => fieldOf(entity, each.field))]
  const places = binder.several('targets', fields.length)
  const arrays = fields.map((field, index) => `${places[index]}::${sqlType(scenario, entity, field)}[]`).join(', ')
  const amounts = write.add.map((_, index) => `amount_${index + 1}`)
  const changes = assignments(
    entity,
    write,
    binder,
    amounts.map((name) => `target.${name}`),
    'e.',
  )
  return binder.statement(
    `WITH target AS (SELECT * FROM unnest(${arrays}) AS t (${['key', ...amounts].join(', ')})), ` +
      `locked AS MATERIALIZED (SELECT e.${key} AS key FROM ${table} e WHERE e.${key} = ANY(${places[0]}) ORDER BY e.${key} FOR NO KEY UPDATE) ` +
      `UPDATE ${table} e SET ${changes} FROM target, locked WHERE e.${key} = target.key AND e.${key} = locked.key`,
  )
}

/** The author's statement: `:where_customer_id` binds the parameter `where.customer_id`; a list decides by `:deep` itself. */
function nativeStatements(operation: Operation, text: string, parameters: Parameter[]): Statement[] {
  const names = parameters.map((parameter) => parameter.name.replaceAll('.', '_'))
  const fail = (message: string): never => {
    throw new TrialError('native-invalid', `operations.${operation.name}.native.postgres: ${message}`, {
      hint: `its parameters are ${names.map((name) => `:${name}`).join(', ')}`,
      exitCode: 2,
    })
  }
  if (parameters.some((parameter) => parameter.shape === 'lines' || parameter.shape === 'targets'))
    fail('an operation that writes owned rows is several statements and cannot be replaced by one')
  const binds: number[] = []
  const bound = text.replaceAll(/(?<!:):([a-z][a-z0-9_]*)/g, (_, name: string) => {
    const at = names.indexOf(name)
    if (at < 0) fail(`there is no parameter ":${name}"`)
    if (!binds.includes(at)) binds.push(at)
    return `$${binds.indexOf(at) + 1}`
  })
  const statement = { text: bound, binds }
  return operation.kind === 'list' ? [statement, statement] : [statement]
}
