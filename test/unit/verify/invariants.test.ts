/** What is true of a replay is found true, and what was lost in any step of it is found and named. */
import { describe, expect, test } from 'vitest'
import { type EntityData, rowValues } from '../../../src/data/dataset.ts'
import { decimalText } from '../../../src/data/value.ts'
import { logOutcomes } from '../../../src/measure/recorder.ts'
import type { Scenario } from '../../../src/scenario/scenario.ts'
import { limitsOf } from '../../../src/verify/limits.ts'
import { type Replay, replay, scenarioOf } from './replayed.ts'

const rows = `
  a: { count: 60, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] } } }
  b: { count: 30, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, price: { type: decimal, range: [0, 100], scale: 2 } } }
  l: { owned_by: a, per_owner: { range: [0, 3] }, fields: { b_id: { ref: b, skew: zipfian(0.9) }, q: { type: int, range: [1, 5] } } }`
const v7 = `
  e: { count: 300, fields: { id: { type: uuid, key: true, version: v7 }, n: { type: int, range: [0, 9] }, at: { type: timestamp } } }`
const expiring = `
  s: { count: 200, ttl: 6s, fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] } } }`

/** Shapes that an honest server keeps. */
const shapes: Record<string, Scenario> = {
  'an insert and an update without via': scenarioOf(rows, 'book: { transaction: [ { insert: a, with: [l] }, { update: b, set: { n: any } } ] }'),
  'the same steps swapped': scenarioOf(
    rows,
    'book: { transaction: [ { update: b, set: { n: any }, pick: { miss: 30% } }, { insert: a, with: [l] } ] }',
  ),
  'a transfer over one entity': scenarioOf(rows, 'move: { transaction: [ { update: b, add: { n: -3 } }, { update: b, add: { n: 3 } } ] }'),
  'a transfer over one row': scenarioOf(
    rows.replace('count: 30', 'count: 1'),
    'move: { transaction: [ { update: b, add: { n: -3 } }, { update: b, add: { n: 3 } } ] }',
  ),
  'an insert and a delete': scenarioOf(rows, 'replace: { transaction: [ { insert: a, with: [l] }, { delete: a } ] }\nread: { get: a, with: [l] }'),
  'a delete and an insert': scenarioOf(rows, 'replace: { transaction: [ { delete: a }, { insert: a, with: [l] } ] }'),
  'two puts of a row': scenarioOf(rows.replace('count: 30', 'count: 3'), 'twice: { transaction: [ { put: b }, { put: b } ] }'),
  'put, delete and lines that are addressed alone': scenarioOf(
    rows,
    'put: { put: a, keys: { existing: 70%, new: 30% }, pick: { skew: latest(0.9) } }\ndrop: { delete: a }\nrecount: { update: l, set: { q: any } }\nadd: { insert: a, with: [l] }\nset: { update: a, set: { n: any } }',
  ),
  'sets and amounts through references': scenarioOf(
    rows.replace('range: [0, 3]', 'range: [1, 3]'),
    'tx: { transaction: [ { insert: a, with: [l] }, { update: b, via: l.b_id, set: { price: 5.25 }, add: { n: -l.q } } ] }\nreprice: { update: b, add: { price: 7 } }',
  ),
  'rows that expire, with an update': scenarioOf(
    expiring,
    'touch: { update: s, set: { n: any } }\nput: { put: s, keys: { existing: 80%, new: 20% } }\ndrop: { delete: s }\ntx: { transaction: [ { put: s }, { update: s, set: { n: any } } ] }',
  ),
  'lines that are addressed alone, and nothing else': scenarioOf(rows, 'recount: { update: l, set: { q: any } }'),
  'an owner that expires': scenarioOf(
    rows.replace('a: { count: 60', 'a: { count: 60, ttl: 6s'),
    'put: { put: a, keys: { existing: 90%, new: 10% } }\nadd: { insert: a, with: [l] }\nrecount: { update: l, set: { q: any } }',
  ),
  'guards, alone and in a transaction': scenarioOf(
    rows,
    'spend: { update: b, add: { n: -3 }, if: { n: { gte: 3 } }, pick: { skew: zipfian(0.9), miss: 5% } }\nearn: { update: b, add: { n: 3 }, if: { n: { lt: 9 } } }\npay: { transaction: [ { insert: a, with: [l] }, { update: b, add: { price: -7 }, if: { price: { gt: 7 } } } ] }\nagain: { update: b, set: { price: 60 }, if: { price: { lte: 7 } } }',
  ),
  'guards of amounts through references': scenarioOf(
    rows.replace('range: [0, 3]', 'range: [1, 3]'),
    'tx: { transaction: [ { insert: a, with: [l] }, { update: b, via: l.b_id, add: { n: -l.q }, if: { n: { gte: l.q } } } ] }\nfill: { update: b, add: { n: 5 }, if: { n: { lt: 5 } } }',
  ),
  'a version, compared and expected, and writes without one': scenarioOf(
    `${rows}
  c: { count: 20, fields: { id: { type: uuid, key: true }, b_id: { ref: b, skew: zipfian(0.9) } } }`,
    'revise: { read_modify_write: b, atomic: true, version: n, set: { price: any }, pick: { skew: zipfian(0.9), miss: 5% } }\nappend: { insert: c, expects: b_id.n }\nrenew: { read_modify_write: b, atomic: false, set: { price: any } }',
  ),
  'rows that nobody finds by their key': scenarioOf(
    v7.replace('300,', '300, ttl: 6s,'),
    'add: { insert: e }\nnewest: { list: e, where: { n: any }, order_by: -at, limit: 5 }\nsoonest: { list: e, where: {}, order_by: expires_at, limit: 5 }',
  ),
  'keys of version 7': scenarioOf(
    v7,
    'add: { insert: e }\nread: { get: e, pick: { skew: latest(0.99) } }\nput: { put: e, keys: { existing: 90%, new: 10% }, pick: { skew: latest(0.99) } }\nset: { update: e, set: { n: any }, pick: { skew: latest(0.99) } }',
  ),
}

describe('an honest server keeps its invariants', () => {
  test.each(Object.entries(shapes))('%s', async (_name, scenario) => {
    const { broken, log, invariants } = await replay(scenario)
    expect(broken).toEqual([])
    expect(log.operation.length).toBeGreaterThan(300)
    expect(invariants.length).toBeGreaterThan(1)
  })

  test.each(Object.entries(shapes))('with answers that are lost: %s', async (_name, scenario) => {
    const [operation] = scenario.operations
    const of = (call: number) => (call % 5 === 1 ? ('failed though done' as const) : call % 5 === 3 ? ('failed' as const) : ('done' as const))
    expect((await replay(scenario, { fault: { operation: operation?.name as string, steps: 1, of } })).broken).toEqual([])
  })
})

test('an owner that was removed and put again before the replay has no lines to lose in it', async () => {
  const scenario = scenarioOf(rows.replace('range: [0, 3]', 'range: [1, 3]'), 'drop: { delete: a }\nput: { put: a }\nread: { get: a, with: [l] }')
  const { broken, invariants } = await replay(scenario, {
    beforehand: (dataset, perform) => {
      const data = dataset.entities.get('a') as EntityData
      for (let row = 0; row < data.rows; row++) {
        const values = rowValues(data, row, 0, scenario.epochMs)
        perform('drop', values.slice(0, 1))
        perform('put', values)
      }
    },
  })
  expect(broken).toEqual([])
  expect(invariants.find((each) => each.name === 'rows of l')?.detail).toBe('+0, acknowledged writes allow 0')
})

describe('a server that loses the second step of one transaction is caught', () => {
  const tearing = (operation: string): Replay => ({ seconds: 3, fault: { operation, steps: 1, of: (call) => (call === 60 ? 'instead' : 'done') } })

  test.each<[string, string, RegExp]>([
    ['an insert and an update without via', 'book', /^acknowledged writes of b: .* 1 lost \(.*: n is \d, written by step 2 of book/],
    ['the same steps swapped', 'book', /^acknowledged writes of a: .* 1 lost \(.*: not there, written by step 2 of book/],
    ['a transfer over one entity', 'move', /^acknowledged writes of b: .* 1 lost \(.*: n is -?\d+, written by the load, .*step 2 of move/],
    ['a transfer over one row', 'move', /^acknowledged writes of b: .* 1 lost/],
    ['an insert and a delete', 'replace', /^acknowledged writes of a: .* 1 lost \(.*: there, though it was removed/],
    ['a delete and an insert', 'replace', /^acknowledged writes of a: .* 1 lost \(.*: not there, written by step 2 of replace/],
    ['sets and amounts through references', 'tx', /^acknowledged writes of b: .* written by .*step 2 of tx/],
  ])('%s', async (shape, operation, named) => {
    // One row of each target is written once, so that no later write hides the loss.
    const { broken } = await replay(quiet(shapes[shape] as Scenario), tearing(operation))
    expect(
      broken.filter((each) => named.test(each)),
      broken.join('\n'),
    ).toHaveLength(1)
  })

  test('a lost line of an inserted row', async () => {
    const scenario = scenarioOf(rows, 'add: { insert: a, with: [l] }\nrecount: { update: l, set: { q: any } }')
    const { broken } = await replay(scenario, { fault: { operation: 'recount', steps: 1, of: (call) => (call > 100 ? 'lost' : 'done') } })
    expect(broken.join('\n')).toMatch(/acknowledged writes of a: .* \(.*: l \d: q is \d, written by recount/)
  })

  // What a transfer from a row to itself changes is nothing.
  test.each(Object.keys(shapes).filter((shape) => shape !== 'a transfer over one row'))('the whole of one operation in three: %s', async (shape) => {
    const scenario = shapes[shape] as Scenario
    const { broken } = await replay(scenario, {
      fault: { operation: scenario.operations[0]?.name as string, steps: 1, of: (call) => (call % 3 === 2 ? 'lost' : 'done') },
    })
    expect(broken.length).toBeGreaterThan(0)
  })
})

describe('what guards keep', () => {
  const spend = 'spend: { update: b, add: { price: -7 }, if: { price: { gte: 7 } }, pick: { skew: zipfian(0.9) } }'
  const named = (invariants: { name: string }[]) => invariants.map(({ name }) => name).filter((name) => name.startsWith('b.'))

  test('is looked for in the rows that are read back, and a server that forgets a guard once is caught', async () => {
    const scenario = scenarioOf(rows, spend)
    const honest = await replay(scenario)
    expect(named(honest.invariants)).toEqual(['b.price is at least 0.00'])
    expect(honest.log.outcome.filter((outcome) => outcome === logOutcomes.conflict).length).toBeGreaterThan(30)
    const { broken } = await replay(scenario, { fault: { operation: 'spend', steps: 1, of: (call) => (call % 40 === 39 ? 'instead' : 'done') } })
    expect(broken).toEqual([
      expect.stringMatching(/^b\.price is at least 0\.00: kept by guards: \d+ written rows read back, \d+ beyond it \(.*: -\d\.\d\d\)/),
    ])
  })

  test('a version counts the writes of its row, and a server that says it wrote and did not is caught', async () => {
    const scenario = scenarioOf(rows, 'revise: { read_modify_write: b, atomic: true, version: n, set: { price: any }, pick: { skew: zipfian(0.9) } }')
    expect(named((await replay(scenario)).invariants)).toEqual(['b.n counts the writes'])
    const { broken } = await replay(scenario, { fault: { operation: 'revise', steps: 1, of: (call) => (call === 40 ? 'lost' : 'done') } })
    expect(broken.join('\n')).toMatch(/b\.n counts the writes: \d+ written rows read back, 1 of them not at the loaded version/)
  })

  test.each<[string, string, string[]]>([
    ['its own guard', spend, ['b.price is at least 0.00']],
    ['a guard that leaves a part', spend.replace('gte: 7', 'gt: 3'), ['b.price is at least -3.99']],
    ['a constant below it', `${spend}\nclear: { update: b, set: { price: -2 } }`, ['b.price is at least -2.00']],
    [
      'what is summed for a row',
      'tx: { transaction: [ { insert: a, with: [l] }, { update: b, via: l.b_id, add: { n: -l.q }, if: { n: { gt: l.q } } } ] }',
      ['b.n is at least 0'],
    ],
    [
      'nothing, where it is summed and compared with a constant',
      'tx: { transaction: [ { insert: a, with: [l] }, { update: b, via: l.b_id, add: { n: -l.q }, if: { n: { gte: 5 } } } ] }',
      [],
    ],
    ['from above', 'fill: { update: b, add: { n: 4 }, if: { n: { lte: 20 } } }', ['b.n is at most 24']],
    ['nothing, where another adds without a guard', `${spend}\nfee: { update: b, add: { price: -1 } }`, []],
    ['nothing, where the guard is about another field', spend.replace('if: { price', 'if: { n'), []],
    ['nothing, where the guard is on the other side', spend.replace('gte', 'lte'), []],
  ])('follows from the writes: %s', (_name, operations, expected) => {
    const limits = limitsOf(scenarioOf(rows, operations))
    expect(
      limits.map(
        ({ entity, field, bound, value }) =>
          `${entity.name}.${field.name} is at ${bound === 'min' ? 'least' : 'most'} ${decimalText(BigInt(value), field.scale)}`,
      ),
    ).toEqual(expected)
  })
})

test('under relaxed, writes of the last moments before the server ended may be lost, and are counted; under fsync they are losses', async () => {
  const scenario = scenarioOf(rows, 'add: { insert: a, with: [l] }\nset: { update: b, set: { n: any, price: any }, pick: { skew: zipfian(0.9) } }')
  const lost = (call: number) => (call >= 300 && call < 310 ? ('lost' as const) : ('done' as const))
  // 50 a second: the calls 300 to 309 came before the seventh second.
  const order = { fault: { operation: 'add', steps: 1, of: lost }, deathsNs: [7e9] }
  const relaxed = await replay(scenario, { ...order, durability: 'relaxed' })
  expect(relaxed.broken).toEqual([])
  expect(relaxed.invariants.find((each) => each.name === 'acknowledged writes of a')?.detail).toMatch(/ 0 lost; 10 more without what was written/)
  expect((await replay(scenario, { ...order, durability: 'fsync' })).broken).toHaveLength(3)
  expect((await replay(scenario, { ...order, durability: 'relaxed', deathsNs: [] })).broken).toHaveLength(3)
  expect((await replay(scenario, { ...order, durability: 'relaxed', deathsNs: [5e9] })).broken.join()).toMatch(
    /^acknowledged writes of a: .* 10 lost/,
  )
})

test('a row that cannot be read is no loss: the check fails with the reason', async () => {
  const scenario = scenarioOf(rows, 'set: { update: b, set: { n: any } }')
  await expect(replay(scenario, { readError: 'connection reset' })).rejects.toThrow(
    /rows of b could not be read back after the replay: connection reset/,
  )
})

test('new rows with keys of version 7 are found by those who look for them', async () => {
  const found: Record<string, number> = {}
  const scenario = shapes['keys of version 7'] as Scenario
  const { log, invariants } = await replay(scenario, {
    onAnswer: ({ name }, answer) => {
      if (answer.kind === 'rows') found[`${name} ${answer.rows.length}`] = (found[`${name} ${answer.rows.length}`] ?? 0) + 1
    },
  })
  expect(found['read 1']).toBeGreaterThan(100)
  expect(found['read 0']).toBeUndefined()
  // Each put of an existing key replaces: rows grow by exactly what was new.
  const created = new Set(log.row.filter((row, at) => row >= 300 && scenario.operations[log.operation[at] as number]?.kind !== 'update'))
  expect(invariants.find((each) => each.name === 'rows of e')?.detail).toBe(`+${created.size}, acknowledged writes allow ${created.size}`)
})

/** So many target rows that few are written twice. */
function quiet(scenario: Scenario): Scenario {
  return {
    ...scenario,
    entities: scenario.entities.map((entity) => (entity.name === 'l' || entity.count === 1 ? entity : { ...entity, count: 5000 })),
  }
}
