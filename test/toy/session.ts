/** The toy through its driver: each call of a conversation is one request. */
import { bytesOf, type Call, ItemOperations, type Outcome, type Refusals, type Said } from '../../src/clients/item-operations.ts'
import { itemPromises } from '../../src/clients/item-promises.ts'
import { outOfMemory } from '../../src/clients/loading.ts'
import type { Compiled, Limits, Parity, Session } from '../../src/engines/engine.ts'
import { hostOf } from '../../src/families/key-value/items.ts'
import { Refused, type ToyClient } from './client.ts'

export const refusals: Refusals = { notStored: 'not stored', changed: 'changed' }
/** A quarter of the limit: what is stored is text, of which the server needs as much again for its table and its replies. */
export const settings = ({ memoryBytes }: Limits) => ({ maxBytes: String(Math.floor(memoryBytes / 4)), persistence: 'none' })

const nothingToDo = async () => {}

export function toySession(client: ToyClient, namespace: string, compiled: Compiled): Session {
  const operations = new ItemOperations(compiled, refusals)
  const itemsOf = (entity: string) => client.items(`${namespace}/${hostOf(compiled.scenario, entity).name}:`)

  async function asked(call: Call): Promise<Said> {
    const stored = 'item' in call ? { value: bytesOf(call).toString('base64'), seconds: call.seconds, cas: call.cas } : {}
    const said = await client.ask<Outcome | { value: string; cas: string } | null>(call.command, { key: `${namespace}/${call.key}`, ...stored })
    return said === null || typeof said === 'string' ? said : { value: Buffer.from(said.value, 'base64'), cas: said.cas }
  }

  return {
    async facts(limits) {
      const { version = '', ...effective } = await client.ask<Record<string, string>>('server')
      const parity = Object.entries(settings(limits)).map(([what, set]): Parity => {
        const own = { what, set, effective: effective[what] ?? 'unknown', ok: effective[what] === set }
        return what === 'maxBytes' ? { ...own, asked: 'what the limits leave', sizing: true } : { ...own, asked: `durability ${compiled.durability}` }
      })
      return { version, parity: [...parity, ...itemPromises] }
    },
    create: nothingToDo,
    async load(rows) {
      for (const block of rows.blocks())
        await Promise.all(Array.from(operations.stored(block), asked)).catch((error: unknown) => {
          throw error instanceof Refused && error.message === 'full' ? outOfMemory(rows, block.entity, error) : error
        })
    },
    settle: nothingToDo,
    maintain: nothingToDo,
    perform: (operation, params) => operations.perform(operation, params, asked),
    async storage() {
      const bytesOfItems = async (entity: string) => (await itemsOf(entity)).reduce((sum, { key, value }) => sum + key.length + value.length, 0)
      return { tables: await Promise.all(compiled.model.stores.map(async ({ name }) => ({ name, bytes: await bytesOfItems(name) }))), indexes: [] }
    },
    explain: async (operation) => operations.explain(operation),
    indexUse: async () => [],
    async total(entity, field) {
      const values = (await itemsOf(entity)).map(({ value }) => Buffer.from(value, 'base64'))
      return operations.total(entity, field, values)
    },
    async [Symbol.asyncDispose]() {
      client.end()
    },
  }
}
