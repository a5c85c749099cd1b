/** The slow query log of a MariaDB 10.11 (`fixtures`: written by a real server, statements of a terminal and of a driver that prepares), and what is none. */
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Source } from '../../../src/data/random.ts'
import { draftText } from '../../../src/init/draft.ts'
import { tablesOfMysql } from '../../../src/init/mysql-ddl.ts'
import { withoutValues } from '../../../src/init/mysql-text.ts'
import { draftedFrom } from '../../../src/init/observed.ts'
import { readSlowLog } from '../../../src/init/slow-log.ts'
import { operationsOf } from '../../../src/init/statements.ts'

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)
const schema = readFileSync(fixture('mariadb-schema.sql'), 'utf8')
const read = (text: string | Buffer) => readSlowLog(Readable.from([Buffer.from(text)]))

test('statements of a real log, without their values, with what the server says of them', async () => {
  const { counted, seconds, notes } = await readSlowLog(createReadStream(fixture('mariadb-slow-log.txt')))
  expect({ seconds, notes }).toEqual({ seconds: 2, notes: [] })
  const by = (text: string) => counted.find((each) => each.text === text)
  expect(by('SELECT * FROM customer WHERE id = ?')).toMatchObject({ calls: 2, rows: 1, schema: 'shop' })
  expect(by('SELECT * FROM shop.customer WHERE id = ?')).toMatchObject({ schema: 'other' })
  expect(by('SELECT `id`, email FROM `customer` WHERE id IN (?) ORDER BY created_at DESC LIMIT 10')).toMatchObject({ rows: 2 })
  expect(by('UPDATE customer SET balance = balance + ? WHERE id = ?')?.meanMs).toBeCloseTo(0.943)
  expect(by('INSERT INTO customer (email) VALUES (?)')).toMatchObject({ calls: 1, rows: 2 })
  expect(by('INSERT INTO customer (email, photo) VALUES (?, ?)')).toMatchObject({ calls: 1, rows: 1 })
  expect(by('SELECT * FROM customer WHERE email = ? AND id = ?')).toBeDefined()
  expect(by('SELECT * FROM customer WHERE created_at > ? AND balance = ? ORDER BY created_at LIMIT 20')).toBeDefined()
})

test('tables as mariadb-dump writes them', () => {
  const tables = tablesOfMysql(schema)
  expect(tables.map(({ name, key, source }) => [name, key, source?.schema])).toEqual([
    ['customer', ['id'], 'shop'],
    ['order', ['id'], 'shop'],
    ['order_item', ['order_id', 'line'], 'shop'],
  ])
  const [customer, order] = tables
  expect(customer?.columns.map(({ name, type, unique }) => [name, type, unique])).toEqual([
    ...[
      ['id', 'bigint', false],
      ['email', 'varchar', true],
      ['status', 'enum', false],
      ['balance', 'decimal', false],
    ],
    ...[
      ['photo', 'blob', false],
      ['meta', 'json', false],
      ['created_at', 'datetime', false],
    ],
  ])
  expect(customer?.columns[2]?.values.map(({ value }) => value)).toEqual(['new', 'old'])
  expect(order?.columns[1]?.references).toBe('customer')
})

test('one table name in two databases: the reference, the statement and its database lead to their own', () => {
  const tables = tablesOfMysql(`USE a; CREATE TABLE t (id int PRIMARY KEY); USE b; CREATE TABLE \`t\` (\`id\` int(11) unsigned, PRIMARY KEY (\`id\`));
    CREATE TABLE IF NOT EXISTS b.u (id int PRIMARY KEY, t int, CONSTRAINT x FOREIGN KEY (t) REFERENCES t (id))`)
  expect(tables.map(({ name }) => name)).toEqual(['t', 'b_t', 'u'])
  expect(tables[2]?.columns[1]?.references).toBe('b_t')
  const of = (text: string, database: string) => {
    const { operations, leftOut } = operationsOf([{ text, calls: 9, meanMs: 1, rows: 9, schema: database }], tables, 1, 'mysql')
    return operations[0]?.name ?? leftOut[0]
  }
  expect(of('SELECT * FROM t WHERE id = ?', 'a')).toBe('get_t')
  expect(of('SELECT * FROM t WHERE id = ?', 'b')).toBe('get_b_t')
  expect(of('SELECT * FROM b.t WHERE id = ?', 'a')).toBe('get_b_t')
  expect(of('SELECT * FROM t WHERE id = ?', 'c')).toContain('c.t is not among the tables')
})

test.each([
  [
    "SELECT a FROM `t``x` WHERE b = 'it''s \\' ?' AND c = \"x\" AND d = -1.5e3 AND e = x'00'",
    'SELECT a FROM `t``x` WHERE b = ? AND c = ? AND d = ? AND e = ?',
  ],
  ['select /* 1 */ a -- 2\n from t1 # 3\n where a3 in (1, 2,3) limit 40, 20', 'select a from t1 where a3 IN (?) limit ?, 20'],
  ["SELECT a FROM t WHERE b = 0b0101 AND c = b'1'", 'SELECT a FROM t WHERE b = ? AND c = ?'],
  ['SELECT a FROM t LIMIT 20 OFFSET 40;', 'SELECT a FROM t LIMIT 20 OFFSET ?'],
  ['SELECT a, count(*) FROM t GROUP BY 1, 2 HAVING count(*) > 3', 'SELECT a, count(*) FROM t GROUP BY 1, 2 HAVING count(*) > ?'],
  ['SELECT a FROM t FORCE INDEX (PRIMARY) WHERE a = 1', 'SELECT a FROM t WHERE a = ?'],
  [
    "INSERT INTO t (a) VALUES (1), ('x'),(now()) ON DUPLICATE KEY UPDATE a = VALUES(a)",
    'INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a)',
  ],
])('values are left out: %s', (text, expected) => {
  expect(withoutValues(text).text).toBe(expected)
})

const mysql = (text: string, calls = 10, rows = calls) => {
  const { operations, leftOut } = operationsOf([{ text: withoutValues(text).text, calls, meanMs: 0.1, rows }], tablesOfMysql(schema), 10, 'mysql')
  return leftOut[0] ?? operations.map(({ name, definition }) => `${name}: ${definition}`).join()
}
test.each([
  ['INSERT INTO customer (id) VALUES (1) ON DUPLICATE KEY UPDATE email = VALUES(email)', 'put_customer: put: customer, rate: 1/s, p99: 20ms'],
  ["REPLACE INTO customer SET id = 1, email = ''", 'put_customer: put: customer, rate: 1/s, p99: 20ms'],
  [
    'SELECT * FROM `order` o LEFT JOIN order_item i ON i.order_id = o.id WHERE o.id = 1',
    'get_order: get: order, with: [order_item], rate: 1/s, p99: 20ms',
  ],
  [
    'SELECT * FROM `order` WHERE customer_id = 1 AND (created_at < 2 OR (created_at = 2 AND id < 3)) ORDER BY created_at DESC, id DESC LIMIT 20',
    'list_order_by_customer_id: list: order, where: { customer_id: any }, order_by: -created_at, limit: 20, page: { deep: 100% }, rate: 1/s, p99: 20ms',
  ],
  [
    "SELECT * FROM customer WHERE MATCH (email) AGAINST ('x' IN BOOLEAN MODE) LIMIT 7",
    'search_customer_by_email: search: customer, in: [email], limit: 7, rate: 1/s, p99: 20ms',
  ],
  [
    'SELECT DATE(created_at), sum(total) FROM `order` WHERE created_at >= 1 AND created_at < 2 GROUP BY 1',
    'total_order_by_created_at: aggregate: order, group_by: day(created_at), sum: total, over: 30d, rate: 1/s, p99: 20ms, scales: false',
  ],
  ['SELECT @@version_comment LIMIT 1', ''],
  ['SELECT * FROM information_schema.tables WHERE a = 1', ''],
])('what MySQL writes otherwise: %s', (text, expected) => {
  expect(mysql(text)).toBe(expected)
})

test('what is left out is said', async () => {
  const header = '# User@Host: a[a] @ b []\n# Query_time: 0.001  Lock_time: 0  Rows_sent: 1  Rows_examined: 9\nuse shop;\nSET timestamp=1700000000;\n'
  const log = `${header}SELECT * FROM customer c, \`order\` o;\n${header}SELECT FROM;\n`.repeat(2)
  const { leftOut = [] } = draftedFrom({ tables: tablesOfMysql(schema), statements: await read(log) }, 'mysql')
  expect(leftOut.map((line) => line.replace(/:.*/, ''))).toEqual([
    '2/s, a join of more than a row and those that it owns',
    '2/s, could not be parsed',
  ])
})

const entry = (statement: string, schemaLine = '# Thread_id: 3  Schema: shop  QC_hit: No') =>
  `# User@Host: root[root] @ localhost []\n${schemaLine}\n# Query_time: 0.001  Rows_sent: 1\nSET timestamp=1700000000;\n${statement};\n`

test.each([
  ['shop  QC_hit: No', 'shop'],
  ['  QC_hit: No', undefined],
  ['two words  Last_errno: 0  Killed: 0', 'two words'],
])('the database of a header: %s', async (text, expected) => {
  const { counted } = await read(entry('select 1', `# Thread_id: 3  Schema: ${text}`))
  expect(counted.map((each) => each.schema)).toEqual([expected])
})

test('long lines that are nearly a header or a banner take no longer than others', async () => {
  const long = 300_000
  for (const line of [`# Schema:${' '.repeat(long)}x`, `a, Version: ${', Version: '.repeat(long / 10)}`, `Tcp port: ${' '.repeat(long)}x`])
    expect((await read(entry(`select 1\n${line}\n`, line))).counted.length).toBe(1)
}, 10_000)

test('many tables are read one after the other', () => {
  expect(tablesOfMysql(Array.from({ length: 20_000 }, (_, at) => `create table t${at} (id int primary key);`).join('\n')).length).toBe(20_000)
}, 10_000)

test('of long statements only what is kept of them stays in memory', async () => {
  const entries = Readable.from(
    (function* () {
      for (let at = 0; at < 60; at++) yield Buffer.from(entry(`select a${at}_${'b'.repeat(1_000_000)} from t`))
    })(),
  )
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  const { counted } = await readSlowLog(entries)
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6)
  expect(counted.length).toBe(60)
})

const draftOf = async (log: string) => draftedFrom({ tables: tablesOfMysql(schema), statements: await read(log) }, 'mysql')

test('of what could not be read nothing is told but its verb and its tables, and of quotes that do not end only how many', async () => {
  const odd = entry("insert into customer (email, status) values ('C:\\','ann@example.com secret') /* it's */").repeat(2)
  const { leftOut, notes } = await draftOf(odd + entry('select secret from from customer').repeat(2))
  expect(leftOut).toEqual(['2/s, could not be parsed: INSERT customer', '2/s, could not be parsed: SELECT customer'])
  expect(notes).toEqual([])
  const endless = await draftOf(entry("insert into customer (email, status) values ('C:\\','ann@example.com secret')"))
  expect(endless).toMatchObject({ leftOut: [], notes: [expect.stringMatching(/^the quotes of 1 statements do not end/)] })
})

test('a log that somebody wrote into a row is a value, in one part or in many', async () => {
  for (const filler of ['', "it''s \\' ".repeat(400_000)]) {
    const pasted = `${filler}\nit\\'s\n${entry('delete from customer').replaceAll("'", '')}`
    const { counted, notes } = await read(
      `${entry("/* don't */ select 1 -- don't\n")}${entry(`update customer set email = '${pasted}' where id = 1`)}${entry('select 2 from t')}`,
    )
    const texts = counted.map(({ text }) => text).sort()
    expect(texts).toEqual(['select ?', 'select ? from t', expect.stringMatching(/^update customer set email = \?( where id = \?)?$/)])
    expect(notes).toEqual([])
  }
})

test('what steers a terminal stands in a draft as what it is', () => {
  const leftOut = ['a\x1b[2Jb', 'c\u0085d', 'e\u202ef', 'g\u2028h']
  const rest = { name: 'x', summary: '', day: '2026-01-01', peak: '3x', durability: 'fsync' as const, candidates: [], entities: [] }
  const text = draftText({ ...rest, leftOut })
  expect(text.match(/left out: .*/g)).toEqual(['a\\u{1b}[2Jb', 'c\\u{85}d', 'e\\u{202e}f', 'g h'].map((each) => `left out: ${each}`))
})

test('what is no log, or a broken one, is read to its end in bounded time and memory', async () => {
  const source = new Source().restart(7, 1)
  const noise = Buffer.from(Array.from({ length: 200_000 }, () => Math.floor(source.next() * 256)))
  expect((await read(noise)).counted).toEqual([])
  expect((await read('# Time: x\n')).counted).toEqual([])
  expect((await read('# Time: x\n# administrator command: Prepare;\n# User@Host: a\n# administrator command: Quit;\n')).counted).toEqual([])
  const head = '# Time: 1\nSET timestamp=1;\n'
  for (const part of ['(', "'", '`', '/*', 'use index (', 'in (?,', 'LIMIT 1,', ', ; ', '--', '- ', 'values (', '1', 'a', '\\', '# ', '0x', '\0']) {
    const { counted } = await read(`${head}select ${part.repeat(700_000 / part.length)}`)
    expect(counted.length).toBeLessThanOrEqual(1)
    for (const { text } of counted) expect(text.length).toBeLessThanOrEqual(4000)
    expect(() =>
      operationsOf(
        counted.map((each) => ({ ...each, calls: 9 })),
        tablesOfMysql(schema),
        1,
        'mysql',
      ),
    ).not.toThrow()
    expect(tablesOfMysql(`create table t (${part.repeat(1000)}`).length).toBeLessThanOrEqual(1)
  }
  const cut = await readSlowLog(Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(1 << 16, 'x'))))
  expect(cut.counted).toEqual([])
  const many = await read(Array.from({ length: 10_500 }, (_, at) => `${head}select a${at} from t;\n`).join(''))
  expect(many.counted.length).toBe(500)
  expect(many.notes.join()).toMatch(/^500 calls were of statements beyond the first 10000 .*9500 statements/)
}, 60_000)
