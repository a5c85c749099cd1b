import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

const valid = readFileSync(fileURLToPath(new URL('../../../scenarios/ecommerce.yaml', import.meta.url)), 'utf8')

function compiled(statement: string) {
  const scenario = parseScenario(valid.replace('{ get: product, rate', `{ get: product, native: { postgres: "${statement}" }, rate`), 's.yaml')
  const engine = engineNamed('postgres')
  return engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync').programs[0]
}

test('a statement of the scenario binds its parameters by name, and leaves casts alone', () => {
  expect(compiled('SELECT * FROM product WHERE id = :key_id::uuid')?.variants[0]).toEqual([
    { text: 'SELECT * FROM product WHERE id = $1::uuid', binds: [0] },
  ])
})

test('an unknown parameter is an error that names those there are', () => {
  expect(() => compiled('SELECT 1 WHERE :id')).toThrow('operations.get_product.native.postgres: there is no parameter ":id"')
})
