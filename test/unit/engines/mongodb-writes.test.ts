/** What the wire client sends for writes, as a server would read it: never a document in place of another. */
import * as driver from 'mongodb'
import { expect, test } from 'vitest'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { beginWriting } from '../../../src/engines/mongodb/bson.ts'
import { MongoDocuments } from '../../../src/engines/mongodb/documents.ts'
import { mongodb } from '../../../src/engines/mongodb/index.ts'
import { templatesOf } from '../../../src/engines/mongodb/templates.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import type { DocumentProgram } from '../../../src/families/document/compile.ts'
import { parseScenario } from '../../../src/scenario/read.ts'
import type { Operation } from '../../../src/scenario/scenario.ts'

const scenario = parseScenario(
  `
name: writes
summary: "Writes"
seed: 7
epoch: 2026-03-01T12:00:00Z
entities:
  bare: { count: 9, fields: { id: { type: uuid, key: true } } }
  e: { count: 9, fields: { id: { type: uuid, key: true }, l: { type: int, range: [0, 9] }, id_: { type: int, range: [0, 9] } } }
  l: { owned_by: e, per_owner: { range: [1, 3] }, fields: { bare_id: { ref: bare }, q: { type: int, range: [0, 9] } } }
  t: { count: 9, ttl: 1h, fields: { id: { type: uuid, key: true } } }
  tl: { owned_by: t, per_owner: { range: [1, 3] }, fields: { mail: { type: email, unique: true } } }
operations:
  put_t: { put: t, rate: 1/s, p99: 1s }
  put_bare: { put: bare, rate: 1/s, p99: 1s }
  put: { put: e, rate: 1/s, p99: 1s }
  update: { update: e, set: { id_: any }, rate: 1/s, p99: 1s }
  insert: { insert: e, with: [l], rate: 1/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [mongodb]
`,
  'writes.yaml',
)

function sent(change: (operation: Operation) => Operation, name: string): driver.BSON.Document[] {
  const operations = allOperations(scenario).map(change)
  const compiled = mongodb.compile(deriveModel(mongodb, scenario), operations, scenario, 'fsync')
  const index = operations.findIndex((operation) => operation.name === name)
  const params = new DrawnParameters(makeDataset(scenario, 1), operations, 'writes', 1, scenario.epochMs)
  params.next(index)
  const program = compiled.programs[index] as DocumentProgram
  const [templates = []] = templatesOf(driver.BSON, new MongoDocuments(driver, compiled), 'dbtrial', program)
  return templates.map(({ write }) => {
    const to = new RequestBuffer()
    const writing = beginWriting(params, Buffer.alloc(16), to)
    write(writing)
    return driver.BSON.deserialize(Buffer.from(to.bytes.subarray(0, to.length)))
  })
}
const asIs = (operation: Operation) => operation

test('a put sets what the row has, and gives a new row its empty lists', () => {
  const [command] = sent(asIs, 'put')
  const [update] = command?.updates ?? []
  expect(Object.keys(update.u)).toEqual(['$set', '$setOnInsert'])
  expect(Object.keys(update.u.$set)).toEqual(['l', 'id_'])
  expect(update.u.$setOnInsert).toEqual({ _l_rows: [] })
})

test('a put of a key alone replaces nothing', () => {
  expect(sent(asIs, 'put_bare')[0]?.updates[0].u).toEqual({ $set: {} })
})

test('an update that changes nothing replaces nothing', () => {
  const without = (operation: Operation): Operation => (operation.kind === 'update' ? { ...operation, set: [], add: [] } : operation)
  expect(sent(without, 'update')[0]?.updates[0].u).toEqual({ $set: {} })
})

test('owned rows lie beside the field of their name', () => {
  const [command] = sent(asIs, 'insert')
  const [document] = command?.documents ?? []
  expect(typeof document.l).toBe('number')
  expect(document._l_rows.length).toBeGreaterThan(0)
})

test('a put renews the life of owned rows that stand apart, too', () => {
  const [lines, row] = sent(asIs, 'put_t')
  expect(lines?.update).toBe('tl')
  expect(lines?.updates[0]).toMatchObject({ q: { '_id.t_id': row?.updates[0].q._id }, multi: true })
  expect(Object.keys(lines?.updates[0].u.$set)).toEqual(['_expires_natively_at'])
  expect(row?.update).toBe('t')
})
