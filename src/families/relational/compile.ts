/** Operations over tables, each written down once: SQL with its bindings, which the report prints and both clients prepare. */
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import { decimalText } from '../../data/value.ts'
import { TrialError } from '../../errors.ts'
import {
  type Comparison,
  type Constant,
  type Entity,
  entityOf,
  type Field,
  type Filter,
  fieldOf,
  hasDeepPages,
  isGuarded,
  isOptional,
  lineFields,
  type Operation,
  type OperationOf,
  type Order,
  readsBefore,
  type Scenario,
  type Selection,
  type Update,
  type Write,
  writesOf,
} from '../../scenario/scenario.ts'
import { type Addressing, tenantAskedOf } from '../../scenario/tenants.ts'
import type { Guarded, Program } from '../program.ts'
import { searchedFields } from '../wanted-indexes.ts'
import type { RowsParameter, SqlDialect } from './dialect.ts'
import { decisiveOrder, reversed } from './model.ts'

export interface Statement extends Guarded {
  text: string
  /** Parameter positions bound to the placeholders, in order. */
  binds: number[]
}
export type SqlProgram = Program<Statement>

/** Under which a connection knows a statement. */
export const nameOf = (operation: number, variant: number, statement: number) => `o${operation}_${variant}_${statement}`

/** @throws TrialError where a statement of the scenario's own does not fit its operation. */
export function compileSql(dialect: SqlDialect, scenario: Scenario, operation: Operation): SqlProgram {
  const own = operation.native[dialect.name]
  const parameters = parametersOf(scenario, operation)
  const statements =
    own === undefined ? new Compilation(dialect, scenario, operation, parameters).statements() : nativeStatements(dialect, operation, own, parameters)
  const readsFirst = readsBefore(operation)
  const first = readsFirst ? 1 : 0
  const atomic = writesOf(operation).length > 0 && statements.length > first + 1
  const texts = [...new Set(statements.map(({ text }) => text))]
  const pages = operation.kind === 'list'
  return {
    operation: operation.name,
    shown: atomic ? [...texts.slice(0, first), 'BEGIN', ...texts.slice(first), 'COMMIT'] : texts,
    variants: pages ? statements.map((statement) => [statement]) : [statements],
    variantAt: pages ? parameters.findIndex(({ shape }) => shape === 'deep') : null,
    atomic,
    ...(readsFirst && { readsFirst }),
    counted: first,
    stopWhenEmpty: operation.kind === 'get' || (readsFirst && !isGuarded(operation)),
  }
}

/** Collects the parameters of one statement and numbers their places in the order in which they are asked for. */
class Binder {
  readonly #dialect: SqlDialect
  readonly #binds: number[] = []
  readonly #places: string[][] = []
  readonly #parameters: Parameter[]
  readonly #prefix: string
  #count = 0

  constructor(dialect: SqlDialect, parameters: Parameter[], prefix: string) {
    this.#dialect = dialect
    this.#parameters = parameters
    this.#prefix = prefix
  }

  at(name: string): string {
    return this.several(name, 1)[0] as string
  }

  /** The places of a parameter that travels in several. */
  several(name: string, count: number): string[] {
    const position = this.#parameters.findIndex((each) => each.name === this.#prefix + name)
    if (position < 0) throw new Error(`no parameter ${this.#prefix}${name}`)
    const known = this.#places[this.#binds.indexOf(position)]
    if (known !== undefined) return known
    const places = Array.from({ length: count }, () => (this.#dialect.isPositional ? mark(position) : this.#dialect.placeholder(++this.#count)))
    this.#binds.push(position)
    this.#places.push(places)
    return places
  }

  statement(text: string): Statement {
    return this.#dialect.isPositional ? inOrder(this.#dialect, text) : { text, binds: this.#binds }
  }
}

/** Stands for a parameter until the text is whole; no name and no constant has such a character. */
const mark = (position: number) => `\0${position}\0`

/** A placeholder for each mark, in the order in which they stand. */
function inOrder({ placeholder }: SqlDialect, marked: string): Statement {
  const binds: number[] = []
  const text = marked.replaceAll(/\0(\d+)\0/g, (_, position: string) => placeholder(binds.push(Number(position))))
  return { text, binds }
}

class Compilation {
  readonly #dialect: SqlDialect
  readonly #scenario: Scenario
  readonly #operation: Operation
  readonly #parameters: Parameter[]

  constructor(dialect: SqlDialect, scenario: Scenario, operation: Operation, parameters: Parameter[]) {
    this.#dialect = dialect
    this.#scenario = scenario
    this.#operation = operation
    this.#parameters = parameters
  }

  statements(): Statement[] {
    const operation = this.#operation
    switch (operation.kind) {
      case 'get':
        return this.#get(operation)
      case 'list':
        return hasDeepPages(this.#entity(operation.entity), operation)
          ? [this.#page(operation, false), this.#page(operation, true)]
          : [this.#page(operation, false)]
      case 'search':
        return [this.#search(operation)]
      case 'aggregate':
        return [this.#aggregate(operation)]
      case 'transaction':
        return operation.steps.flatMap((step, index) => this.#write(step, `${index}.`))
      default:
        return this.#write(operation, '')
    }
  }

  /** The row, joined with the first owned entity's; those of each other one by themselves. */
  #get(operation: OperationOf<'get'>): Statement[] {
    const { column, table } = this.#dialect
    const entity = this.#entity(operation.entity)
    const binder = this.#binder()
    const keyed = (alias: string) => this.#addressed(entity, operation, binder).map((text) => `${alias}${text}`)
    const [first, ...others] = operation.with
    if (first === undefined) return [binder.statement(`SELECT ${this.#columns(operation.fields)} FROM ${table(entity.name)}${where(keyed(''))}`)]
    const owned = this.#entity(first)
    const columns = [...operation.fields.map((name) => `o.${column(name)}`), ...lineFields(owned).map((field) => `l.${column(field.name)}`)].join(
      ', ',
    )
    const join = `FROM ${table(entity.name)} o LEFT JOIN ${table(first)} l ON l.${column(owned.key[0] as string)} = o.${column(entity.key[0] as string)}`
    const conditions = where(keyed('o.'))
    const joined = binder.statement(`SELECT ${columns} ${join}${conditions} ORDER BY l.${column('line')}`)
    return [joined, ...others.map((name) => this.#lines(entity, this.#entity(name)))]
  }

  #lines(owner: Entity, owned: Entity): Statement {
    const { column, table } = this.#dialect
    const binder = this.#binder()
    const columns = this.#columns(lineFields(owned).map((field) => field.name))
    const ofOwner = `${column(owned.key[0] as string)} = ${binder.at(`key.${owner.key[0]}`)}`
    return binder.statement(`SELECT ${columns} FROM ${table(owned.name)} WHERE ${ofOwner} ORDER BY ${column('line')}`)
  }

  #page(operation: OperationOf<'list'>, deep: boolean): Statement {
    const { column, table } = this.#dialect
    const entity = this.#entity(operation.entity)
    const binder = this.#binder()
    const parts = this.#conditions(entity, operation, binder)
    const decisive = decisiveOrder(entity, operation.order)
    if (deep) parts.push(this.#beyond(decisive, binder))
    const order = decisive.map((each) => this.#dialect.ordered(column(each.field), each.descending, isOptional(entity, each.field))).join(', ')
    return binder.statement(
      `SELECT ${this.#columns(operation.fields)} FROM ${table(entity.name)}${where(parts)} ORDER BY ${order} LIMIT ${operation.limit}`,
    )
  }

  /** Behind a place in an order. */
  #beyond(order: Order[], binder: Binder): string {
    const names = order.map(({ field }) => field)
    return this.#dialect.after(
      names.map(this.#dialect.column),
      names.map((name) => binder.at(`after.${name}`)),
      order[0]?.descending === true,
    )
  }

  /** What is before a place is behind it the other way round. */
  #before(entity: Entity, { before }: OperationOf<'aggregate'>, binder: Binder): string[] {
    return before === undefined ? [] : [this.#beyond(reversed(decisiveOrder(entity, before)), binder)]
  }

  #search(operation: OperationOf<'search'>): Statement {
    const entity = this.#entity(operation.entity)
    const binder = this.#binder()
    const parts = [this.#dialect.hasWord(searchedFields(entity, operation.in), binder.at('word')), ...this.#alive(entity, binder)]
    return binder.statement(
      `SELECT ${this.#columns(operation.fields)} FROM ${this.#dialect.table(entity.name)}${where(parts)} LIMIT ${operation.limit}`,
    )
  }

  #aggregate(operation: OperationOf<'aggregate'>): Statement {
    const { groupBy, sum } = operation
    const { column, table, truncated } = this.#dialect
    const entity = this.#entity(operation.entity)
    const binder = this.#binder()
    const group = groupBy === null ? null : groupBy.unit === null ? column(groupBy.field) : truncated(groupBy.unit, column(groupBy.field))
    const columns = [
      ...(group === null ? [] : [group]),
      'count(*)',
      ...(sum === null ? [] : [isOptional(entity, sum) ? `coalesce(sum(${column(sum)}), 0)` : `sum(${column(sum)})`]),
    ].join(', ')
    const tail =
      group === null
        ? ' HAVING count(*) > 0'
        : ` GROUP BY 1 ORDER BY ${this.#dialect.ordered('1', false, groupBy !== null && isOptional(entity, groupBy.field))}`
    const conditions = where([...this.#conditions(entity, operation, binder), ...this.#before(entity, operation, binder)])
    return binder.statement(`SELECT ${columns} FROM ${table(entity.name)}${conditions}${tail}`)
  }

  #write(write: Write & { entity: string }, prefix: string): Statement[] {
    const { table } = this.#dialect
    const entity = this.#entity(write.entity)
    const binder = this.#binder(prefix)
    switch (write.kind) {
      case 'insert':
        return [binder.statement(this.#insert(entity, binder)), ...write.with.map((owned) => this.#insertLines(this.#entity(owned), entity, prefix))]
      case 'put': {
        // A row of nothing but its key is set to what it is, so that it counts as addressed.
        const rest = entity.fields.map((field) => field.name).filter((name) => !entity.key.includes(name))
        return [binder.statement(`${this.#insert(entity, binder)} ${this.#dialect.upsert(entity, rest.length > 0 ? rest : entity.key)}`)]
      }
      case 'delete':
        return [binder.statement(`DELETE FROM ${table(entity.name)}${where(this.#addressed(entity, write, binder))}`)]
      default: {
        if (write.via !== null) return [this.#updateTargets(entity, write, binder, prefix)]
        const amounts = write.add.map((each) => decimalText(BigInt(each.amount), fieldOf(entity, each.field).scale))
        const changes = this.#assignments(entity, write, binder, amounts)
        const read = write.guard?.asRead ? binder.at(`read.${write.guard.field}`) : undefined
        const conditions = where([...this.#addressed(entity, write, binder), ...this.#guard(entity, write, '', read)])
        const statement = binder.statement(`UPDATE ${table(entity.name)} SET ${changes}${conditions}`)
        const guarded: Guarded = write.guard === undefined ? {} : { guarded: { targetsAt: null } }
        return [...this.#readBefore(entity, write, prefix).map((each) => ({ ...each, ...guarded })), { ...statement, ...guarded }]
      }
    }
  }

  /** What an update reads by itself. */
  #readBefore(entity: Entity, write: Update, prefix: string): Statement[] {
    if (write.reads === undefined) return []
    const binder = this.#binder(prefix)
    const conditions = where(this.#addressed(entity, write, binder))
    return [binder.statement(`SELECT ${this.#columns(write.reads)} FROM ${this.#dialect.table(entity.name)}${conditions}`)]
  }

  /** A row by its key, of the tenant that asks, where it lives still. */
  #addressed(entity: Entity, asked: Addressing, binder: Binder): string[] {
    const tenant = tenantAskedOf(entity, asked)
    const names = [...entity.key.map((key) => [key, `key.${key}`]), ...(tenant === null ? [] : [[tenant, `tenant.${tenant}`]])] as [string, string][]
    return [...names.map(([name, parameter]) => `${this.#dialect.column(name)} = ${binder.at(parameter)}`), ...this.#alive(entity, binder)]
  }

  /** `bound`: what is compared with, where that is no constant. */
  #guard(entity: Entity, { guard }: Update, of = '', bound?: string): string[] {
    if (guard === undefined) return []
    if (guard.constant === null) return [`${of}${this.#dialect.column(guard.field)} IS NULL`]
    const value = guard.from === undefined && guard.asRead === undefined ? literal(this.#dialect, fieldOf(entity, guard.field), guard) : bound
    return [`${of}${this.#dialect.column(guard.field)} ${operators[guard.is]} ${value}`]
  }

  #insert(entity: Entity, binder: Binder): string {
    const names = entity.fields.map((field) => field.name)
    const values = names.map((name) => binder.at(`row.${name}`)).join(', ')
    return `INSERT INTO ${this.#dialect.table(entity.name)} (${this.#columns(names)}) VALUES (${values})`
  }

  #assignments(entity: Entity, write: Update, binder: Binder, amounts: string[], of = ''): string {
    const { column, assigned } = this.#dialect
    const set = write.set.map((each) => {
      const value = each.to === 'constant' ? literal(this.#dialect, fieldOf(entity, each.field), each) : binder.at(`set.${each.field}`)
      return `${assigned(of, column(each.field))} = ${value}`
    })
    return [...set, ...write.add.map((each, index) => `${assigned(of, column(each.field))} = ${of}${column(each.field)} + ${amounts[index]}`)].join(
      ', ',
    )
  }

  #insertLines(owned: Entity, owner: Entity, prefix: string): Statement {
    const { table, type, insertLines } = this.#dialect
    const binder = this.#binder(prefix)
    const fields = lineFields(owned)
    const ownerKey = fieldOf(owned, owned.key[0] as string)
    const key = binder.at(`row.${owner.key[0]}`)
    const lines = this.#rowsOf(binder, `lines.${owned.name}`, owned, fields)
    const columns = this.#columns([ownerKey.name, ...fields.map((field) => field.name)])
    return binder.statement(insertLines({ table: table(owned.name), columns, key, keyType: type(this.#scenario, owned, ownerKey), lines }))
  }

  #updateTargets(entity: Entity, write: Update, binder: Binder, prefix: string): Statement {
    const { column, table } = this.#dialect
    const bound = write.guard?.from === undefined ? [] : ['bound']
    const fields = this.#parameters.find(({ name }) => name === `${prefix}targets`)?.columns as Field[]
    const targets = this.#rowsOf(binder, 'targets', entity, fields)
    const amounts = write.add.map((_, index) => `amount_${index + 1}`)
    const changes = this.#assignments(
      entity,
      write,
      binder,
      amounts.map((name) => `target.${name}`),
      'e.',
    )
    const statement = binder.statement(
      this.#dialect.updateTargets({
        ...{ table: table(entity.name), key: column(entity.key[0] as string), targets, changes },
        columns: [...amounts, ...bound],
        conditions: this.#guard(entity, write, 'e.', 'target.bound'),
      }),
    )
    const targetsAt = this.#parameters.findIndex(({ name }) => name === `${prefix}targets`)
    return write.guard === undefined ? statement : { ...statement, guarded: { targetsAt } }
  }

  #rowsOf(binder: Binder, name: string, entity: Entity, fields: Field[]): RowsParameter {
    const places = binder.several(name, this.#dialect.placesOfRows(fields.length))
    return { fields, places, types: fields.map((field) => this.#dialect.type(this.#scenario, entity, field)) }
  }

  #conditions(entity: Entity, { where, over, bounds = [], prefixes = [], among = [], presence = [] }: Selection, binder: Binder): string[] {
    const { column } = this.#dialect
    const window = over == null ? [] : [`${column(over.field)} >= ${binder.at('from')}`, `${column(over.field)} < ${binder.at('to')}`]
    const text = (field: string, constant: Constant) => literal(this.#dialect, fieldOf(entity, field), { constant })
    const equal = where.map(({ field, constant }) => `${column(field)} = ${constant === null ? binder.at(`where.${field}`) : text(field, constant)}`)
    const alive = this.#alive(entity, binder)
    const within = bounds.flatMap(({ field, from, below }) => [
      ...(from === null ? [] : [`${column(field)} >= ${text(field, from)}`]),
      ...(below === null ? [] : [`${column(field)} < ${text(field, below)}`]),
    ])
    // A range, and no LIKE: a prepared statement is planned before anybody knows that its pattern is anchored.
    const alike = prefixes.flatMap(({ field }) => [
      `${column(field)} >= ${binder.at(`prefix.${field}`)}`,
      `${column(field)} < ${binder.at(`below.${field}`)}`,
    ])
    const any = among.map(
      ({ field, constants, none }) => `${column(field)} ${none ? 'NOT IN' : 'IN'} (${constants.map((each) => text(field, each)).join(', ')})`,
    )
    const valued = presence.map(({ field, isNull }) => `${column(field)} IS ${isNull ? '' : 'NOT '}NULL`)
    return [...equal, ...valued, ...alive, ...window, ...within, ...alike, ...any]
  }

  #alive(entity: Entity, binder: Binder): string[] {
    return entity.ttlMs === null ? [] : [`${this.#dialect.column('expires_at')} > ${binder.at('now')}`]
  }

  #columns(names: string[]): string {
    return names.map(this.#dialect.column).join(', ')
  }

  #binder(prefix = ''): Binder {
    return new Binder(this.#dialect, this.#parameters, prefix)
  }

  #entity(name: string): Entity {
    return entityOf(this.#scenario, name)
  }
}

const operators: Record<Comparison, string> = { equals: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

const where = (parts: string[]) => (parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`)

/** A constant of the scenario, as text of a statement. */
export function literal({ text }: SqlDialect, field: Field, { constant }: Pick<Filter, 'constant'>): string {
  if (constant === null) return 'NULL'
  if (field.type === 'decimal') return decimalText(BigInt(constant as number), field.scale)
  return typeof constant === 'string' ? text(constant) : String(constant)
}

/** The author's statement: `:where_customer_id` binds the parameter `where.customer_id`; a list decides by `:deep` itself. */
function nativeStatements(dialect: SqlDialect, operation: Operation, text: string, parameters: Parameter[]): Statement[] {
  const names = parameters.map((parameter) => parameter.name.replaceAll('.', '_'))
  const fail = (message: string): never => {
    throw new TrialError('native-invalid', `operations.${operation.name}.native.${dialect.name}: ${message}`, {
      hint: `its parameters are ${names.map((name) => `:${name}`).join(', ')}`,
      exitCode: 2,
    })
  }
  if (readsBefore(operation) || parameters.some((parameter) => parameter.shape === 'lines' || parameter.shape === 'targets'))
    fail('an operation that writes owned rows, or reads before it writes, is several statements and cannot be replaced by one')
  const binds: number[] = []
  const bound = text.replaceAll(/(?<!:):([a-z][a-z0-9_]*)/g, (_, name: string) => {
    const at = names.indexOf(name)
    if (at < 0) fail(`there is no parameter ":${name}"`)
    if (dialect.isPositional) return dialect.placeholder(binds.push(at))
    if (!binds.includes(at)) binds.push(at)
    return dialect.placeholder(binds.indexOf(at) + 1)
  })
  const guarded = operation.kind === 'update' && operation.guard !== undefined
  const statement = { text: bound, binds, ...(guarded && { guarded: { targetsAt: null } }) }
  return operation.kind === 'list' ? [statement, statement] : [statement]
}
