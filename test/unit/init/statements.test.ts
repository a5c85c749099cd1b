/** Operations from statements as people and their libraries write them, with what a server keeps of them: no values. */
import { expect, test } from 'vitest'
import { operationsOf } from '../../../src/init/statements.ts'
import { plainColumn, type Table } from '../../../src/init/tables.ts'

const table = (name: string, key: string[], columns: Record<string, string | { references: string }>, rows = 1000): Table => ({
  name,
  key,
  rows,
  columns: Object.entries(columns).map(([column, type]) =>
    typeof type === 'string' ? { ...plainColumn(column), type } : { ...plainColumn(column), type: 'uuid', references: type.references },
  ),
})
const tables = [
  table('customer', ['id'], { id: 'uuid', name: 'character' }),
  table('order', ['id'], { id: 'uuid', customer_id: { references: 'customer' }, status: 'text', total: 'numeric', created_at: 'timestamp' }),
  table('order_item', ['order_id', 'line'], { order_id: { references: 'order' }, line: 'integer', quantity: 'integer' }, 3000),
  table('session', ['id'], { id: 'uuid', payload: 'jsonb' }),
]
const expiring = { ...plainColumn('expires_at'), type: 'timestamp', ages: { oldest: 0, newest: -1, mean: -0.5 } }
const seconds = 100
const of = (text: string, calls = 1000, rows = calls) => {
  const { operations, leftOut } = operationsOf([{ text, calls, meanMs: 0.2, rows }], tables, seconds)
  return leftOut[0] ?? operations.map(({ name, definition }) => `${name}: ${definition}`).join('\n')
}

test.each([
  [
    'SELECT "customer"."id", "customer"."name" FROM "public"."customer" WHERE "customer"."id" = $1 LIMIT $2',
    'get_customer: get: customer, rate: 10/s, p99: 20ms',
  ],
  [
    'SELECT o.* FROM "order" o LEFT JOIN order_item i ON i.order_id = o.id WHERE o.id = $1',
    'get_order: get: order, with: [order_item], rate: 10/s, p99: 20ms',
  ],
  ['SELECT * FROM order_item WHERE order_id = $1 ORDER BY line', 'get_order: get: order, with: [order_item], rate: 10/s, p99: 20ms'],
  ['INSERT INTO "order" (id, customer_id) VALUES ($1, $2) RETURNING id', 'add_order: insert: order, rate: 10/s, p99: 20ms'],
  [
    'INSERT INTO session (id, payload) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET payload = excluded.payload',
    'put_session: put: session, rate: 10/s, p99: 20ms',
  ],
  [
    'UPDATE "order" SET status = $1, total = total + $2 WHERE id = $3',
    'change_order_by_status: update: order, set: { status: any }, add: { total: 1 }, rate: 10/s, p99: 20ms',
  ],
  ['DELETE FROM session WHERE id = $1', 'delete_session: delete: session, rate: 10/s, p99: 20ms'],
  [
    'SELECT date_trunc($1, created_at), count(*), sum(total) FROM "order" WHERE created_at >= $2 AND created_at < $3 GROUP BY 1 ORDER BY 1',
    'total_order_by_created_at: aggregate: order, group_by: day(created_at), sum: total, over: 30d, rate: 10/s, p99: 20ms, scales: false',
  ],
  [
    "SELECT id FROM customer WHERE to_tsvector('simple', name) @@ plainto_tsquery('simple', $1) LIMIT $2",
    'search_customer_by_name: search: customer, in: [name], limit: 1, fields: [id], rate: 10/s, p99: 20ms',
  ],
])('%s', (text, expected) => {
  expect(of(text)).toBe(expected)
})

test('pages of a list are one operation, with the share of the deep ones; its limit is what comes', () => {
  const list = 'SELECT * FROM "order" WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2'
  const deep = 'SELECT * FROM "order" WHERE customer_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4'
  const { operations, leftOut } = operationsOf(
    [
      { text: list, calls: 800, meanMs: 0.1, rows: 800 * 18 },
      { text: deep, calls: 200, meanMs: 0.1, rows: 200 * 18 },
    ],
    tables,
    seconds,
  )
  expect(leftOut).toEqual([])
  expect(operations.map(({ name, definition }) => `${name}: ${definition}`)).toEqual([
    'list_order_by_customer_id: list: order, where: { customer_id: any }, order_by: -created_at, limit: 20, page: { deep: 20% }, rate: 10/s, p99: 20ms',
  ])
})

test('an order that is written with its lines is one operation, as often as the order is written', () => {
  const { operations } = operationsOf(
    [
      { text: 'INSERT INTO order_item (order_id, line, quantity) VALUES ($1, $2, $3)', calls: 3000, meanMs: 0.1, rows: 3000 },
      { text: 'INSERT INTO "order" (id) VALUES ($1)', calls: 1000, meanMs: 0.1, rows: 1000 },
    ],
    tables,
    seconds,
  )
  expect(operations.map(({ definition }) => definition)).toEqual(['insert: order, with: [order_item], rate: 10/s, p99: 20ms'])
})

test.each([
  [
    'SELECT * FROM "order" o JOIN customer c ON c.id = o.customer_id WHERE c.name = $1',
    /10\/s, a join of more than a row and those that it owns: SELECT/,
  ],
  ['SELECT * FROM "order" WHERE created_at > $1', /a list in no order/],
  ['SELECT * FROM "order" WHERE status = $1 ORDER BY created_at', /a list without a limit/],
  ['UPDATE "order" SET status = $1 WHERE customer_id = $2', /an update of other rows than one by its key/],
  ['SELECT avg(total) FROM "order"', /avg cannot be expressed yet/],
  ['SELECT * FROM audit WHERE id = $1', /audit is not among the tables/],
  ['SELECT * FROM customer WHERE id = ANY($1)', /a list in no order/],
  ['DELETE FROM session USING customer WHERE session.id = $1', /a deletion by another table/],
  ['SELECT sum(total), sum(id) FROM "order"', /several sums at once/],
  ['SELECT count(*) FROM "order" WHERE created_at > $1', /an aggregate over a range of another column/],
  ['SELECT id FROM customer UNION SELECT id FROM session', /several queries in one/],
  ['WITH x AS (SELECT 1) SELECT * FROM x', /several statements in one/],
  ['SELECT FROM WHERE 1', /could not be parsed/],
])('what cannot be said is left out, with the reason: %s', (text, why) => {
  expect(of(text)).toMatch(why)
})

test('an insert of many rows is no insert of one', () => {
  expect(of('INSERT INTO customer (id, name) SELECT unnest($1::uuid[]), unnest($2::text[])', 1000, 100_000)).toMatch(/many rows in one insert/)
})

test('what a library writes in front of a statement hides nothing', () => {
  expect(of("/* app:web,route:'/x' */ SELECT * FROM customer WHERE id = $1::uuid")).toBe('get_customer: get: customer, rate: 10/s, p99: 20ms')
})

test('what is no work of the application is not told at all', () => {
  for (const text of ['BEGIN', 'SELECT * FROM pg_catalog.pg_class WHERE oid = $1', 'SET statement_timeout = $1']) expect(of(text)).toBe('')
})

test('a list asks for the columns that it names; of several that name others nobody speaks for all', () => {
  const text = 'SELECT id, total AS sum FROM "order" WHERE status = $1 ORDER BY created_at LIMIT $2'
  expect(of(text)).toContain('limit: 1, fields: [id, total], rate')
  const [operation] = operationsOf(
    [
      { text, calls: 10, meanMs: 1, rows: 10 },
      { text: text.replace('total AS sum', 'status'), calls: 10, meanMs: 1, rows: 10 },
    ],
    tables,
    seconds,
  ).operations
  expect(operation?.definition).not.toContain('fields')
})

test('a time that an update gives is that of the update', () => {
  expect(of('UPDATE "order" SET created_at = $1 WHERE id = $2')).toContain('set: { created_at: now }')
})

test('what dbtrial itself asks a server is no work of the application', () => {
  for (const text of [
    'SELECT calls FROM "public".pg_stat_statements s WHERE s.dbid = $1',
    'SELECT pg_logical_emit_message($1, $2, $3), pg_switch_wal()',
  ])
    expect(of(text)).toBe('')
})

test('rows that expire: readers ask for it, a purge removes them, and neither is more than their life', () => {
  const session = table('session', ['id'], { id: 'uuid', payload: 'jsonb' })
  session.columns.push(expiring)
  const all = [
    'SELECT id, payload FROM session WHERE id = $1 AND expires_at > $2',
    'DELETE FROM session WHERE expires_at < $1',
    'WITH expired AS (SELECT id FROM session WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED) DELETE FROM session WHERE (id) IN (SELECT id FROM expired)',
  ].map((text) => ({ text, calls: 100, meanMs: 0.1, rows: 100 }))
  expect(operationsOf(all, [session], seconds)).toMatchObject({
    operations: [{ name: 'get_session', definition: 'get: session, rate: 1/s, p99: 20ms' }],
    leftOut: [],
  })
})

const product = table('product', ['id'], { id: 'uuid', stock: 'bigint' })
const sold = table('order_item', ['order_id', 'line'], {
  order_id: { references: 'order' },
  line: 'integer',
  product_id: { references: 'product' },
  quantity: 'integer',
})
const shop = [...tables.filter(({ name }) => name !== 'order_item'), sold, product]
const ordered = [
  { text: 'INSERT INTO "order" (id) VALUES ($1)', calls: 100, meanMs: 0.1, rows: 100 },
  { text: 'INSERT INTO order_item (order_id, line) SELECT $1, * FROM unnest($2::int[])', calls: 100, meanMs: 0.1, rows: 300 },
]

test.each([
  ['one by one', 'UPDATE product SET stock = stock - $1 WHERE id = $2', 300],
  [
    'as a list',
    'WITH t AS (SELECT * FROM unnest($1::uuid[]) AS x (key, n)) UPDATE product p SET stock = p.stock - t.n FROM t WHERE p.id = t.key',
    100,
  ],
])('what is added to the rows that owned rows refer to, as often as they are written, is one transaction with them: %s', (_, text, calls) => {
  const drafted = (rows: number) => operationsOf([...ordered, { text, calls: rows === 300 ? calls : 40, meanMs: 0.1, rows }], shop, seconds)
  expect(drafted(300).operations.map(({ definition }) => definition)).toEqual([
    'transaction: [{ insert: order, with: [order_item] }, { update: product, via: order_item.product_id, add: { stock: -order_item.quantity } }], rate: 1/s, p99: 20ms',
  ])
  // Not as often: two operations, of a list each row is a call.
  expect(drafted(80).operations.map(({ definition }) => definition)).toContainEqual(expect.stringMatching(/^insert: order, with: \[order_item\]/))
})

const twice = ['a', 'b'].map((schema) => ({
  ...table(schema === 'a' ? 'order' : 'b_order', ['id'], { id: 'uuid' }),
  source: { schema, name: 'order' },
}))
test.each([
  ['SELECT * FROM b."order" WHERE id = $1', null, /^get_b_order: get: b_order,/],
  ['SELECT * FROM a."order" WHERE id = $1', null, /^get_order: get: order,/],
  ['SELECT * FROM "order" WHERE id = $1', ['none', 'b', 'a'], /^get_b_order: get: b_order,/],
  ['SELECT * FROM "order" WHERE id = $1', null, /order is a table of several schemas, and nothing tells of which here/],
  ['SELECT * FROM c."order" WHERE id = $1', ['a'], /c\.order is not among the tables/],
])('tables of one name in two schemas are told apart: %s in %j', (text, schemas, expected) => {
  const { operations, leftOut } = operationsOf([{ text, calls: 10, meanMs: 1, rows: 10, schemas }], twice, seconds)
  expect(leftOut[0] ?? `${operations[0]?.name}: ${operations[0]?.definition}`).toMatch(expected)
})
