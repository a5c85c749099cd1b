import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { writeCommand } from '../../../src/clients/protocols/resp.ts'
import { RequestBuffer } from '../../../src/clients/request.ts'
import { makeDataset } from '../../../src/data/dataset.ts'
import { DrawnParameters } from '../../../src/data/drawn.ts'
import { parametersOf } from '../../../src/data/parameters.ts'
import type { Compiled } from '../../../src/engines/engine.ts'
import { RedisOperations } from '../../../src/engines/redis/operations.ts'
import { commandsOf } from '../../../src/engines/redis/talk.ts'
import { templateOf } from '../../../src/engines/redis/templates.ts'
import { engineNamed } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { writesOf } from '../../../src/scenario/scenario.ts'

function templatesFor(path: string) {
  const scenario = readScenario(path)
  const operations = allOperations(scenario)
  const engine = engineNamed('redis')
  const compiled: Compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'fsync')
  const conversations = new RedisOperations(compiled)
  return {
    scenario,
    operations,
    compiled,
    conversations,
    templates: operations.map((op, at) => (compiled.programs[at] === null ? null : templateOf(compiled, conversations, op))),
  }
}

const describeOperation = (name: string) => templatesFor('ecommerce').compiled.programs.find((each) => each?.operation === name)?.shown[0]

describe('templates', () => {
  test('are there for every operation of ecommerce that is one call', () => {
    const { operations, templates } = templatesFor('ecommerce')
    const own = operations.filter((op, at) => !op.internal && templates[at] !== null).map((op) => op.name)
    expect(own).toEqual([
      'get_product',
      'get_order',
      'order_history',
      'browse_category',
      'search_products',
      'ship_order',
      'read_session',
      'write_session',
    ])
  })

  test('of a write that reads nothing are commands, in a transaction where they are several', () => {
    const { operations, conversations } = templatesFor('ecommerce')
    const forms = operations.filter((op) => !op.internal).map((op) => [op.name, writesOf(op).length === 0 ? 'reads' : conversations.writes.form(op)])
    expect(Object.fromEntries(forms)).toMatchObject({ write_session: 'new rows', ship_order: 'script', place_order: 'script' })
    expect(describeOperation('write_session')).toMatch(/^MULTI\nHSET session:\?row\.id .*\nPEXPIRE session:\?row\.id \d+\nEXEC$/)
  })

  test.each(['kinds', 'awkward/pairs', 'awkward/tenants'])('write the very bytes of the conversation: %s', (name) => {
    const { scenario, operations, conversations, templates } = templatesFor(fileURLToPath(new URL(`../../engines/${name}.yaml`, import.meta.url)))
    const params = new DrawnParameters(makeDataset(scenario, 1), operations, 'templates', 1, scenario.epochMs)
    let compared = 0
    for (const [index, op] of operations.entries()) {
      const template = templates[index]
      if (template == null) continue
      const names = parametersOf(scenario, op).map((parameter) => parameter.name)
      for (let round = 0; round < 50; round++) {
        params.next(index)
        if (!template.fits(params)) continue
        const written = new RequestBuffer()
        template.write(params, written)
        const said = conversations.perform(op, (name) => params.value(names.indexOf(name))).next()
        if (said.done === true) throw new Error(`${op.name} asks nothing`)
        const expected = new RequestBuffer()
        for (const words of commandsOf(said.value)) writeCommand(expected, words)
        expect(written.bytes.toString('latin1', 0, written.length), op.name).toBe(expected.bytes.toString('latin1', 0, expected.length))
        compared++
      }
    }
    expect(compared).toBeGreaterThan(50)
  })
})
