/** SQL whose placeholders have no numbers: each is bound by itself, in the order in which they stand; and indexes of a product that has no partial ones. */
import { expect, test } from 'vitest'
import { parametersOf } from '../../../src/data/parameters.ts'
import { mariadb } from '../../../src/engines/mariadb/index.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import type { SqlProgram } from '../../../src/families/relational/compile.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

const scenario = parseScenario(
  `name: own
summary: "Own"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
  e: { count: 100k, fields: { id: { type: uuid, key: true }, a: { type: int, range: [0, 9] }, at: { type: timestamp, within: 9d }, s: { type: enum, values: { common: 99, rare: 1 } }, w: { type: words, count: [90, 100] } } }
  l: { owned_by: e, per_owner: { range: [0, 3] }, fields: { e_id2: { ref: e }, n: { type: int, range: [0, 9] } } }
operations:
  page: { list: e, where: { a: any }, order_by: -at, limit: 5, page: { deep: 50% }, rate: 10/s, p99: 1s }
  rare: { list: e, where: { s: rare }, order_by: at, limit: 5, rate: 10/s, p99: 1s }
  wide: { list: e, where: { w: any }, order_by: a, limit: 5, rate: 10/s, p99: 1s }
  days: { aggregate: e, where: { a: any }, group_by: day(at), over: 5d, rate: 1/s, p99: 1s }
  tx: { transaction: [ { insert: e, with: [l] }, { update: e, via: l.e_id2, set: { s: any }, add: { a: l.n } } ], rate: 1/s, p99: 1s }
  own: { get: e, fields: [a], native: { mariadb: "SELECT a FROM e WHERE id = :key_id AND :key_id IS NOT NULL" }, rate: 1/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [mariadb]
`,
  'own.yaml',
)
const operations = allOperations(scenario)
const model = deriveModel(mariadb, scenario)
const compiled = mariadb.compile(model, operations, scenario, 'fsync')

/** The statements of an operation, with the name of what is bound in each place. */
function bound(name: string, variant: number): string[] {
  const at = operations.findIndex((operation) => operation.name === name)
  const parameters = parametersOf(scenario, operations[at] as (typeof operations)[number])
  return ((compiled.programs[at] as SqlProgram).variants[variant] ?? []).map(({ text, binds }) => {
    const names = binds.map((each) => parameters[each]?.name)
    return text.replaceAll('?', () => `:${names.shift()}`)
  })
}

test('what is used twice is bound twice, each value where it stands', () => {
  expect(bound('page', 1)).toEqual([
    expect.stringContaining(
      'WHERE `a` = :where.a AND (`at` < :after.at OR (`at` = :after.at AND `id` < :after.id)) ORDER BY `at` DESC, `id` DESC LIMIT 5',
    ),
  ])
  expect(bound('days', 0)[0]).toContain('WHERE `a` = :where.a AND `at` >= :from AND `at` < :to GROUP BY 1 ORDER BY 1')
  expect(bound('own', 0)).toEqual(['SELECT a FROM e WHERE id = :key.id AND :key.id IS NOT NULL'])
})

test('owned rows and targets are one document, which comes where it is read', () => {
  const [, lines, targets] = bound('tx', 0)
  expect(lines).toContain('SELECT :0.row.id, ')
  expect(lines).toContain('FROM JSON_TABLE(:0.lines.l, ')
  expect(targets).toMatch(
    /^UPDATE JSON_TABLE\(:1\.targets, .* STRAIGHT_JOIN `e` e FORCE INDEX \(PRIMARY\) ON e\.`id` = UNHEX\(target\.id\) SET e\.`s` = :1\.set\.s, e\.`a` = e\.`a` \+ target\.amount_1$/,
  )
})

test('there is no partial index, and none whose first column is longer than an entry', () => {
  const indexes = model.stores.find((store) => store.name === 'e')?.indexes ?? []
  expect(indexes.flatMap((index) => index.where)).toEqual([])
  expect(indexes.map((index) => index.columns.map(({ field }) => field))).toContainEqual(['s', 'at', 'id'])
  expect(indexes.filter((index) => index.serves.includes('wide'))).toEqual([])
  expect(compiled.ddl.join('\n')).not.toMatch(/ INCLUDE | WHERE /)
})
