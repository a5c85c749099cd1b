/** What the report prints is what the servers saw: their own logs of what both clients asked, beside the printed statements. */
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'cassandra-driver'
import { Redis } from 'ioredis'
import { createConnection } from 'mariadb'
import { type Document, MongoClient } from 'mongodb'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import { cassandra } from '../../src/engines/cassandra/index.ts'
import type { Compiled, Endpoint, Engine } from '../../src/engines/engine.ts'
import { mariadb } from '../../src/engines/mariadb/index.ts'
import { memcached } from '../../src/engines/memcached/index.ts'
import { mongodb } from '../../src/engines/mongodb/index.ts'
import { postgres } from '../../src/engines/postgres/index.ts'
import { redis } from '../../src/engines/redis/index.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import type { DocumentProgram } from '../../src/families/document/compile.ts'
import { type Each, isMark, shownDocument } from '../../src/families/document/marks.ts'
import { readScenario } from '../../src/scenario/read.ts'
import type { Durability } from '../../src/scenario/scenario.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

const scenario = readScenario(fileURLToPath(new URL('./kinds.yaml', import.meta.url)))
const operations = allOperations(scenario)
const { signal } = new AbortController()

/** Every operation many times through both clients; `before` and `after` look at the server, which holds nothing else. */
async function performed(
  engine: Engine,
  before: (endpoint: Endpoint) => Promise<void>,
  after: (endpoint: Endpoint, compiled: Compiled) => Promise<void>,
  through = async (endpoint: Endpoint) => endpoint,
) {
  const { endpoint } = await bed.server(engine)
  const namespace = await engine.external.create(endpoint, 'dbtrial_printed')
  const own = await through({ ...endpoint, namespace })
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, engine.capabilities.durability[0] as Durability)
  const dataset = makeDataset(scenario, 1)
  const reference = new Reference(dataset, operations)
  try {
    await using session = await engine.connect(own, compiled, { connections: 2 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    await session.settle()
    await before(own)
    await verify(session, 'driver', compiled, dataset, reference, 40, signal)
    await using lane = await openLane(engine, own, compiled, 2)
    await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, 40, signal)
    await after(own, compiled)
  } finally {
    await engine.external.drop(endpoint, namespace)
  }
}

/** A printed text as a pattern of what was seen: a name stands for one value, and a document before `…` for any number of them. */
function patternOf(shown: string): RegExp {
  const escaped = shown.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const values = escaped.replaceAll(/\\\?[\w.\\]+(?: \\\+ \d+ s)?/g, '.+?')
  return new RegExp(`^${values}$`, 's')
}

test('of MongoDB: its profiler', async () => {
  const client = (endpoint: Endpoint) =>
    new MongoClient(`mongodb://${endpoint.host}:${endpoint.port}`, {
      directConnection: true,
      auth: { username: endpoint.user as string, password: endpoint.password as string },
    })
  const profile = async (endpoint: Endpoint, level: 'all' | 'off') => {
    const own = client(endpoint)
    try {
      const database = own.db(endpoint.namespace)
      // Room for everything: by default the last megabyte is kept.
      if (level === 'all') await database.createCollection('system.profile', { capped: true, size: 2 ** 28 })
      await database.setProfilingLevel(level)
    } finally {
      await own.close()
    }
  }
  await performed(
    mongodb,
    (endpoint) => profile(endpoint, 'all'),
    async (endpoint, compiled) => {
      await profile(endpoint, 'off')
      const own = client(endpoint)
      const seen = await own
        .db(endpoint.namespace)
        .collection('system.profile')
        .find({ op: { $in: ['query', 'command', 'update', 'remove'] } })
        .toArray()
      await own.close()
      const texts = new Set(
        seen.flatMap((entry) => seenText(entry)).map((text) => text.replaceAll(/\{"\$numberDecimal":("[^"]*")\}/g, 'Decimal128($1)')),
      )
      const printed = new Set(
        (compiled.programs as DocumentProgram[]).flatMap((program) => program.variants.flat().flatMap(({ command }) => printedParts(command))),
      )
      const patterns = [...printed].map((text) => [text, patternOf(text)] as const)
      for (const text of texts)
        expect(
          patterns.filter(([, pattern]) => pattern.test(text)).map(([shown]) => shown),
          text,
        ).not.toEqual([])
      for (const [shown, pattern] of patterns)
        expect(
          [...texts].some((text) => pattern.test(text)),
          shown,
        ).toBe(true)
    },
  )
}, 180_000)

/** Reads as they are; the profiler keeps each update and delete of a command by itself, and of an insert no documents. */
function printedParts(command: Document): string[] {
  const { find, aggregate, update, updates, delete: deletion, deletes } = command
  if (find !== undefined || aggregate !== undefined) return [shownDocument(inOneOrder(command))]
  const each = update === undefined ? (deletion === undefined ? [] : deletes) : updates
  const parts: unknown[] = isMark(each) ? [(each as Each).body] : each
  return parts.map((part) => shownDocument(withoutDefaults(part as Document)))
}

/** Clients write the options of a command in orders of their own, which mean nothing; its name comes first. */
function inOneOrder(command: Document): Document {
  const [name, ...options] = Object.entries(command)
  return Object.fromEntries([...(name === undefined ? [] : [name]), ...options.sort(([a], [b]) => (a < b ? -1 : 1))])
}

function seenText({ op, command }: Document): string[] {
  if (op === 'update' || op === 'remove') return [shownDocument(withoutDefaults(command))]
  if (command.find === undefined && command.aggregate === undefined) return []
  // What a client adds of its own; of a direct connection the driver says that its one member will do, which is the primary that `ready` asked for.
  const { lsid: _session, $db: _database, $clusterTime: _time, $readPreference: _member, ...asked } = command
  return [shownDocument(inOneOrder(asked))]
}

/** In one order, without what is so anyway. */
function withoutDefaults({ q, u, multi, upsert, limit }: Document): Document {
  return {
    q,
    ...(u === undefined ? {} : { u }),
    ...(multi === true ? { multi } : {}),
    ...(upsert === true ? { upsert } : {}),
    ...(limit === undefined ? {} : { limit }),
  }
}

test('of Cassandra: the statements that it has prepared', async () => {
  await performed(
    cassandra,
    async () => {},
    async ({ host, port, user, password, namespace }, compiled) => {
      const client = new Client({
        contactPoints: [`${host}:${port}`],
        localDataCenter: 'datacenter1',
        credentials: { username: user as string, password: password as string },
      })
      const { rows } = await client.execute('SELECT logged_keyspace, query_string FROM system.prepared_statements')
      await client.shutdown()
      const loads = /^INSERT INTO/
      const seen = new Set(rows.filter((row) => row.logged_keyspace === namespace).map((row) => String(row.query_string)))
      const printed = new Set(compiled.programs.flatMap((program) => program?.shown ?? []).flatMap(statementsOf))
      expect([...seen].filter((text) => !printed.has(text) && !loads.test(text))).toEqual([])
      expect([...printed].filter((text) => !seen.has(text))).toEqual([])
    },
  )
}, 180_000)

/** Those of a batch one by one. */
const statementsOf = (text: string) =>
  text.startsWith('BEGIN BATCH')
    ? text
        .split('\n')
        .slice(1, -1)
        .map((line) => line.trim().replace(/;$/, ''))
    : [text]

test('of PostgreSQL: its log, which it tells those who ask, too', async () => {
  const seen = new Set<string>()
  await using relay = await noticeRelay((text) => seen.add(text))
  const asked = async ({ host, port, user, password }: Endpoint, ...statements: string[]) => {
    const client = new pg.Client({ host, port, user, password: password as string, database: 'postgres' })
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }
  await performed(
    postgres,
    (endpoint) =>
      asked(
        endpoint,
        "ALTER SYSTEM SET log_statement = 'all'",
        "ALTER SYSTEM SET client_min_messages = 'log'",
        'SELECT pg_reload_conf()',
        'SELECT pg_sleep(1)',
      ),
    async (endpoint, compiled) => {
      await asked(endpoint, 'ALTER SYSTEM RESET ALL', 'SELECT pg_reload_conf()')
      const printed = new Set(compiled.programs.flatMap((program) => program?.shown ?? []))
      const executed = [...seen].flatMap((text) => /^execute [^:]*: (.*)$/s.exec(text)?.[1] ?? [])
      const ofTransactions = new Set(['BEGIN', 'COMMIT', 'ROLLBACK'])
      expect(executed.filter((text) => !printed.has(text) && !ofTransactions.has(text.toUpperCase()))).toEqual([])
      expect([...printed].filter((text) => !executed.includes(text) && !ofTransactions.has(text))).toEqual([])
    },
    (endpoint) => relay.before(endpoint),
  )
}, 180_000)

/** Stands in front of a server and tells the messages that it sends beside its answers. */
async function noticeRelay(told: (text: string) => void) {
  let to: Endpoint | undefined
  const server = createServer({ noDelay: true }, (client) => {
    // A request that waits for the answer to the one before it would cost 40 ms.
    const upstream = connect({ host: to?.host as string, port: to?.port as number, noDelay: true })
    let rest = Buffer.alloc(0)
    upstream.on('data', (bytes) => {
      client.write(bytes)
      rest = Buffer.concat([rest, bytes])
      // A letter, and the length of what follows it.
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const end = 1 + rest.readUInt32BE(1)
        if (rest[0] === 0x4e) told(messageIn(rest.toString('utf8', 5, end)))
        rest = rest.subarray(end)
      }
    })
    client.on('data', (bytes) => upstream.write(bytes))
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) // biome-ignore format: each ends the other
      one.on('close', () => other.destroy()).on('error', () => other.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    before(endpoint: Endpoint): Promise<Endpoint> {
      to = endpoint
      return Promise.resolve({ ...endpoint, host: '127.0.0.1', port: (server.address() as AddressInfo).port })
    },
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

/** Of its fields, each a letter and a text that ends with a zero. */
const messageIn = (fields: string) =>
  fields
    .split('\0')
    .find((field) => field.startsWith('M'))
    ?.slice(1) ?? ''

test('of MariaDB: its general log', async () => {
  const asked = async ({ host, port, user, password }: Endpoint, ...statements: string[]): Promise<Record<string, unknown>[]> => {
    const client = await createConnection({ host, port, user: user as string, password: password as string })
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = await client.query(statement)
    await client.end()
    return rows
  }
  await performed(
    mariadb,
    async (endpoint) => void (await asked(endpoint, 'TRUNCATE mysql.general_log', "SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON")),
    async (endpoint, compiled) => {
      const rows = await asked(
        endpoint,
        'SET GLOBAL general_log = OFF',
        'SELECT DISTINCT command_type, CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log',
      )
      const texts = (kind: string) => rows.filter((row) => row.command_type === kind).map((row) => String(row.text))
      const printed = new Set(compiled.programs.flatMap((program) => program?.shown ?? []))
      const ofTransactions = new Set(['BEGIN', 'COMMIT'])
      const prepared = texts('Prepare')
      expect(prepared.filter((text) => !printed.has(text))).toEqual([])
      expect([...printed].filter((text) => !prepared.includes(text) && !ofTransactions.has(text))).toEqual([])
      // Beside what a connection begins with and this test.
      expect(texts('Query').filter((text) => !/^(SET|SELECT DISTINCT) /.test(text) && !printed.has(text) && text !== 'ROLLBACK')).toEqual([])
      expect(texts('Query')).toEqual(expect.arrayContaining([...ofTransactions]))
    },
  )
}, 180_000)

test('of Redis: its monitor', async () => {
  const seen: string[][] = []
  const open = async ({ host, port, user, password }: Endpoint) =>
    new Redis({ host, port, ...(user === undefined ? {} : { username: user }), ...(password === undefined ? {} : { password }) })
  let monitor: Redis | undefined
  let base: Redis | undefined
  const done = performed(
    redis,
    async (endpoint) => {
      base = await open(endpoint)
      monitor = await base.monitor()
      monitor.on('monitor', (_time: string, words: string[], source: string) => source !== 'lua' && seen.push(words))
    },
    async (_endpoint, compiled) => {
      monitor?.disconnect()
      const printed = [...new Set(compiled.programs.flatMap((program) => program?.shown ?? []).flatMap(commandsIn))]
      const names = new Set(printed.map((text) => text.split(' ')[0]))
      const asked = seen.filter(([name = '']) => names.has(name.toUpperCase()))
      expect(asked.length).toBeGreaterThan(1000)
      expect(asked.filter((words) => !printed.some((text) => isCommand(wordsOf(text), words, false))).slice(0, 5)).toEqual([])
      expect(printed.filter((text) => !asked.some((words) => isCommand(wordsOf(text), words, true)))).toEqual([])
    },
  )
  await done.finally(() => {
    monitor?.disconnect()
    base?.disconnect()
  })
}, 180_000)

const commandsIn = (text: string) => (text.startsWith('-- script') ? [] : text.split('\n'))
const wordsOf = (text: string) => text.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []

/** A word with a name begins as it is printed. Where owned rows, targets or words of a text come, there may be any number of words. */
function isCommand(printed: string[], words: string[], isWhole: boolean): boolean {
  const many = printed.findIndex((word) => /\?(\d+\.)?(lines\.|targets\.)/.test(word))
  const compared = !isWhole && printed[0] === 'EVALSHA' ? printed.slice(0, 2) : many < 0 ? printed : printed.slice(0, many)
  if (isWhole && many < 0 && printed.length !== words.length) return false
  return compared.every((word, at) => {
    const own = words[at] ?? ''
    if (at === 0) return own.toUpperCase() === word
    if (word.includes('?')) return own.startsWith(word.slice(0, word.indexOf('?')))
    return own === (word.startsWith('"') ? JSON.parse(word) : word)
  })
}

/** It tells what is read and what is stored, by which command and under which key; of what is deleted it tells nothing. */
test('of Memcached: its watchers', async () => {
  let seen = ''
  let watcher: ReturnType<typeof connect> | undefined
  const done = performed(
    memcached,
    async ({ host, port, user, password }) => {
      const socket = connect({ host, port })
      watcher = socket
      socket.on('data', (bytes: Buffer) => (seen += bytes.toString('latin1')))
      const account = `${user} ${password}`
      socket.write(`set login 0 0 ${account.length}\r\n${account}\r\n`)
      while (!seen.includes('STORED')) await sleep(10)
      socket.write('watch fetchers mutations\r\n')
      while (!seen.includes('OK')) await sleep(10)
    },
    async ({ namespace }, compiled) => {
      await sleep(500)
      const asked = seen.split('\n').flatMap((line) => {
        const [, key = '', cmd = 'get'] = /type=item_(?:get|store) key=(\S+) status=\S+(?: cmd=(\w+))?/.exec(line) ?? []
        const [own, entity] = decodeURIComponent(key).split(':')
        return own === namespace ? [`${cmd} ${entity}`] : []
      })
      const printed = compiled.programs
        .flatMap((program) => program?.shown ?? [])
        .map((text) => /^(\w+) (\w+):/.exec(text)?.slice(1).join(' ') ?? text)
      expect(asked.length).toBeGreaterThan(1000)
      // What stores an item looks for it first, and is told as that, too.
      const isLooked = (text: string) => text.startsWith('get ')
      const wanted = new Set(printed.filter((text) => !text.startsWith('delete ')).map((text) => text.replace(/^gets /, 'get ')))
      expect([...new Set(asked)].filter((text) => !wanted.has(text) && !isLooked(text))).toEqual([])
      expect([...wanted].filter((text) => !asked.includes(text))).toEqual([])
    },
  )
  await done.finally(() => watcher?.destroy())
}, 180_000)
