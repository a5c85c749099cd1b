/** SQL of a relational model: tables, indexes, and the statements of every operation with their bindings. */
import { type Parameter, parametersOf } from '../data/parameters.ts'
import { decimalText } from '../data/value.ts'
import { TrialError } from '../errors.ts'
import type { Index, Store } from '../model/model.ts'
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
} from '../scenario/scenario.ts'
import type { Statement } from './engine.ts'

/** Quotes an identifier. */
export const id = (name: string) => `"${name.replaceAll('"', '""')}"`
const literalText = (text: string) => `'${text.replaceAll("'", "''")}'`

function literal(field: Field, { constant }: Filter): string {
  if (field.type === 'decimal') return decimalText(BigInt(constant as number), field.scale)
  return typeof constant === 'string' ? literalText(constant) : String(constant)
}

function sqlType(field: Field): string {
  switch (field.type) {
    case 'uuid':
      return 'uuid'
    case 'int':
      return field.generator.kind === 'number' || field.generator.kind === 'line' ? 'integer' : 'bigint'
    case 'decimal':
      return `numeric(16,${field.scale})`
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

export function createTable(scenario: Scenario, store: Store): string[] {
  const entity = entityOf(scenario, store.entity)
  const columns = entity.fields.map((field) => {
    const check = field.generator.kind === 'enum' ? ` CHECK (${id(field.name)} IN (${field.generator.values.map(literalText).join(', ')}))` : ''
    return `${id(field.name)} ${sqlType(field)}${sqlType(field) === 'text' ? ' COLLATE "C"' : ''} NOT NULL${check}`
  })
  const table = `CREATE TABLE ${id(store.name)} (\n  ${[...columns, `PRIMARY KEY (${store.partition.map(id).join(', ')})`].join(',\n  ')}\n)`
  return [table, ...store.indexes.map((index) => createIndex(entity, store, index))]
}

function createIndex(entity: Entity, store: Store, index: Index): string {
  const name = id(`${store.name.slice(0, 16)}_${index.name}`.slice(0, 60))
  if (index.kind === 'text') return `CREATE INDEX ${name} ON ${id(store.name)} USING gin (${document(index.columns.map((column) => column.field))})`
  const columns = index.columns.map((column) => `${id(column.field)}${column.descending ? ' DESC' : ''}`).join(', ')
  const include = index.include.length > 0 ? ` INCLUDE (${index.include.map(id).join(', ')})` : ''
  const where =
    index.where.length > 0
      ? ` WHERE ${index.where.map((filter) => `${id(filter.field)} = ${literal(fieldOf(entity, filter.field), filter)}`).join(' AND ')}`
      : ''
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${id(store.name)} (${columns})${include}${where}`
}

/** The searched text; the `simple` configuration keeps whole lower-case words, without stemming and stop words. */
const document = (fields: string[]) => `to_tsvector('simple', ${fields.map(id).join(" || ' ' || ")})`

/** Collects the parameters of one statement: `$1` is the first position that was asked for. */
class Binder {
  readonly binds: number[] = []
  readonly #parameters: Parameter[]
  readonly #prefix: string
  constructor(parameters: Parameter[], prefix = '') {
    this.#parameters = parameters
    this.#prefix = prefix
  }
  at(name: string): string {
    const position = this.#parameters.findIndex((each) => each.name === this.#prefix + name)
    if (position < 0) throw new Error(`no parameter ${this.#prefix}${name}`)
    if (!this.binds.includes(position)) this.binds.push(position)
    return `$${this.binds.indexOf(position) + 1}`
  }
  statement(text: string): Statement {
    return { text, binds: this.binds }
  }
}

export function statementsOf(scenario: Scenario, operation: Operation): Statement[] {
  const parameters = parametersOf(scenario, operation)
  const own = operation.native.postgres
  if (own !== undefined) return nativeStatements(operation, own, parameters)
  const entity = entityOf(scenario, operation.entity)
  const table = id(operation.entity)
  const fresh = (prefix = '') => new Binder(parameters, prefix)
  const alive = (binder: Binder) => (entity.ttlMs === null ? [] : [`${id('expires_at')} > ${binder.at('now')}`])
  const and = (parts: string[]) => (parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`)
  const filters = (where: Filter[], binder: Binder) =>
    where.map(
      (filter) =>
        `${id(filter.field)} = ${filter.constant === null ? binder.at(`where.${filter.field}`) : literal(fieldOf(entity, filter.field), filter)}`,
    )
  switch (operation.kind) {
    case 'get': {
      const keyed = (binder: Binder, alias: string) => entity.key.map((key) => `${alias}${id(key)} = ${binder.at(`key.${key}`)}`)
      const [first, ...others] = operation.with
      const binder = fresh()
      if (first === undefined)
        return [binder.statement(`SELECT ${operation.fields.map(id).join(', ')} FROM ${table}${and([...keyed(binder, ''), ...alive(binder)])}`)]
      const owned = entityOf(scenario, first)
      const columns = [...operation.fields.map((name) => `o.${id(name)}`), ...lineFields(owned).map((field) => `l.${id(field.name)}`)].join(', ')
      const join = `FROM ${table} o LEFT JOIN ${id(first)} l ON l.${id(owned.key[0] as string)} = o.${id(entity.key[0] as string)}`
      const rest = others.map((name) => {
        const other = entityOf(scenario, name)
        const own = fresh()
        const lines = lineFields(other).map((field) => id(field.name))
        return own.statement(
          `SELECT ${lines.join(', ')} FROM ${id(name)} WHERE ${id(other.key[0] as string)} = ${own.at(`key.${entity.key[0]}`)} ORDER BY ${id('line')}`,
        )
      })
      return [
        binder.statement(
          `SELECT ${columns} ${join}${and([...keyed(binder, 'o.'), ...alive(binder).map((text) => `o.${text}`)])} ORDER BY l.${id('line')}`,
        ),
        ...rest,
      ]
    }
    case 'list': {
      const page = (deep: boolean) => {
        const binder = fresh()
        const parts = [...filters(operation.where, binder), ...alive(binder)]
        const names = operation.order.map((order) => order.field)
        const descending = operation.order[0]?.descending === true
        if (deep)
          parts.push(`(${names.map(id).join(', ')}) ${descending ? '<' : '>'} (${names.map((name) => binder.at(`after.${name}`)).join(', ')})`)
        const order = operation.order.map((each) => `${id(each.field)}${each.descending ? ' DESC' : ''}`).join(', ')
        return binder.statement(`SELECT ${operation.fields.map(id).join(', ')} FROM ${table}${and(parts)} ORDER BY ${order} LIMIT ${operation.limit}`)
      }
      return [page(false), page(true)]
    }
    case 'search': {
      const binder = fresh()
      const parts = [`${document(operation.in)} @@ plainto_tsquery('simple', ${binder.at('word')})`, ...alive(binder)]
      return [binder.statement(`SELECT ${operation.fields.map(id).join(', ')} FROM ${table}${and(parts)} LIMIT ${operation.limit}`)]
    }
    case 'aggregate': {
      const binder = fresh()
      const { groupBy, over, sum } = operation
      const window = over === null ? [] : [`${id(over.field)} >= ${binder.at('from')}`, `${id(over.field)} < ${binder.at('to')}`]
      const group = groupBy === null ? null : groupBy.unit === null ? id(groupBy.field) : `date_trunc('${groupBy.unit}', ${id(groupBy.field)}, 'UTC')`
      const columns = [...(group === null ? [] : [group]), 'count(*)', ...(sum === null ? [] : [`sum(${id(sum)})`])].join(', ')
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
  const table = id(entity.name)
  const names = entity.fields.map((field) => field.name)
  const keyed = () =>
    [
      ...entity.key.map((key) => `${id(key)} = ${binder.at(`key.${key}`)}`),
      ...(entity.ttlMs === null ? [] : [`${id('expires_at')} > ${binder.at('now')}`]),
    ].join(' AND ')
  if (write.kind === 'insert' || write.kind === 'put') {
    const values = names.map((name) => binder.at(`row.${name}`)).join(', ')
    const rest = names.filter((name) => !entity.key.includes(name))
    const upsert =
      write.kind === 'insert'
        ? ''
        : ` ON CONFLICT (${entity.key.map(id).join(', ')}) DO UPDATE SET ${rest.map((name) => `${id(name)} = excluded.${id(name)}`).join(', ')}`
    const lines =
      write.kind === 'insert' ? write.with.map((owned) => insertLines(entityOf(scenario, owned), entity, new Binder(parameters, prefix))) : []
    return [binder.statement(`INSERT INTO ${table} (${names.map(id).join(', ')}) VALUES (${values})${upsert}`), ...lines]
  }
  if (write.kind === 'delete') {
    const owned = scenario.entities.filter((each) => each.owner?.entity === entity.name)
    const lines = owned.map((each) => {
      const own = new Binder(parameters, prefix)
      return own.statement(`DELETE FROM ${id(each.name)} WHERE ${id(each.key[0] as string)} = ${own.at(`key.${entity.key[0]}`)}`)
    })
    return [...lines, binder.statement(`DELETE FROM ${table} WHERE ${keyed()}`)]
  }
  if (write.via !== null) return [updateTargets(entity, write, binder)]
  const changes = assignments(
    entity,
    write,
    binder,
    write.add.map((each) => decimalText(BigInt(each.amount), fieldOf(entity, each.field).scale)),
  )
  return [binder.statement(`UPDATE ${table} SET ${changes} WHERE ${keyed()}`)]
}

function assignments(entity: Entity, write: Update, binder: Binder, amounts: string[], of = ''): string {
  const set = write.set.map(
    (each) =>
      `${id(each.field)} = ${each.to === 'constant' ? literal(fieldOf(entity, each.field), { field: each.field, constant: each.constant }) : binder.at(`set.${each.field}`)}`,
  )
  return [...set, ...write.add.map((each, index) => `${id(each.field)} = ${of}${id(each.field)} + ${amounts[index]}`)].join(', ')
}

/** The lines travel as one array per column. */
function insertLines(owned: Entity, owner: Entity, binder: Binder): Statement {
  const fields = lineFields(owned)
  const key = binder.at(`row.${owner.key[0]}`)
  const lines = binder.binds.length
  binder.at(`lines.${owned.name}`)
  const arrays = fields.map((field, index) => `$${lines + index + 1}::${sqlType(field)}[]`).join(', ')
  const columns = [owned.key[0] as string, ...fields.map((field) => field.name)].map(id).join(', ')
  return binder.statement(
    `INSERT INTO ${id(owned.name)} (${columns}) SELECT ${key}::${sqlType(fieldOf(owned, owned.key[0] as string))}, * FROM unnest(${arrays})`,
  )
}

/**
 * Rows are locked in key order first, so that two transactions never wait for each other crosswise; with the lock that an update of
 * other columns takes, which is compatible with the share locks that foreign keys of rows just inserted hold on the same rows.
 */
function updateTargets(entity: Entity, write: Update, binder: Binder): Statement {
  binder.at('targets')
  const key = id(entity.key[0] as string)
  const keyField = fieldOf(entity, entity.key[0] as string)
  const amounts = write.add.map((each, index) => ({ field: fieldOf(entity, each.field), name: `amount_${index + 1}`, place: `$${index + 2}` }))
  const arrays = [`$1::${sqlType(keyField)}[]`, ...amounts.map((each) => `${each.place}::${sqlType(each.field)}[]`)].join(', ')
  const text =
    `WITH target AS (SELECT * FROM unnest(${arrays}) AS t (key${amounts.map((each) => `, ${each.name}`).join('')})), ` +
    `locked AS MATERIALIZED (SELECT e.${key} AS key FROM ${id(entity.name)} e WHERE e.${key} = ANY($1) ORDER BY e.${key} FOR NO KEY UPDATE) ` +
    `UPDATE ${id(entity.name)} e SET ${assignments(
      entity,
      write,
      binder,
      amounts.map((each) => `target.${each.name}`),
      'e.',
    )} FROM target, locked WHERE e.${key} = target.key AND e.${key} = locked.key`
  return binder.statement(text)
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
