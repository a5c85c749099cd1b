import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { TrialError } from '../../../src/errors.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

const valid = readFileSync(fileURLToPath(new URL('../../../scenarios/ecommerce.yaml', import.meta.url)), 'utf8')

function messages(text: string): string[] {
  try {
    parseScenario(text, 's.yaml')
    return []
  } catch (error) {
    if (!(error instanceof TrialError)) throw error
    expect(error.exitCode).toBe(2)
    return error.message.split('\n')
  }
}

/** The valid scenario with one text replaced; the line where that happened. */
function broken(from: string, to: string): { text: string; line: number } {
  expect(valid).toContain(from)
  const at = valid.indexOf(from)
  return { text: valid.replace(from, to), line: valid.slice(0, at).split('\n').length }
}

describe('a broken scenario', () => {
  test.each([
    ['an unknown key', 'rate: 900/s, p99: 10ms', 'rat: 900/s, p99: 10ms', ['operations.get_product.rat: unknown key, did you mean "rate"?']],
    ['a wrong unit', 'rate: 900/s', 'rate: 900', ['operations.get_product.rate: expected a rate such as 900/s, 6/min or 40/h']],
    ['a rate without a unit', 'rate: 150/s', 'rate: 150/sec', ['operations.get_order.rate: expected a rate such as 900/s, 6/min or 40/h']],
    [
      'a duration in a wrong unit',
      'p99: 20ms, consistency',
      'p99: 20 millis, consistency',
      ['operations.get_order.p99: expected a duration such as 20ms, 30d or 3y'],
    ],
    [
      'a missing entity',
      '{ get: product, rate',
      '{ get: prodict, rate',
      ['operations.get_product.get: there is no entity "prodict", did you mean "product"?'],
    ],
    [
      'a missing field',
      'order_by: -created_at',
      'order_by: -create_at',
      ['operations.order_history.order_by: order has no field "create_at", did you mean "created_at"?'],
    ],
    [
      'an unknown operation kind',
      '{ put: session, pick',
      '{ putt: session, pick',
      [
        'operations.write_session: an operation says what it does with one of get, list, search, aggregate, insert, put, update, delete, transaction, read_modify_write, touch, rank, did you mean "put"?',
      ],
    ],
    [
      'an unknown field type',
      '{ type: words, count',
      '{ type: word, count',
      ['entities.product.fields.name.type: "word" is no field type, did you mean "words"?'],
    ],
    [
      'a constant outside the enum',
      'status: shipped, updated_at',
      'status: shiped, updated_at',
      ['operations.ship_order.set.status: "shiped" is no value of "status", did you mean "shipped"?'],
    ],
    [
      'a search in a field without words',
      'in: [name]',
      'in: [price]',
      ['operations.search_products.in.0: only fields of type words can be searched, "price" is decimal'],
    ],
    [
      'a sum of what is no number',
      'sum: total',
      'sum: status',
      ['operations.daily_revenue.sum: "status" is enum: only int and decimal fields can be summed'],
    ],
    [
      'shares that do not add up',
      'existing: 98%',
      'existing: 90%',
      ['operations.write_session.keys: the shares of existing and new keys must add up to 100%'],
    ],
    [
      'an update through a reference that nobody inserts',
      'via: order_item.product_id',
      'via: product.id',
      ['operations.place_order.transaction.1.via: "via" follows owned rows that an earlier step inserts (known: order_item)'],
    ],
    [
      'an unparsable invariant',
      'sum(order_item.quantity)"',
      'sum(order_item.quantty)"',
      ['invariants.stock_moves.conserve: "quantty" is no numeric field of order_item, did you mean "quantity"?'],
    ],
    [
      'a second key',
      'email:      { type: email, unique: true',
      'email:      { type: uuid, key: true',
      ['entities.customer.fields: entity "customer" has 2 keys: exactly one field may be the key'],
    ],
    ['an unknown option', 'effort: quick', 'effort: fast', ['bench.effort: "fast" is none of them: there are smoke, quick, standard, thorough']],
    [
      'a hostile name',
      'customer_id: { ref: customer',
      '"\'; drop table": { ref: customer',
      ["entities.order.fields.'; drop table: expected a name of a-z, 0-9 and _, starting with a letter, at most 40 long"],
    ],
  ])('%s', (_name, from, to, expected) => {
    const { text, line } = broken(from, to)
    const found = messages(text)
    expect(found.map((each) => each.replace(/^s\.yaml:\d+:\d+: /, ''))).toEqual(expected)
    expect(found.some((each) => Math.abs(Number(/^s\.yaml:(\d+):/.exec(each)?.[1]) - line) <= 12)).toBe(true)
  })

  test('points at the very line and column', () => {
    const { text, line } = broken('rate: 900/s, p99: 10ms', 'rat: 900/s, p99: 10ms')
    const column = (text.split('\n')[line - 1] as string).indexOf('rat:') + 1
    expect(messages(text)).toContain(`s.yaml:${line}:${column}: operations.get_product.rat: unknown key, did you mean "rate"?`)
  })

  test('tells all errors at once, of grammar and of meaning', () => {
    const text = valid
      .replace('rate: 900/s', 'rate: fast')
      .replace('order_by: -created_at', 'order_by: -nothing')
      .replace('sum: total', 'sum: status')
    expect(messages(text)).toHaveLength(3)
  })

  test('does not blame references to an entity that is itself broken', () => {
    expect(messages(valid.replace('count: 2M', 'count: two million'))).toEqual([
      expect.stringContaining('entities.customer.count: expected a count such as 500, 200k or 60M'),
    ])
  })

  test('broken YAML names the line', () => {
    expect(messages('name: [unclosed\nsummary: x')[0]).toMatch(/^s\.yaml:\d+:\d+: /)
    expect(messages('name: a\nname: b').join('\n')).toMatch(/^s\.yaml:2:1: .*unique/m)
  })

  test('is no crash, whatever is in it', () => {
    for (const text of [
      '',
      '[]',
      'null',
      '42',
      '{}',
      'a: &a [*a]',
      'entities: 3',
      'entities: { a: null }',
      'operations: { a: [] }',
      '\u0000',
      `name: ${'x'.repeat(10_000)}`,
    ]) {
      expect(messages(text).length).toBeGreaterThan(0)
    }
  })
})

test('the scenario of the library is valid, and warns of nothing', () => {
  const scenario = parseScenario(valid, 's.yaml')
  expect(scenario.operations).toHaveLength(10)
  expect(scenario.entities.find((entity) => entity.name === 'order_item')?.count).toBe(180e6)
})
