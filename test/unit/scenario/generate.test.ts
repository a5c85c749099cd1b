/** The generator of random scenarios: what it writes is valid, the same for the same seed, and covers the grammar. */
import { expect, test } from 'vitest'
import { parseScenario } from '../../../src/scenario/read.ts'
import { entityOf, isOptional, type Operation, orderRangeOf, rangesOf, renewsLife, type Scenario, writesOf } from '../../../src/scenario/scenario.ts'
import { generateScenario } from '../../differential/generate.ts'

const seeds = Array.from({ length: 300 }, (_, seed) => seed + 1)

test('the same seed writes the same scenario', () => {
  expect(generateScenario(7)).toBe(generateScenario(7))
  expect(generateScenario(8)).not.toBe(generateScenario(7))
})

test('300 random scenarios are valid, and every part of the grammar is in one of them', () => {
  const scenarios = seeds.map((seed) => parseScenario(generateScenario(seed), `${seed}.yaml`))
  const operations = scenarios.flatMap((scenario) => scenario.operations)
  const steps = operations.flatMap((operation) => (operation.kind === 'transaction' ? operation.steps : []))
  expect(new Set(operations.map((operation) => operation.kind))).toEqual(
    new Set(['get', 'list', 'search', 'aggregate', 'insert', 'put', 'update', 'delete', 'transaction']),
  )
  expect(new Set(steps.map((step) => step.kind))).toEqual(new Set(['insert', 'put', 'update', 'delete']))
  const lists = operations.flatMap((operation) => (operation.kind === 'list' ? [operation] : []))
  const entities = scenarios.flatMap((scenario) => scenario.entities)
  expect(new Set(entities.flatMap((entity) => entity.fields.map((field) => field.generator.kind)))).toEqual(
    new Set([
      ...['uuid', 'rowNumber', 'number', 'bool', 'enum', 'words', 'email', 'timestamp', 'json', 'bytes'],
      ...['reference', 'ownerKey', 'line', 'expiresAt'],
    ]),
  )
  expect(new Set(operations.map((operation) => operation.pick.skew.kind))).toEqual(new Set(['uniform', 'zipfian', 'latest', 'hotspot']))
  const holds: [string, boolean][] = [
    ['a version 7 key', entities.some((entity) => entity.fields.some(({ generator }) => generator.kind === 'uuid' && generator.version === 7))],
    ['a reference to itself', entities.some((entity) => entity.fields.some((field) => referredBy(field) === entity.name))],
    ['an entity that is nothing but a key', entities.some((entity) => entity.fields.length === 1)],
    ['owned rows that expire', entities.some((entity) => entity.ttlMs !== null && entities.some((each) => each.owner?.entity === entity.name))],
    ['a constant', operations.some((operation) => operation.kind === 'list' && operation.where.some((filter) => filter.constant !== null))],
    ['a deep page', operations.some((operation) => operation.kind === 'list' && operation.deepShare > 0)],
    ['a window', operations.some((operation) => operation.kind === 'aggregate' && operation.over !== null)],
    ['a window of a list along its order', lists.some((each) => each.over != null && each.order[0]?.field === each.over.field)],
    ['a window of a list beside its order', lists.some((each) => each.over != null && each.order[0]?.field !== each.over.field)],
    ['bounds of a list along its order', lists.some((each) => each.bounds?.some(({ field }) => each.order[0]?.field === field) ?? false)],
    ['bounds of a list beside its order', lists.some((each) => each.bounds?.some(({ field }) => each.order[0]?.field !== field) ?? false)],
    ['a deep page in a range along its order', lists.some((each) => each.deepShare > 0 && orderRangeOf(each) !== null)],
    ['two ranges in a list', lists.some((each) => rangesOf(each).length > 1)],
    ['texts that begin alike along the order of a list', lists.some((each) => each.prefixes?.some(({ field }) => each.order[0]?.field === field))],
    ['texts that begin alike beside the order of a list', lists.some((each) => each.prefixes?.some(({ field }) => each.order[0]?.field !== field))],
    ['texts that begin alike in an aggregate', operations.some((operation) => operation.kind === 'aggregate' && operation.prefixes !== undefined)],
    ['none of several constants', lists.some((each) => each.among?.some(({ none }) => none))],
    ['two lists of constants', lists.some((each) => (each.among?.length ?? 0) > 1)],
    ['one of several constants in a list', lists.some((each) => each.among !== undefined)],
    ['bounds of an aggregate', operations.some((operation) => operation.kind === 'aggregate' && operation.bounds !== undefined)],
    ['one of several constants in an aggregate', operations.some((operation) => operation.kind === 'aggregate' && operation.among !== undefined)],
    ['a rank', operations.some((operation) => operation.kind === 'aggregate' && operation.before !== undefined)],
    ['a group by day', operations.some((operation) => operation.kind === 'aggregate' && operation.groupBy?.unit === 'day')],
    [
      'an update through a reference',
      steps.some((step) => step.kind === 'update' && step.via !== null && step.set.length > 0 && step.add.length > 0),
    ],
    ['a touch', scenarios.some((each) => each.operations.flatMap(writesOf).some((write) => renewsLife(entityOf(each, write.entity), write)))],
    ['a guard', operations.some((operation) => operation.kind === 'update' && operation.guard !== undefined)],
    [
      'a guard of a later step',
      operations.some(
        (each) => each.kind === 'transaction' && each.steps.slice(1).some((step) => step.kind === 'update' && step.guard !== undefined),
      ),
    ],
    ['a guard of what is summed', steps.some((step) => step.kind === 'update' && step.guard?.from !== undefined)],
    ['a read-modify-write', operations.some((each) => each.kind === 'update' && each.reads !== undefined && each.guard === undefined)],
    ['one that compares a version', operations.some((each) => each.kind === 'update' && each.guard?.asRead === true)],
    ['an insert that expects a version', steps.some((step) => step.kind === 'update' && step.of !== undefined)],
    ['rows of tenants', entities.some((entity) => entity.tenant !== undefined)],
    [
      'a guard on rows of tenants',
      scenarios.some(({ entities, operations }) =>
        operations.flatMap(writesOf).some((each) => each.kind === 'update' && each.guard !== undefined && entityOf({ entities }, each.entity).tenant),
      ),
    ],
    ['a field that is optional', entities.some((entity) => entity.fields.some((field) => field.optional !== undefined))],
    ['an order in which some rows have no value', scenarios.some((each) => lists.some((list) => ordersByOptional(each, list)))],
    ['rows without a value in a list', lists.some((each) => each.presence?.some(({ isNull }) => isNull))],
    ['rows with a value in a list', lists.some((each) => each.presence?.some(({ isNull }) => !isNull))],
    ['rows without a value in an aggregate', operations.some((each) => each.kind === 'aggregate' && each.presence !== undefined)],
    [
      'a field that is emptied',
      operations
        .flatMap(writesOf)
        .some((write) => write.kind === 'update' && write.set.some((each) => each.to === 'constant' && each.constant === null)),
    ],
    [
      'a new row without a value',
      operations.flatMap(writesOf).some((write) => write.kind === 'insert' && write.set?.some((each) => each.constant === null)),
    ],
    ['a guard of no value', operations.flatMap(writesOf).some((write) => write.kind === 'update' && write.guard?.constant === null)],
    ['an invariant', scenarios.some((scenario) => scenario.invariants.length > 0)],
    ['a name of 40 letters', entities.some((entity) => entity.name.length === 40)],
  ]
  expect(holds.filter(([, held]) => !held).map(([what]) => what)).toEqual([])
})

const ordersByOptional = ({ entities, operations }: Scenario, list: Operation) =>
  operations.includes(list) && list.kind === 'list' && isOptional(entityOf({ entities }, list.entity), list.order[0]?.field as string)
const referredBy = (field: { generator: { kind: string; entity?: string } }) => (field.generator.kind === 'reference' ? field.generator.entity : null)
