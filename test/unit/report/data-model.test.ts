/** The data model of a candidate is told whole: every column, every index with what the server said of it, everything that is stored twice. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bytes } from '../../../src/assess/figures/amount.ts'
import { dictionaryRows } from '../../../src/report/data-dictionary.ts'
import { denormalisations } from '../../../src/report/denormalisations.ts'
import type { Diagram } from '../../../src/report/diagrams/diagram.ts'
import { mermaidOf } from '../../../src/report/diagrams/mermaid.ts'
import { modelDiagram } from '../../../src/report/diagrams/model-diagram.ts'
import { svgOf } from '../../../src/report/diagrams/svg.ts'
import { indexRows } from '../../../src/report/index-table.ts'
import { type CandidateResult, readResult } from '../../../src/result/result.ts'

const read = (name: string) => readResult(fileURLToPath(new URL(`../../golden/results/${name}.json`, import.meta.url)))
const result = read('ecommerce')
const { scenario } = result
const named = (name: string) => result.candidates.find((each) => each.name === name) as CandidateResult

describe('the data dictionary', () => {
  test.each(result.candidates.map((each) => [each.name, each] as const))('of %s has each column of each store', (_, { model }) => {
    const rows = dictionaryRows(model.stores, scenario)
    for (const store of model.stores)
      for (const column of store.columns)
        expect(
          rows.filter(([of, name]) => of === store.name && name === column.name),
          column.name,
        ).toHaveLength(1)
    for (const [, name, type, , purpose] of rows)
      expect(
        [name, type, purpose].every((each) => each !== ''),
        name,
      ).toBe(true)
  })

  test('has the fields of rows that a document embeds', () => {
    const rows = dictionaryRows(named('mongodb').model.stores, scenario)
    expect(rows.find(([, name]) => name === 'order_item[].quantity')).toEqual(['order', 'order_item[].quantity', 'int', '—', 'read with the row'])
  })

  test('says what constrains a column, and what it is for', () => {
    const rows = dictionaryRows(named('postgres').model.stores, scenario)
    const of = (store: string, column: string) => rows.find((row) => row[0] === store && row[1] === column)?.slice(2)
    expect(of('customer', 'email')).toEqual(['email', 'unique; personal data', 'read with the row'])
    expect(of('order', 'customer_id')).toEqual(['uuid', 'refers to customer', 'finds the rows of order_history'])
    expect(of('order', 'created_at')).toEqual(['timestamp', '—', 'orders order_history; the window of daily_revenue'])
    expect(of('order', 'total')).toEqual(['decimal, 2 digits after the point', '—', 'added up by daily_revenue'])
    expect(of('product', 'stock')).toEqual(['int', '—', 'changed by place_order'])
  })
})

describe('the index table', () => {
  test('has each index that the server told of, with its size, and in production as many times more as there are rows', () => {
    const postgres = named('postgres')
    const rows = indexRows(postgres, result)
    const told = postgres.storage.at.at(-1)?.indexes ?? []
    expect(rows).toHaveLength(told.length)
    for (const { name, table, bytes: size } of told) {
      const share = result.trialPlan.shares[table] ?? result.trialPlan.share
      expect(rows.find((row) => row[0] === name || `${table}_${row[0]}` === name)?.slice(5, 7), name).toEqual([bytes(size), bytes(size / share)])
    }
  })

  test('has stores that repeat rows, where they find what a query asks for', () => {
    const { model } = named('cassandra')
    const rows = indexRows(named('cassandra'), result)
    expect(rows.map(([name]) => name)).toEqual(model.stores.filter(({ base }) => !base).map(({ name }) => name))
    for (const row of rows) expect(row[5], row[0]).not.toBe('—')
  })
})

test('what is stored twice says why, and who keeps it in step', () => {
  const rows = denormalisations(named('cassandra').model, scenario)
  const [, why, sync] = rows.find(([what]) => what?.startsWith('order_by_customer_id')) ?? []
  expect(why).toMatch(/^order_history: /)
  expect(sync).toMatch(/^ship_order writes it beside the row: .*logged batch/)
  const [, , carried] = denormalisations(named('postgres').model, scenario).find(([what]) => what?.startsWith('total of order')) ?? []
  expect(carried).toBe('the server changes the index with the row')
  const [, , embedded] = denormalisations(named('mongodb').model, scenario).find(([what]) => what === 'order_item inside order') ?? []
  expect(embedded).toBe('one write holds the owner with its rows: they cannot differ')
})

describe('the diagram', () => {
  const grammar = [
    /^erDiagram$/,
    /^ {2}b\d+\["[^"\\`#<]+"\] \{$/,
    /^ {4}[a-z0-9_]+ [A-Za-z]\w*( [FPU]K(, [FPU]K)*)?( "[^"]+")?$/,
    /^ {2}\}$/,
    /^ {2}b\d+ \|\|(--|\.\.)o\{ b\d+ : "[^"]+"$/,
  ]

  test.each(
    [...result.candidates, ...read('small-ring').candidates].map((each, at) => [`${each.name}, ${at}`, each] as const),
  )('of %s is Mermaid, line by line', (_, candidate) => {
    const own = result.candidates.includes(candidate) ? scenario : read('small-ring').scenario
    for (const line of mermaidOf(modelDiagram(candidate, own)).split('\n'))
      expect(
        grammar.some((each) => each.test(line)),
        line,
      ).toBe(true)
  })

  test('has a line for each reference, dashed where nobody enforces it', () => {
    const lines = (name: string) => {
      const { boxes, lines: all } = modelDiagram(named(name), scenario)
      return all.map(({ from, to, label, dashed }) => `${boxes[from]?.title} ${dashed ? '..' : '--'} ${boxes[to]?.title} ${label}`)
    }
    expect(lines('postgres')).toEqual(['order -- customer customer_id', 'order_item -- product product_id', 'order_item -- order order_id'])
    expect(lines('cassandra')).toContain('order .. customer customer_id')
    expect(lines('cassandra')).toContain('product_by_category_id_price .. product repeats')
  })

  const sized: Diagram = modelDiagram(named('cassandra'), scenario)

  test('has no box over another, and none outside', () => {
    const svg = svgOf(sized, (text) => text)
    const [right, bottom] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).slice(1).map(Number) as [number, number]
    const boxes = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g)].map(
      (match) => match.slice(1).map(Number) as [number, number, number, number],
    )
    expect(boxes).toHaveLength(sized.boxes.length)
    for (const [at, [x, y, width, height]] of boxes.entries()) {
      expect(x + width <= right && y + height <= bottom).toBe(true)
      for (const [ox, oy, owidth, oheight] of boxes.slice(at + 1))
        expect(x + width <= ox || ox + owidth <= x || y + height <= oy || oy + oheight <= y).toBe(true)
    }
  })

  test('writes foreign text through what escapes it', () => {
    const hostile: Diagram = { ...sized, boxes: [{ title: '<script>', rows: [{ name: '<b>', note: '<i>', keys: [] }] }], lines: [] }
    expect(svgOf(hostile, (text) => text.replaceAll('<', '&lt;'))).not.toMatch(/<(script|b|i)>/)
    expect(mermaidOf({ ...hostile, boxes: [{ title: 'a"]\n  b9["x', rows: [] }] }).split('\n')).toHaveLength(3)
  })

  test('ends where entities point at each other', () => {
    const box = (title: string) => ({ title, rows: [] })
    const line = (from: number, to: number) => ({ from, to, label: 'a', dashed: false })
    expect(svgOf({ kind: 'entities', alternative: '', boxes: [box('a'), box('b')], lines: [line(0, 1), line(1, 0), line(0, 0)] }, String)).toContain(
      '<svg',
    )
  })
})
