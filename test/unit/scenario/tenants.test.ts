/** Tenants: whose rows are, what is refused of them, which operations do not stay with one, and who asks for a row in verification. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type EntityData, makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { type FieldGenerator, generatedValue } from '../../../src/data/fields.ts'
import { keyValues, parametersOf, positionsOf } from '../../../src/data/parameters.ts'
import { canonical, type Value } from '../../../src/data/value.ts'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { scenario as resultScenario } from '../../../src/result/scenario.ts'
import { planTrials } from '../../../src/run/plan.ts'
import { parseScenario, readScenario } from '../../../src/scenario/read.ts'
import { entityOf, type Scenario } from '../../../src/scenario/scenario.ts'
import { acrossTenants, isOfTenants, tenantsIn } from '../../../src/scenario/tenants.ts'
import { warningsOf } from '../../../src/scenario/warnings.ts'
import { Reference } from '../../../src/verify/reference.ts'
import { addVerification, type Performer, verify } from '../../../src/verify/verify.ts'

const tenants = readScenario(fileURLToPath(new URL('../../engines/awkward/tenants.yaml', import.meta.url)))
const postgresOf = (scenario: Scenario) => {
  const engine = engineNamed('postgres')
  return engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync')
}
const rest = 'rate: 1/s, p99: 1s'

const parsed = (operations: string, fields = 't: { ref: org }', more = '', tenant = 't'): Scenario =>
  parseScenario(
    `name: s
summary: x
seed: 7
tenant: ${tenant}
entities:
  org: { count: 5, fields: { id: { type: int, key: true } } }
  e: { count: 100, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, w: { type: words, count: [1, 2] }, ${fields} } }
  l: { owned_by: e, per_owner: { range: [0, 3] }, fields: { q: { type: int, range: [0, 9] } } }
  ${more}
operations:
  g: { get: e, ${rest} }
  ${operations}
requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
`,
    's.yaml',
  )

test('rows that refer to their tenant are its, those that they own too, and the tenants are their own', () => {
  expect(tenantsIn(tenants)).toBe('org')
  expect(tenants.entities.map(({ name, tenant }) => [name, tenant ?? null])).toEqual([
    ['org', null],
    ['doc', 't'],
    ['line', null],
    ['file', 't'],
    ['part', null],
    ['lock', 't'],
    ['bare', 't'],
  ])
  expect(tenants.entities.every((each) => isOfTenants(tenants, each))).toBe(true)
  expect(resultScenario.parse(tenants).entities.map(({ tenant }) => tenant ?? null)).toEqual([null, 't', null, 't', null, 't', 't'])
})

test.each([
  ['', 't: { ref: org }', '', 'tt', /tenant: no entity refers to its tenant by "tt", did you mean "t"\?/],
  [
    '',
    't: { ref: org }',
    'f: { count: 9, fields: { id: { type: int, key: true }, t: { type: int, range: [1, 5] } } }',
    't',
    /f\.fields\.t: .*expected a reference/,
  ],
  [
    '',
    't: { ref: org }',
    'f: { count: 9, fields: { id: { type: int, key: true }, t: { ref: e } } }',
    't',
    /f\.fields\.t: "t" refers to org elsewhere/,
  ],
  ['', 't: { ref: org }', 'm: { owned_by: e, per_owner: { range: [0, 3] }, fields: { t: { ref: org } } }', 't', /m\.fields\.t: .*remove "t"/],
  ['', 't: { ref: e }', '', 't', /e\.fields\.t: a tenant has no tenant of its own/],
  [`p: { put: e, ${rest} }`, 't: { ref: org }', '', 't', /operations\.p: a put writes over whatever row has its key, of any tenant/],
  [`u: { update: e, set: { t: any }, ${rest} }`, 't: { ref: org }', '', 't', /operations\.u\.set\.t: a row stays with its tenant/],
])('is refused: %s %s %s %s', (operations, fields, more, tenant, message) => {
  expect(() => parsed(operations, fields, more, tenant)).toThrow(message)
})

test('rows that the tenants own have their key, which is no field of the file, and are told by it', () => {
  const own = parseScenario(
    `name: s
summary: x
seed: 7
tenant: tenant_id
entities:
  tenant: { count: 5, fields: { id: { type: int, key: true } } }
  seat: { owned_by: tenant, per_owner: { range: [1, 3] }, fields: { q: { type: int, range: [0, 9] } } }
  e: { count: 100, fields: { id: { type: uuid, key: true }, tenant_id: { ref: tenant } } }
operations:
  g: { get: e, ${rest} }
  get: { get: seat, ${rest} }
  list: { list: seat, where: { tenant_id: any }, order_by: q, limit: 3, ${rest} }
  all: { list: seat, where: { q: any }, order_by: q, limit: 3, ${rest} }
requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
`,
    's.yaml',
  )
  expect(own.entities.map(({ name, tenant }) => [name, tenant ?? null, isOfTenants(own, entityOf(own, name))])).toEqual([
    ['tenant', null, true],
    ['seat', null, true],
    ['e', 'tenant_id', true],
  ])
  expect(own.operations.map((each) => acrossTenants(own, each))).toEqual([null, null, null, 'it reads across tenants: "where" has no tenant_id: any'])
  expect(engineNamed('postgres').handbook(postgresOf(own)).rowRights.statements).toContainEqual(
    expect.stringMatching(/^CREATE POLICY tenant ON "seat" USING \("tenant_id" = /),
  )
})

test.each([
  ['list: e, where: { t: any, n: any }, order_by: n, limit: 3', null],
  ['list: e, where: { n: any }, order_by: n, limit: 3', 'it reads across tenants: "where" has no t: any'],
  ['list: org, where: { id: any }, order_by: id, limit: 3', null],
  ['list: l, where: { q: any }, order_by: q, limit: 3', 'it reads across tenants: only their e says whose rows of l are'],
  ['aggregate: e', 'it reads across tenants: "where" has no t: any'],
  ['search: e, in: [w], limit: 3', 'it searches the rows of all tenants'],
  ['update: e, set: { n: any }', null],
  ['get: org', null],
  ['get: l', 'it asks for rows of l by their key alone, and nothing in them says whose they are'],
  ['insert: e, with: [l]', null],
  ['transaction: [{ insert: e }]', null],
  ['transaction: [{ insert: e }, { delete: e }]', 'its steps are about rows of tenants that differ'],
])('stays with one tenant, or is warned of: %s', (text, why) => {
  const scenario = parsed(`o: { ${text}, ${rest} }`)
  const operation = scenario.operations.find(({ name }) => name === 'o')
  expect(operation === undefined ? '' : acrossTenants(scenario, operation)).toBe(why)
  const warned = warningsOf(scenario).filter(({ path }) => path[0] === 'operations')
  expect(warned).toEqual(why === null ? [] : [{ path: ['operations', 'o'], message: `o is not bound to one tenant: ${why}`, atKey: true }])
})

test('a row is asked for by its own tenant, in a part of the verification by another; the checks of the harness ask for any', () => {
  const operations = allOperations(tenants)
  const dataset = makeDataset(tenants, 1)
  const params = new DrawnParameters(dataset, operations, 'tenants', 1, tenants.epochMs)
  let asked = 0
  for (const [index, operation] of operations.entries()) {
    const own = parametersOf(tenants, operation).filter(({ name }) => /\btenant\./.test(name))
    expect(own, operation.name).toHaveLength(
      /^(get|get_fields|get_file|get_lock|move|add|set_file|touch|unlock|drop|drop_file|drop_bare|file_it|claim|spend|file_under)$/.test(
        operation.name,
      )
        ? 1
        : 0,
    )
    if (own.length === 0 || operation.kind === 'transaction') continue
    const data = dataset.entities.get(operation.entity) as EntityData
    const entity = entityOf(tenants, operation.entity)
    const rowOf = new Map(Array.from({ length: data.rows }, (_, row) => [canonical(keyValues(entity, data, row)[0] as Value), row]))
    const at = positionsOf(tenants, operation)
    const generator = data.generators[entity.fields.findIndex(({ name }) => name === 't')] as FieldGenerator
    const tenantOf = (row: number) => generatedValue(generator, row, 0, 0)
    for (const foreign of [false, true]) {
      params.force = { miss: false, foreign }
      for (let call = 0; call < 20; call++) {
        params.next(index)
        const row = rowOf.get(canonical(params.value(at.get('key.id') as number))) as number
        const value = params.value(at.get('tenant.t') as number)
        const written = Buffer.alloc(16)
        params.write(at.get('tenant.t') as number, written, 0)
        expect(canonical(written)).toBe(canonical(value))
        expect(canonical(value) === canonical(tenantOf(row))).toBe(!foreign)
        asked++
      }
    }
  }
  expect(asked).toBe(14 * 40)
})

test.each([
  ['drop_bare', 'miss'],
  ['claim', 'conflict'],
  ['spend', 'conflict'],
  ['file_under', 'conflict'],
])('%s of another tenant is answered as that of a row that is not there, and changes nothing: %s', (name, outcome) => {
  const operations = allOperations(tenants)
  const index = operations.findIndex((each) => each.name === name)
  const dataset = makeDataset(tenants, 1)
  const reference = new Reference(dataset, operations)
  const params = new DrawnParameters(dataset, operations, 'guards', 1, tenants.epochMs)
  const totals = () => ['doc', 'lock', 'bare'].map((entity) => reference.total(entity, entity === 'bare' ? undefined : 'n'))
  const before = totals()
  const answers = (force: DrawnParameters['force']) =>
    Array.from({ length: 30 }, () => {
      params.force = force
      params.next(index)
      return reference.execute(index, params)
    })
  const nothing = Array.from({ length: 30 }, () => ({ kind: 'wrote', outcome, rows: 0 }))
  expect(answers({ foreign: true })).toEqual(nothing)
  expect(answers({ miss: true })).toEqual(nothing)
  expect(totals()).toEqual(before)
  expect(answers({})).toContainEqual({ kind: 'wrote', outcome: 'ok', rows: 1 })
})

test('another tenant asks at least once of each operation that asks as one, however many there are, and it is counted', async () => {
  const many = parsed(
    Array.from(
      { length: 60 },
      (_, at) => `o${at}: { ${at % 2 === 0 ? 'get: e' : 'list: e, where: { t: any }, order_by: n, limit: 3'}, ${rest} }`,
    ).join('\n  '),
  )
  const { answersPerOperation } = planTrials(many, 'smoke', [])
  const compiled = postgresOf(many)
  const dataset = makeDataset(many, 1)
  const own = new Reference(dataset, compiled.operations)
  const reference = new Reference(dataset, compiled.operations)
  const perform: Performer['perform'] = async (operation, params) => ({ answer: () => own.execute(operation, params as DrawnParameters) })
  const signal = new AbortController().signal
  const found = await verify({ perform }, 'driver', compiled, dataset, reference, answersPerOperation, signal)
  expect(found).toMatchObject({ wrong: 0, foreign: 31 })
  addVerification(found, await verify({ perform }, 'wire', compiled, dataset, reference, answersPerOperation, signal))
  expect(found.foreign).toBe(62)
})

test('documents decline to delete a row whose lines stand apart; every family says where it compares tenants', () => {
  const model = (engine: string) => deriveModel(engineNamed(engine), tenants)
  expect(model('postgres')).toMatchObject({ excuses: [], emulations: [{ operation: 'expiry of lock' }] })
  expect(model('mongodb').excuses.map(({ operation }) => operation)).toEqual(['drop_file'])
  const byKey = [
    'get',
    'get_fields',
    'get_file',
    'get_lock',
    'move',
    'set_file',
    'touch',
    'unlock',
    'drop',
    'drop_file',
    'drop_bare',
    'claim',
    'spend',
  ]
  for (const [engine, declined] of [
    ['cassandra', []],
    ['redis', []],
    ['memcached', ['move']],
  ] as const) {
    const { emulations } = model(engine)
    const said = new Set(emulations.filter(({ how }) => how.includes('tenant')).map(({ operation }) => operation))
    for (const name of byKey) expect([engine, name, said.has(name)]).toEqual([engine, name, !(declined as readonly string[]).includes(name)])
  }
})
