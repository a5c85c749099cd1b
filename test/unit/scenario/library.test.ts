/** The scenarios that dbtrial brings: valid, as large as they say, carried by their candidates, and in the guide. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { dataText, loadText, withLibrary } from '../../../src/commands/library.ts'
import { engineNamed, knownEngines } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { copied, libraryDirectory, pathInLibrary, scenarioNames } from '../../../src/scenario/library.ts'
import { inspectScenario, parseScenario, readScenario } from '../../../src/scenario/read.ts'
import type { Scenario } from '../../../src/scenario/scenario.ts'
import { permittedExcuses } from '../../engines/permitted.ts'

const names = scenarioNames()

describe.each(names)('%s', (name) => {
  const scenario = readScenario(name)

  test('is valid, without a warning, and has the name of its file', () => {
    expect(inspectScenario(name, knownEngines).problems).toEqual([])
    expect(scenario.name).toBe(name)
  })

  test('is carried by each of its candidates', () => {
    for (const candidate of scenario.candidates) {
      const engine = engineNamed(candidate.engine)
      const operations = allOperations(scenario)
      const model = deriveModel(engine, scenario)
      const { programs } = engine.compile(model, operations, scenario, candidate.durability)
      const excused = model.excuses.map((excuse) => excuse.operation)
      expect(excused, candidate.name).toEqual(permittedExcuses(engine.capabilities, scenario, operations))
      expect(
        operations.filter((_, index) => programs[index] === null).map((each) => each.name),
        candidate.name,
      ).toEqual(excused)
    }
  })

  test('can be copied under another name', () => {
    const copy = parseScenario(copied(name, 'mine'), 'mine.yaml')
    expect(copy).toEqual({ ...scenario, name: 'mine' })
  })
})

// The first of them was written before the others.
test.each(names.filter((name) => name !== 'ecommerce'))('%s has the load and the data that its comment names', (name) => {
  const [scenario, text] = [readScenario(name), readFileSync(pathInLibrary(name), 'utf8')]
  expect(text.match(/^# Load: (.*)$/m)?.[1]).toBe(loadText(scenario))
  expect(text.match(/^# Data: (.*)$/m)?.[1]).toBe(dataText(scenario))
})

test('the guide shows the library as it is', () => {
  const guide = readFileSync(`${libraryDirectory}README.md`, 'utf8')
  expect(withLibrary(guide)).toBe(guide)
})

const shares = ({ operations }: Scenario) => {
  const all = operations.reduce((sum, operation) => sum + operation.ratePerSecond, 0)
  return Object.fromEntries(operations.map((operation) => [operation.name, Math.round((operation.ratePerSecond / all) * 1000) / 10]))
}

test.each([
  ['ycsb-a', { read: 50, update: 50 }, 'zipfian'],
  ['ycsb-b', { read: 95, update: 5 }, 'zipfian'],
  ['ycsb-c', { read: 100 }, 'zipfian'],
  ['ycsb-d', { read: 95, insert: 5 }, 'latest'],
  ['ycsb-e', { scan_10: 19, scan_30: 19, scan_50: 19, scan_70: 19, scan_90: 19, insert: 5 }, 'zipfian'],
  ['ycsb-f', { read: 50, read_modify_write: 50 }, 'zipfian'],
])('%s is the mix, the record and the distribution of YCSB', (name, mix, kind) => {
  const scenario = readScenario(name)
  expect(shares(scenario)).toEqual(mix)
  const [record] = scenario.entities
  expect(record?.fields.slice(1).map(({ type, generator }) => [type, 'bytes' in generator && generator.bytes])).toEqual(
    Array(10).fill(['bytes', 100]),
  )
  for (const operation of scenario.operations.filter((each) => each.kind !== 'insert')) expect(operation.pick.skew).toEqual({ kind, theta: 0.99 })
})

test('tpcc-lite has the mix of TPC-C: two operations are an Order-Status, ten a Delivery', () => {
  const rate = Object.fromEntries(readScenario('tpcc-lite').operations.map((operation) => [operation.name, operation.ratePerSecond]))
  const of = (name: string) => (rate[name] as number) / ((rate.new_order_writes as number) / 45)
  expect(of('payment_writes')).toBeCloseTo(43, 1)
  expect(of('order_status_find')).toBeCloseTo(4, 1)
  expect(of('order_status_read')).toBeCloseTo(4, 1)
  expect(of('deliver_district') / 10).toBeCloseTo(4, 1)
  expect(of('stock_level_orders')).toBeCloseTo(4, 1)
})
