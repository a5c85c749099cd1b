import { expect, test } from 'vitest'
import { eachWord, Gathered } from '../../../src/clients/gathered.ts'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { makeDataset } from '../../../src/data/dataset.ts'
import { cell, columnOf, rowSource } from '../../../src/data/rows.ts'
import { readScenario } from '../../../src/scenario/read.ts'

test('rows of one place are given away together, each once, and what was given away is gone', () => {
  const gathered = new Gathered()
  for (const [place, text] of [
    ['a', 'one'],
    ['b', 'two'],
    ['a', 'three, which is long enough not to be copied byte by byte'],
  ] as const)
    gathered.add(place, (to) => to.append(Buffer.from(text)))
  const drained = () => {
    const found: Record<string, string[]> = {}
    for (const { place, rows, append } of gathered.drain())
      found[place] = rows.map((row) => {
        const to = new RequestBuffer()
        append(row, to)
        return to.bytes.toString('utf8', 0, to.length)
      })
    return found
  }
  expect(drained()).toEqual({ a: ['one', 'three, which is long enough not to be copied byte by byte'], b: ['two'] })
  expect(drained()).toEqual({})
  gathered.add('c', (to) => to.append(Buffer.from('four')))
  expect(drained()).toEqual({ c: ['four'] })
})

test('every distinct word of a row is found once', () => {
  const dataset = makeDataset(readScenario('ecommerce'), 0.001)
  const block = [...rowSource(dataset, 0, 1).blocks()].find(({ entity }) => entity === 'product')
  if (block === undefined) throw new Error('no products')
  const found = Array.from({ length: block.rows }, (): string[] => [])
  eachWord(block, 'name', (word, row) => found[row]?.push(word))
  const names = columnOf(block, 'name')
  expect(found).toEqual(Array.from({ length: block.rows }, (_, row) => [...new Set(String(cell(names, row)).split(' '))]))
})
