/** Fields that some rows have no value of: what the language says of them, what is drawn, and how each family finds and orders such rows. */
import { expect, test } from 'vitest'
import { makeDataset, rowValues } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { cell, rowSource } from '../../../src/data/rows.ts'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { rowBytes } from '../../../src/families/sizes.ts'
import { entitiesOf, plainColumn } from '../../../src/init/tables.ts'
import { dictionaryRows } from '../../../src/report/data-dictionary.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import { entityOf, type Scenario } from '../../../src/scenario/scenario.ts'
import { Reference } from '../../../src/verify/reference.ts'

const load = 'rate: 1/s, p99: 1s'
const textOf = (operations: string[], more = '') => `
name: optional
summary: "rows without a value"
seed: 5
epoch: 2026-03-01T00:00:00Z
entities:
  agent: { count: 20, fields: { id: { type: uuid, key: true } } }
  ticket:
    count: 2k
    fields:
      id: { type: uuid, key: true }
      queue: { type: int, range: [1, 4] }
      agent_id: { ref: agent, optional: 20% }
      due_at: { type: timestamp, within: 30d, optional: 30% }
      points: { type: int, range: [1, 9], optional: 50% }
      note: { type: words, count: [1, 2], optional: 75% }
${more}
operations:
${operations.map((each) => `  ${each}`).join('\n')}
requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
`
const scenarioOf = (...operations: string[]): Scenario => parseScenario(textOf(operations), 'optional.yaml')
const refused = (operation: string) => () => scenarioOf(operation)

test('what needs a value in every row is refused with its place', () => {
  expect(refused(`a: { update: ticket, add: { points: 1 }, ${load} }`)).toThrow(/operations\.a\.add\.points: "points" is optional/)
  expect(refused(`a: { insert: ticket, expects: agent_id.version, ${load} }`)).toThrow(/operations\.a\.expects: "agent_id" is optional/)
  expect(refused(`a: { search: ticket, in: [note], limit: 3, ${load} }`)).toThrow(/operations\.a\.in\.0: "note" is optional/)
  expect(refused(`a: { list: ticket, where: {}, order_by: due_at, limit: 3, page: deep, ${load} }`)).toThrow(/operations\.a\.page: a deep page/)
  expect(refused(`a: { list: ticket, where: { queue: { is: null } }, order_by: id, limit: 3, ${load} }`)).toThrow(/every row has a value of "queue"/)
  expect(refused(`a: { update: ticket, set: { queue: null }, ${load} }`)).toThrow(/operations\.a\.set\.queue: every row has a value/)
  expect(refused(`a: { insert: ticket, set: { queue: null }, ${load} }`)).toThrow(/operations\.a\.set\.queue: every row has a value/)
  expect(refused(`a: { update: ticket, set: { points: 1 }, if: { queue: { is: null } }, ${load} }`)).toThrow(/every row has a value of "queue"/)
  const get = [`a: { get: agent, ${load} }`]
  const of = (field: string) => () => parseScenario(textOf(get, `  other: { count: 9, fields: { ${field} } }`), 'optional.yaml')
  expect(of('id: { type: uuid, key: true, optional: 5% }')).toThrow(/every row has a key/)
  expect(of('id: { type: uuid, key: true }, mail: { type: email, unique: true, optional: 5% }')).toThrow(/a unique field has a value in every row/)
  expect(of('id: { type: uuid, key: true }, n: { type: bool, optional: 100% }')).toThrow(/more than 0% and less than 100%/)
})

test('the share of the rows that it says has no value, the same ones for the same seed, and takes no bytes', () => {
  const scenario = scenarioOf(`a: { get: ticket, ${load} }`)
  const data = makeDataset(scenario, 1).entities.get('ticket')!
  const rows = Array.from({ length: data.rows }, (_, row) => rowValues(data, row, 0, scenario.epochMs))
  const shareOf = (at: number) => rows.filter((row) => row[at] === null).length / rows.length
  for (const [at, share] of [0, 0, 0.2, 0.3, 0.5, 0.75].entries()) expect(Math.abs(shareOf(at) - share)).toBeLessThan(share / 10 + 1e-9)
  const block = [...rowSource(makeDataset(scenario, 1), 0, 1).blocks()].find(({ entity }) => entity === 'ticket')
  expect(block!.columns.map((column) => cell(column, 7))).toEqual(rows[7])
  expect(rowBytes(entityOf(scenario, 'ticket'))).toBeCloseTo(16 + 8 + 0.8 * 16 + 0.7 * 8 + 0.5 * 8 + 0.25 * 10.5)
})

test('a filter by any is about a value, and what is written may be none', () => {
  const scenario = scenarioOf(
    `of: { list: ticket, where: { agent_id: any }, order_by: id, limit: 3, ${load} }`,
    `set: { update: ticket, set: { points: any }, ${load} }`,
  )
  const params = new DrawnParameters(makeDataset(scenario, 1), scenario.operations, 'test', 0, scenario.epochMs)
  const written: boolean[] = []
  for (let call = 0; call < 200; call++) {
    params.next(0)
    expect(params.value(0)).not.toBeNull()
    expect(params.isNull(0)).toBe(false)
    params.next(1)
    expect(params.isNull(1)).toBe(params.value(1) === null)
    written.push(params.isNull(1))
  }
  expect(written.filter(Boolean).length).toBeGreaterThan(60)
  expect(written.filter(Boolean).length).toBeLessThan(140)
})

test('the reference puts no value first, in no range, in a group of its own, and adds nothing for it', () => {
  const scenario = scenarioOf(
    `first: { list: ticket, where: {}, order_by: due_at, limit: 1000, fields: [due_at], ${load} }`,
    `last: { list: ticket, where: {}, order_by: -due_at, limit: 1000, fields: [due_at], ${load} }`,
    `low: { list: ticket, where: { points: { lt: 99 } }, order_by: id, limit: 1000, fields: [points], ${load} }`,
    `groups: { aggregate: ticket, group_by: points, sum: points, ${load} }`,
    `claim: { update: ticket, set: { points: 3 }, if: { points: { is: null } }, ${load} }`,
    `cap: { update: ticket, set: { points: null }, if: { points: { lte: 9 } }, ${load} }`,
  )
  const dataset = makeDataset(scenario, 1)
  const reference = new Reference(dataset, scenario.operations)
  const params = new DrawnParameters(dataset, scenario.operations, 'test', 0, scenario.epochMs)
  const ask = (at: number) => {
    params.next(at)
    return reference.execute(at, params)
  }
  const columnOf = (at: number) => {
    const answer = ask(at)
    return answer.kind === 'rows' ? answer.rows.map(([value]) => value) : []
  }
  expect(columnOf(0)[0]).toBeNull()
  expect(columnOf(0).at(-1)).not.toBeNull()
  expect(columnOf(1)[0]).not.toBeNull()
  expect(columnOf(2)).not.toContain(null)
  const groups = ask(3)
  expect(groups.kind === 'groups' && groups.groups[0]).toEqual([null, expect.any(Number), 0n])
  const outcomes = (at: number) => Array.from({ length: 60 }, () => ask(at)).map((answer) => (answer.kind === 'wrote' ? answer.outcome : ''))
  expect(new Set(outcomes(4))).toEqual(new Set(['ok', 'conflict']))
  expect(new Set(outcomes(5))).toEqual(new Set(['ok', 'conflict']))
})

const lists = [
  `nobodys: { list: ticket, where: { queue: any, agent_id: { is: null } }, order_by: -due_at, limit: 9, ${load} }`,
  `noted: { list: ticket, where: { note: { is: not null } }, order_by: id, limit: 9, ${load} }`,
  `assigned: { list: ticket, where: { agent_id: { is: not null } }, order_by: id, limit: 9, ${load} }`,
  `of_agent: { list: ticket, where: { agent_id: any }, order_by: id, limit: 9, ${load} }`,
]
const compiled = (name: string) => {
  const scenario = scenarioOf(...lists)
  const operations = allOperations(scenario)
  const model = deriveModel(engineNamed(name), scenario)
  return engineNamed(name).compile(model, operations, scenario, 'fsync')
}

test('PostgreSQL finds the fewer rows by a partial index, in an order that it has', () => {
  const { ddl, programs } = compiled('postgres')
  expect(ddl.join('\n')).toContain('"agent_id" uuid,')
  expect(ddl.join('\n')).toContain('("queue", "due_at" DESC NULLS LAST, "id" DESC) WHERE "agent_id" IS NULL')
  expect(ddl.join('\n')).toContain('("id") WHERE "note" IS NOT NULL')
  expect(ddl.filter((text) => text.includes('WHERE "agent_id" IS NOT NULL'))).toEqual([])
  expect(programs[0]?.shown[0]).toContain('WHERE "queue" = $1 AND "agent_id" IS NULL ORDER BY "due_at" DESC NULLS LAST, "id" DESC LIMIT 9')
})

test('the data dictionary says which columns may have no value', () => {
  const rows = dictionaryRows(compiled('postgres').model.stores, scenarioOf(...lists))
  const constraintOf = (name: string) => rows.find(([store, column]) => store === 'ticket' && column === name)?.[3]
  expect(constraintOf('agent_id')).toBe('refers to agent; no value in 20 % of the rows')
  expect(constraintOf('queue')).toBe('—')
})

test('MariaDB finds rows without a value in an index of all', () => {
  const { ddl } = compiled('mariadb')
  expect(ddl.join('\n')).toMatch(/\((`agent_id`, `queue`|`queue`, `agent_id`), `due_at` DESC, `id` DESC\)/)
  expect(ddl.join('\n')).not.toContain('NULLS')
})

test('tables and sets hold the rows that have what they are ordered by, and what asks for others is excused', () => {
  for (const name of ['cassandra', 'redis']) {
    const { model } = compiled(name)
    expect(model.excuses.map(({ operation }) => operation)).toEqual(['nobodys', 'noted', 'assigned'])
    for (const { reason } of model.excuses) expect(reason).toMatch(/asks for rows by whether they have a/)
  }
})

test('a column that may be null is drafted as optional, unless an operation needs its values', () => {
  const column = (name: string, nullShare: number) => ({ ...plainColumn(name), type: 'integer', nullShare })
  const table = {
    name: 'ticket',
    columns: [{ ...plainColumn('id'), type: 'uuid' }, column('points', 0.254), column('visits', 0.5)],
    key: ['id'],
    rows: 100,
  }
  const [entity] = entitiesOf([table], [{ name: 'visit', definition: 'update: ticket, add: { visits: 1 }, rate: 1/s' }])
  expect(entity?.fields.map(({ definition }) => /optional.*/.exec(definition)?.[0] ?? '')).toEqual(['', 'optional: 25%', ''])
  expect(entity?.fields[2]?.note).toBe('null in 50 % of the rows, and visit needs a value')
})
