/** Items of Memcached: rows as bytes and back, templates that write what conversations ask, and times that the server takes for lives or for the clock. */
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { ItemOperations, type Said } from '../../../src/clients/item-operations.ts'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { makeDataset, rowValues } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { positionsOf } from '../../../src/data/parameters.ts'
import { canonical, type Value } from '../../../src/data/value.ts'
import { expiryTime, refusals } from '../../../src/engines/memcached/calls.ts'
import { memcached } from '../../../src/engines/memcached/index.ts'
import { writeCall } from '../../../src/engines/memcached/lane.ts'
import { templateOf } from '../../../src/engines/memcached/templates.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { expiryAt, layoutOf, readItem, writeItem } from '../../../src/families/key-value/item.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { entityOf, type Operation } from '../../../src/scenario/scenario.ts'

const scenario = readScenario(fileURLToPath(new URL('../../engines/kinds.yaml', import.meta.url)))
const operations = allOperations(scenario)
const compiled = memcached.compile(deriveModel(memcached, scenario), operations, scenario, 'volatile')
const conversations = new ItemOperations(compiled, refusals)
const dataset = makeDataset(scenario, 1)
const shown = (name: string) => compiled.programs.find((each) => each?.operation === name)?.shown

afterEach(() => vi.useRealTimers())

test('a row comes back from its item as it was, with its owned rows, and tells first when it expires', () => {
  for (const name of ['item', 'token', 'booking']) {
    const data = dataset.entities.get(name) as NonNullable<ReturnType<typeof dataset.entities.get>>
    const layout = layoutOf(scenario, entityOf(scenario, name))
    for (let row = 0; row < 20; row++) {
      const values = rowValues(data, row, 0, scenario.epochMs)
      const item = {
        row: layout.fields.map((field) => values[data.entity.fields.indexOf(field)] as Value),
        lines: layout.owned.map(({ fields }, at) =>
          Array.from({ length: (row + at) % 3 }, (_, line) => fields.map((field) => exampleFor(field.type, line))),
        ),
      }
      const to = new RequestBuffer()
      writeItem(layout, item, to)
      const bytes = to.bytes.subarray(0, to.length)
      expect(canonical([...readItem(layout, bytes).row, readItem(layout, bytes).lines])).toBe(canonical([...item.row, item.lines]))
      if (name === 'token') expect(expiryAt(bytes, 0)).toBe(item.row[0])
    }
  }
})

function exampleFor(type: string, line: number): Value {
  if (type === 'decimal') return BigInt(-line)
  if (type === 'uuid') return Buffer.alloc(16, line)
  return type === 'words' ? `ü ${'x'.repeat(line)}` : line
}

test('templates write the very bytes of the conversation', () => {
  const params = new DrawnParameters(dataset, operations, 'templates', 1, scenario.epochMs)
  const written = new Set<string>()
  for (const [index, op] of operations.entries()) {
    const template = compiled.programs[index] == null ? null : templateOf(compiled, conversations.layout(op.entity), op, 'own')
    if (template === null) continue
    const positions = positionsOf(scenario, op)
    for (let round = 0; round < 30; round++) {
      params.next(index)
      const [own, asked] = [new RequestBuffer(), new RequestBuffer()]
      template.write(params, own)
      const said = conversations.talk(op, (name) => params.value(positions.get(name) ?? -1)).next()
      if (said.done === true) throw new Error(`${op.name} asks nothing`)
      writeCall(said.value, 'own', asked)
      expect(own.bytes.toString('latin1', 0, own.length), op.name).toBe(asked.bytes.toString('latin1', 0, asked.length))
      written.add(op.name)
    }
  }
  expect([...written]).toEqual(expect.arrayContaining(['get_shop', 'get_item', 'get_token', 'put_token', 'put_shop', 'add_event', 'check item']))
})

test('what is printed is what is asked, with names for values', () => {
  expect(shown('get_item')).toEqual(['get item:?key.id'])
  expect(shown('get_part')).toEqual(['get item:?key.item_id'])
  expect(shown('drop_token')).toEqual(['get token:?key.id', 'delete token:?key.id'])
  const token = '?row.expires_at ?row.id ?row.shop_id ?row.uses ?row.payload ?row.grade'
  expect(shown('put_token')).toEqual([
    `set token:?row.id 8 93600 <bytes>
  ${token}`,
  ])
  expect(shown('recount')?.[1]).toMatch(
    /^cas item:\?key\.item_id 8 0 <bytes> \?version\n {2}id shop_id .* part\[line shop_id \?set\.quantity cost\] note\[\]$/,
  )
  expect(shown('raise')?.[1]).toMatch(/ level-1 price\+2000 /)
  expect(shown('spend')).toEqual(['gets purse:?key.id', expect.stringMatching(/^cas purse:.* coins-3 /s)])
})

test('an item that changes between its reading and its writing is read again, ten times at most', () => {
  const op = operations.find(({ name }) => name === 'raise') as Operation
  const layout = conversations.layout('item')
  const data = dataset.entities.get('item') as NonNullable<ReturnType<typeof dataset.entities.get>>
  const values = rowValues(data, 1, 0, scenario.epochMs)
  const to = new RequestBuffer()
  writeItem(layout, { row: layout.fields.map((field) => values[data.entity.fields.indexOf(field)] as Value), lines: [[], []] }, to)
  const found: Said = { value: to.bytes.subarray(0, to.length), cas: '7' }
  const replies = (changes: number) => {
    const talk = conversations.talk(op, () => Buffer.alloc(16, 1))
    let said = talk.next()
    for (let stored = 0; said.done !== true; ) said = talk.next(said.value.command === 'gets' ? found : stored++ < changes ? 'changed' : 'done')
    return said.value
  }
  expect(replies(3)).toMatchObject({ outcome: 'ok', rows: 1, retries: 3 })
  expect(() => replies(11)).toThrow(/was changed by others 11 times/)
})

test('a life beyond thirty days is a time of the clock, and one beyond the clock of the server is for ever', () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  expect([0, 60, 30 * 86_400].map(expiryTime)).toEqual([0, 60, 30 * 86_400])
  expect(expiryTime(31 * 86_400)).toBe(Date.UTC(2026, 1, 1) / 1000)
  expect(expiryTime(40 * 365 * 86_400)).toBe(0)
})
