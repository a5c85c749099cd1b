/** Scenarios that `init` writes: from flags and from CREATE TABLE statements; what it writes is valid. */
import { expect, test } from 'vitest'
import { TrialError } from '../../../src/errors.ts'
import { entitiesOfDdl } from '../../../src/init/ddl.ts'
import { draftText, identifierOf } from '../../../src/init/draft.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

function scenarioOf(ddl: string, dialect: Parameters<typeof entitiesOfDdl>[1] = 'postgresql') {
  const draft = {
    name: 'shop',
    summary: 'x',
    day: '2026-01-01',
    entities: entitiesOfDdl(ddl, dialect),
    peak: '3x',
    durability: 'fsync' as const,
    candidates: ['postgres'],
  }
  return parseScenario(draftText(draft), 'shop.yaml')
}

test('types, keys, references, owned tables, enumerations', () => {
  const scenario = scenarioOf(`
    CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
    CREATE TABLE public."Customers" (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(), "eMail" varchar(255) NOT NULL UNIQUE, balance numeric(10, 2) CHECK (balance >= 0),
      status text CHECK (status IN ('new', 'old')), mood mood, meta jsonb, photo bytea, tags text[], created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE orders (id bigserial, customer_id uuid NOT NULL REFERENCES public."Customers" (id), paid boolean, PRIMARY KEY (id));
    CREATE TABLE order_items (
      order_id bigint, line int, sku varchar(20), PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
    );
    CREATE TABLE log (message text);
    CREATE INDEX ON orders (customer_id);
  `)
  const field = (entity: string, name: string) => scenario.entities.find((each) => each.name === entity)?.fields.find((each) => each.name === name)
  expect(scenario.entities.map((each) => [each.name, each.owner?.entity])).toEqual([
    ['customers', undefined],
    ['orders', undefined],
    ['order_items', 'orders'],
    ['log', undefined],
  ])
  expect(field('customers', 'e_mail')).toMatchObject({ type: 'email', unique: true })
  expect(field('customers', 'balance')).toMatchObject({ type: 'decimal', scale: 2 })
  expect(field('customers', 'status')?.generator).toMatchObject({ values: ['new', 'old'] })
  expect(field('customers', 'mood')?.generator).toMatchObject({ values: ['sad', 'it\'s "ok"'] })
  expect(field('customers', 'tags')?.type).toBe('words')
  expect(field('orders', 'customer_id')?.generator).toMatchObject({ kind: 'reference', entity: 'customers' })
  expect(field('log', 'id')?.type).toBe('uuid')
})

test('SQLite, too, whose types are optional', () => {
  const scenario = scenarioOf('CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, kind, born DATETIME, score REAL) STRICT;', 'sqlite')
  expect(scenario.entities[0]?.fields.map((each) => [each.name, each.type])).toEqual([
    ['id', 'int'],
    ['kind', 'words'],
    ['born', 'timestamp'],
    ['score', 'decimal'],
  ])
})

test.each([
  ['no SQL', 'hello world', /this is no postgresql SQL/],
  ['no table', 'SELECT 1;', /there is no CREATE TABLE/],
])('%s is said', (_, ddl, message) => {
  expect(() => entitiesOfDdl(ddl, 'postgresql')).toThrow(message)
  expect(() => entitiesOfDdl(ddl, 'postgresql')).toThrow(TrialError)
})

test('names and texts of a foreign schema stay data', () => {
  const scenario = scenarioOf(
    `CREATE TABLE "a'; drop table x --" ("<script>" text, "line\u2028break: yes" geometry, "1st" int, "e" text CHECK ("e" IN ('# no comment', '{ }')), id int PRIMARY KEY)`,
  )
  expect(scenario.entities[0]?.name).toBe('a_drop_table_x')
  expect(scenario.entities[0]?.fields.map((each) => each.name)).toEqual(['script', 'line_break_yes', 'st', 'e', 'id'])
  expect(scenario.entities[0]?.fields[3]?.generator).toMatchObject({ values: ['# no comment', '{ }'] })
  expect(identifierOf('😀')).toBe('unnamed')
})
