import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EntityData, makeDataset, rowValues } from '../../../src/data/dataset.ts'
import { binomial, heaviestShare, permutation, picker, weighted, zipfian } from '../../../src/data/distributions.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { blockSize, firstMissingRow } from '../../../src/data/fields.ts'
import { parametersOf } from '../../../src/data/parameters.ts'
import { Source } from '../../../src/data/random.ts'
import { cell, rowSource } from '../../../src/data/rows.ts'
import { canonical, decimalText, decimalValue } from '../../../src/data/value.ts'
import { words } from '../../../src/data/words.ts'
import { allOperations } from '../../../src/families/derive.ts'
import { parseScenario, readScenario } from '../../../src/scenario/read.ts'

const scenario = readScenario('ecommerce')

function frequencies(draw: (source: Source) => number, n: number, samples = 200_000): number[] {
  const source = new Source().restart(12345, 1)
  const counts = Array.from({ length: n }, () => 0)
  for (let i = 0; i < samples; i++) {
    const at = draw(source)
    counts[at] = (counts[at] ?? 0) + 1
  }
  return counts.map((count) => count / samples)
}

/** Pearson's statistic per degree of freedom; near 1 where the shape is right. */
function misfit(found: number[], expected: number[], samples = 200_000): number {
  return (
    found.reduce((sum, share, at) => sum + (samples * (share - (expected[at] as number)) ** 2) / (expected[at] as number), 0) / (found.length - 1)
  )
}

describe('distributions have their analytic shape', () => {
  test.each([0.5, 0.9, 0.99, 1, 1.3])('zipfian(%d)', (theta) => {
    const n = 50
    const weights = Array.from({ length: n }, (_, rank) => (rank + 1) ** -theta)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    expect(
      misfit(
        frequencies(zipfian(n, theta), n),
        weights.map((weight) => weight / total),
      ),
    ).toBeLessThan(1.8)
    expect(heaviestShare({ kind: 'zipfian', theta }, n)).toBeCloseTo(1 / total, 6)
  })

  test('heaviest share beyond the exact terms', () => {
    let sum = 0
    for (let k = 1; k <= 200_000; k++) sum += k ** -0.9
    expect(heaviestShare({ kind: 'zipfian', theta: 0.9 }, 200_000)).toBeCloseTo(1 / sum, 8)
  })

  test('latest favours the end, hotspot its share, uniform none', () => {
    const latest = frequencies(picker({ kind: 'latest', theta: 0.99 }, 100, 1), 100)
    expect(latest[99]).toBeGreaterThan(latest[50] as number)
    const hot = [...frequencies(picker({ kind: 'hotspot', hotShare: 0.1, hotProbability: 0.8 }, 100, 1), 100)].sort((a, b) => b - a)
    expect(hot.slice(0, 10).reduce((sum, share) => sum + share, 0)).toBeCloseTo(0.8, 2)
    expect(
      misfit(
        frequencies(picker({ kind: 'uniform' }, 40, 1), 40),
        Array.from({ length: 40 }, () => 1 / 40),
      ),
    ).toBeLessThan(1.8)
  })

  test.each([
    ['zipfian', 0.7, 40_000],
    ['zipfian', 1, 40_000],
    ['latest', 0.99, 40_000],
    ['latest', 1.2, 130],
  ] as const)('%s(%d) over %d rows in production, folded on 50', (kind, theta, inProduction) => {
    const weights = Array.from({ length: 50 }, () => 0)
    let total = 0
    for (let rank = 0; rank < inProduction; rank++) {
      const weight = (rank + 1) ** -theta
      total += weight
      weights[rank % 50] = (weights[rank % 50] as number) + weight
    }
    const expected = weights.map((weight) => weight / total)
    const found = frequencies(picker({ kind, theta }, 50, 9, inProduction), 50)
    // The popular ranks are spread over the rows, in an order of their own.
    const byRank = kind === 'latest' ? found.toReversed() : Array.from({ length: 50 }, (_, rank) => found[permutation(50, 9)(rank)] as number)
    expect(misfit(byRank, expected)).toBeLessThan(1.8)
    // The hottest row has what it has in production, and an even share of what lies below.
    const hottest = heaviestShare({ kind, theta }, inProduction)
    expect(Math.max(...found)).toBeCloseTo(expected[0] as number, 2)
    expect(expected[0]).toBeLessThan(hottest + (1 - hottest) / 50 + 0.02)
  })

  test.each([2000, 2 ** 20 + 1])('the hottest of %d loaded rows has the share that it has among 60 million', (n) => {
    const source = new Source().restart(3, 3)
    const draw = picker({ kind: 'latest', theta: 0.9 }, n, 1, 60e6)
    let hottest = 0
    for (let i = 0; i < 100_000; i++) if (draw(source) === n - 1) hottest++
    expect(hottest / 100_000).toBeCloseTo(heaviestShare({ kind: 'latest', theta: 0.9 }, 60e6), 2)
    expect(hottest / 100_000).toBeLessThan(heaviestShare({ kind: 'latest', theta: 0.9 }, n) / 1.3)
  })

  test('a hotspot is as hot as in production', () => {
    const skew = { kind: 'hotspot', hotShare: 0.001, hotProbability: 0.5 } as const
    const found = frequencies(picker(skew, 1000, 1, 40_000), 1000).toSorted((a, b) => b - a)
    // 40 hot rows share one half, whatever is loaded.
    expect(found.slice(0, 40).reduce((sum, share) => sum + share, 0)).toBeCloseTo(0.5 + 0.5 * 0.04, 2)
  })

  test('binomial mean and bounds, weights', () => {
    const found = frequencies(binomial(1, 8, 3), 9)
    expect(found.reduce((sum, share, value) => sum + share * value, 0)).toBeCloseTo(3, 1)
    expect(found[0]).toBe(0)
    expect(misfit(frequencies(weighted([45, 20, 15, 10, 10]), 5), [0.45, 0.2, 0.15, 0.1, 0.1])).toBeLessThan(2.5)
  })

  test('a permutation hits every value once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer(), (n, key) => {
        const place = permutation(n, key)
        expect(new Set(Array.from({ length: n }, (_, rank) => place(rank))).size).toBe(n)
      }),
      { numRuns: 40 },
    )
  })
})

test('decimals survive their text', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
      fc.integer({ min: 0, max: 6 }),
      (value, scale) => decimalValue(decimalText(value, scale), scale) === value,
    ),
  )
  expect(() => decimalValue('1.005', 2)).toThrow(RangeError)
})

test('words are 20,100 different lower-case ASCII words', () => {
  expect(new Set(words()).size).toBe(20_100)
  expect(words().every((word) => /^[a-z]{2,13}$/.test(word))).toBe(true)
})

describe('a dataset', () => {
  const dataset = makeDataset(scenario, 0.0001)

  // Renewed when laws came to range over the rows in production: references of this share of the rows were too hot.
  test('is the same bytes on every machine', () => {
    const hash = createHash('sha256')
    for (const block of rowSource(dataset, 0, 1).blocks()) {
      for (const chunk of [block, ...block.owned])
        for (const column of chunk.columns)
          hash.update(column.kind === 'numbers' ? column.numbers : column.bytes.subarray(0, column.ends[chunk.rows - 1]))
    }
    expect(hash.digest('hex')).toMatchInlineSnapshot(`"f0b9f4ce3b7422719cc8814e2188af310f908ca7f4237171c73af950cdbe1e13"`)
  })

  test('gives the same row by column and alone, in any split', () => {
    const order = dataset.entities.get('order')
    if (order === undefined) throw new Error('no order')
    let row = 0
    for (const [from, to] of [
      [0, 0.3],
      [0.3, 1],
    ] as const) {
      for (const block of rowSource(dataset, from, to).blocks()) {
        if (block.entity !== 'order') continue
        for (let i = 0; i < block.rows; i++, row++) {
          if (row % 997 === 0)
            expect(canonical(block.columns.map((column) => cell(column, i)))).toBe(canonical(rowValues(order, row, 0, scenario.epochMs)))
        }
      }
    }
    expect(row).toBe(order.rows)
  })

  test('is as large as asked, ages ascend, keys are unique, references exist', () => {
    const keys = new Set<string>()
    let lines = 0
    let last = 0
    const customers = new Set<string>()
    for (const block of rowSource(dataset, 0, 1).blocks()) {
      for (let i = 0; i < block.rows; i++) {
        const text = canonical(cell(block.columns[0]!, i))
        keys.add(`${block.entity} ${text}`)
        if (block.entity === 'customer') customers.add(text)
        if (block.entity === 'order') {
          expect(customers.has(canonical(cell(block.columns[1]!, i)))).toBe(true)
          const created = block.columns.find((column) => column.field.name === 'created_at')
          const at = created?.kind === 'numbers' ? (created.numbers[i] as number) : 0
          expect(at).toBeGreaterThanOrEqual(last)
          expect(at).toBeLessThan(scenario.epochMs)
          last = at
        }
      }
      lines += block.owned.reduce((sum, chunk) => sum + chunk.rows, 0)
    }
    expect(keys.size).toBe(200 + 20 + 6000 + 50)
    expect(lines / 6000).toBeCloseTo(3, 1)
  })

  test('draws the same parameters for the same stream, others for another', () => {
    const operations = allOperations(scenario)
    const values = (stream: string, block: number) => {
      const params = new DrawnParameters(dataset, operations, stream, block, scenario.epochMs)
      return operations.map((_, index) => {
        params.next(index)
        return canonical(params.values())
      })
    }
    expect(values('a', 3)).toEqual(values('a', 3))
    expect(values('a', 3)).not.toEqual(values('b', 3))
  })

  test('never uses a row number twice, and writes a fresh value with every put', () => {
    const operations = allOperations(scenario)
    const put = operations.findIndex((operation) => operation.name === 'write_session')
    const seen = new Set<string>()
    for (const block of [3, 4]) {
      const params = new DrawnParameters(dataset, operations, 'puts', block, scenario.epochMs)
      for (let i = 0; i < 500; i++) {
        params.next(put)
        seen.add(canonical(params.value(1)))
      }
    }
    expect(seen.size).toBe(1000)
  })
})

describe('values at the edges of their types', () => {
  const edges = (epoch: string) =>
    parseScenario(
      `name: edges
summary: "values at the edges of their types"
seed: 7
epoch: ${epoch}
entities:
  e:
    count: 100
    fields:
      id: { type: uuid, key: true, version: v7 }
      at: { type: timestamp, within: 3y }
      top: { type: int, range: [0, 2147483647] }
      bottom: { type: int, range: [-2147483647, 9] }
      all: { type: int, range: [-2147483647, 2147483647] }
      price: { type: decimal, scale: 3, range: [-1000, 2147483.647] }
operations: { add: { insert: e, rate: 1/s, p99: 1s } }
requirements: { peak: 1x, durability: fsync }
candidates: [none]
`,
      'edges.yaml',
    )

  test.each(['1970-01-01T00:00:00Z', '1971-01-01T00:00:00Z', '9999-12-31T00:00:00Z'])('keys of version 7 at %s', (epoch) => {
    const data = makeDataset(edges(epoch), 1).entities.get('e') as EntityData
    const keys = [0, 50, 99, 100, 5000].map((row) => rowValues(data, row, 0, 0)[0] as Buffer)
    const ascending = keys.every((key, at) => at === 0 || (keys[at - 1] as Buffer).readUIntBE(0, 6) <= key.readUIntBE(0, 6))
    expect(ascending).toBe(true)
    expect(keys.every((key) => (key[6] as number) >> 4 === 7)).toBe(true)
  })

  test('a key of version 7 of a new row does not depend on when it is asked for, and ascends with the rows and the trials', () => {
    const data = makeDataset(edges('2026-01-01T00:00:00Z'), 1).entities.get('e') as EntityData
    const keyOf = (block: number, n: number, nowMs = 0) => rowValues(data, 100 + block * blockSize + n, 0, nowMs)[0] as Buffer
    expect(keyOf(64, 5, 1e12)).toEqual(keyOf(64, 5, 2e12))
    const times = [keyOf(64, 1), keyOf(64, 2), keyOf(64, 3), keyOf(64, blockSize - 1), keyOf(65, 0)].map((key) => key.readUIntBE(0, 6))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test('a uuid that is no key is fresh with every write, a key never', () => {
    const lines = [
      'name: u',
      'summary: "U"',
      'seed: 1',
      'epoch: 2026-01-01T00:00:00Z',
      'requirements: { peak: 2x, durability: fsync }',
      'candidates: [postgres]',
    ]
    const entity = 'entities: { e: { count: 9, fields: { id: { type: uuid, key: true }, u: { type: uuid } } } }'
    const own = parseScenario([...lines, entity, 'operations: { p: { put: e, rate: 1/s } }'].join('\n'), 'u.yaml')
    const data = makeDataset(own, 1).entities.get('e') as EntityData
    const at = (version: number) => rowValues(data, 3, version, own.epochMs).map((value) => Buffer.from(value as Uint8Array).toString('hex'))
    expect(at(1)[0]).toBe(at(0)[0])
    expect(new Set([0, 1, 2].map((version) => at(version)[1])).size).toBe(3)
  })

  test('what is missing lies beyond the range and within the type', () => {
    const data = makeDataset(edges('2026-01-01T00:00:00Z'), 1).entities.get('e') as EntityData
    for (let n = 0; n < 2000; n += 13) {
      const [, , top, bottom, all, price] = rowValues(data, firstMissingRow + n, 0, 0).map(Number) as [number, number, number, number, number, number]
      for (const value of [top, bottom, all, price]) expect(Math.abs(value)).toBeLessThan(2 ** 31)
      expect(top).toBeLessThan(0)
      expect(bottom).toBeGreaterThan(9)
      expect(price).toBeLessThan(-1_000_000)
    }
  })
})

describe('a list with a range', () => {
  const lines = [
    'name: r',
    'summary: "R"',
    'seed: 1',
    'entities: { e: { count: 900, fields: { id: { type: uuid, key: true }, n: { type: int, range: [1, 90] }, at: { type: timestamp, within: 9d }, name: { type: words, count: [1, 3] } } } }',
    'operations:',
    '  w: { list: e, where: { n: any, at: { last: 2d } }, order_by: -at, limit: 9, rate: 1/s }',
    '  b: { list: e, where: { n: { lt: 50 } }, order_by: -at, limit: 9, rate: 1/s }',
    '  t: { list: e, where: { name: { prefix: 2 } }, order_by: name, limit: 9, rate: 1/s }',
    '  s: { aggregate: e, where: { name: { prefix: 2 } }, rate: 1/s }',
    'requirements: { peak: 2x, durability: fsync }',
    'candidates: [postgres]',
  ]
  const own = parseScenario(lines.join('\n'), 'r.yaml')

  const at = (name: string, operation = 0) => parametersOf(own, own.operations[operation]!).findIndex((each) => each.name === name)

  test('looks at a window that ends at the replay time and moves with it', () => {
    const params = new DrawnParameters(makeDataset(own, 1), own.operations, 'x', 2, own.epochMs)
    for (const ms of [0, 5000, 60_000]) {
      params.draw(0, params.schedule(0, ms), ms)
      expect([params.number(at('from')), params.value(at('to'))]).toEqual([own.epochMs + ms - 2 * 86_400_000, own.epochMs + ms])
    }
  })

  test('has a page behind the rows that lie in it, where it is of the order, and behind any row where it is not', () => {
    const params = new DrawnParameters(makeDataset(own, 1), own.operations, 'x', 2, own.epochMs)
    params.force = { deep: true }
    const deep = Array.from({ length: 400 }, () => {
      params.next(0)
      expect(params.value(at('deep'))).toBe(params.number(at('after.at')) >= params.number(at('from')))
      return params.value(at('deep'))
    })
    expect(deep.filter(Boolean).length / 400).toBeCloseTo(2 / 9, 1)
    params.next(1)
    expect(params.value(at('deep', 1))).toBe(true)
  })

  test.each([2, 3])('of texts begins as that of the picked row does, and ends before the first that begins otherwise', (operation) => {
    const params = new DrawnParameters(makeDataset(own, 1), own.operations, 'x', 2, own.epochMs)
    const starts = Array.from({ length: 20 }, () => {
      params.next(operation)
      const [start, below] = ['prefix.name', 'below.name'].map((name) => String(params.value(at(name, operation)))) as [string, string]
      expect(start).toHaveLength(2)
      expect([start < below, `${start}zzz` < below, `${start}{` < below]).toEqual([true, true, true])
      expect(below.charCodeAt(1) - start.charCodeAt(1)).toBe(1)
      const bytes = Buffer.alloc(params.maxBytes(at('prefix.name', operation)))
      expect(bytes.toString('latin1', 0, params.write(at('prefix.name', operation), bytes, 0))).toBe(start)
      if (operation === 2) expect(params.value(at('after.name', operation))).toMatch(new RegExp(`^${start}`))
      return start
    })
    expect(new Set(starts).size).toBeGreaterThan(5)
  })

  test('names numbers that the field has in production: its range does not shrink with the share that is loaded', () => {
    const values = (operations: typeof own.operations) => {
      const data = makeDataset({ ...own, operations }, 0.1).entities.get('e') as EntityData
      return Math.max(...Array.from({ length: data.rows }, (_, row) => Number(rowValues(data, row, 0, 0)[1])))
    }
    expect(values(own.operations.slice(0, 1))).toBeLessThanOrEqual(9)
    expect(values(own.operations)).toBeGreaterThan(50)
  })
})
