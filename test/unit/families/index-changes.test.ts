/** A model with an index less, or one more, is the same in everything else. */
import { expect, test } from 'vitest'
import { postgres } from '../../../src/engines/postgres/index.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { withIndexChanges } from '../../../src/families/index-changes.ts'
import { readScenario } from '../../../src/scenario/read.ts'

const scenario = readScenario('ecommerce')
const model = deriveModel(postgres, scenario)
const order = model.stores.find(({ name }) => name === 'order') as (typeof model.stores)[number]
const [index] = order.indexes
const ddlOf = (changed: typeof model) => postgres.compile(changed, allOperations(scenario), scenario, 'fsync').ddl.join('\n')

test('without a change nothing changes', () => {
  expect(withIndexChanges(model)).toEqual(model)
  expect(withIndexChanges(model, [{ kind: 'drop', store: 'order', index: 'no_such_index' }])).toEqual(model)
})

test('a dropped index is in no definition, and serves nobody', () => {
  const name = index?.name as string
  const changed = withIndexChanges(model, [{ kind: 'drop', store: 'order', index: name }])
  expect(ddlOf(model)).toContain(name)
  expect(ddlOf(changed)).not.toContain(name)
  const served = changed.accesses.flatMap(({ steps }) => steps).filter((step) => step.store === 'order' && step.index === name)
  expect(served).toEqual([])
  expect(changed.stores.filter((store) => store.name !== 'order')).toEqual(model.stores.filter((store) => store.name !== 'order'))
})

test('an added index has a name of its own, and serves whom it is for', () => {
  const columns = [
    { field: 'total', descending: false },
    { field: 'id', descending: true },
  ]
  const changed = withIndexChanges(model, [{ kind: 'add', store: 'order', columns, serves: ['get_order'] }])
  const added = changed.stores.find(({ name }) => name === 'order')?.indexes.at(-1)
  expect(added).toMatchObject({ columns, unique: false, serves: ['get_order'] })
  expect(model.stores.flatMap(({ indexes }) => indexes.map(({ name }) => name))).not.toContain(added?.name)
  expect(ddlOf(changed)).toContain(added?.name)
  const steps = changed.accesses.find(({ operation }) => operation === 'get_order')?.steps.filter(({ store }) => store === 'order')
  expect(steps?.map((step) => step.index)).toEqual([added?.name])
})
