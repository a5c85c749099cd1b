/** What a result states of a candidate's product: what types call `EngineTraits`, checked. Earlier versions stated less; what is there is whole. */
import { z } from 'zod'
import { licenceKinds } from '../scenario/scenario.ts'
import { count, nullable, number, open, text } from './scalars.ts'

const source = { source: text }
const fact = open({ value: text, ...source }).meta({ id: 'fact' })
const range = open({ range: open({ low: count, mid: count, high: count, confidence: z.null() }), ...source }).meta({ id: 'range' })
const members = number.min(0).max(100)

const topology = open({
  kind: z.enum(['primary', 'ring']),
  name: text,
  copies: members.min(1),
  consulted: open({ strong: members, session: members, eventual: members }),
  sharded: z.boolean(),
  fewestShards: members.min(1),
  beside: z.array(open({ nodes: members, what: text, when: z.enum(['whole', 'divided', 'always']), votes: z.boolean() })),
  localDisk: z.boolean(),
  ...source,
})
const planFacts = open({
  topology,
  memoryBound: z.boolean(),
  commandThreads: open({ count: nullable(count.min(1)), ...source }),
  atomicity: open({ acrossParts: z.boolean(), readsToo: z.boolean(), ...source }),
  smallestServer: open({ vcpus: count, memoryGib: count, ...source }),
  fixedMemoryGib: range,
  cacheOfRest: range,
  failoverSeconds: range,
  lostSeconds: range,
  diskReserve: range,
  replicaWork: range,
})

/** All that a plan needs came at once; before that it was less, and no plan is made of it. */
const isOlder = (stated: unknown) => typeof stated === 'object' && stated !== null && !('cacheOfRest' in stated)

const control = open({ by: z.enum(['product', 'beside', 'other edition', 'nothing']), value: text, ...source }).meta({ id: 'control' })

export const traits = open({
  plan: z
    .preprocess((stated) => (isOlder(stated) ? null : stated), nullable(planFacts))
    .default(null)
    .describe('null: an earlier dbtrial stated less than a plan needs'),
  pinned: text.optional().describe('the major version that this dbtrial is made for'),
  minimum: nullable(open({ cpus: count, memoryBytes: count, ...source }))
    .default(null)
    .describe('null: the maker documents none'),
  licence: open({ kind: z.enum(licenceKinds), value: text, ...source }).optional(),
  transactions: fact.optional(),
  isolation: fact.optional(),
  sharding: fact.optional(),
  topologies: fact.optional(),
  controls: open({ 'transport encryption': control, 'access control': control, 'audit trail': control, 'encryption at rest': control }).optional(),
})

const texts = z.array(text)
const definition = z.strictObject({ name: text, up: text, down: text })
const exporterRule = open({ alert: text, expr: text, for: text, severity: z.enum(['warn', 'act']), summary: text })
const exporter = open({
  name: text,
  lagSeconds: text.optional(),
  connectionShare: text.optional(),
  deadlocksAnHour: text.optional(),
  rules: z.array(exporterRule),
})
export const handbook = open({
  schema: texts,
  migrations: z.array(definition),
  upkeep: z.array(definition).describe('done each time that a part of a table has passed: the next is made ahead, the oldest is dropped'),
  backup: texts,
  restore: texts,
  archive: texts.optional().describe('how rows come into object storage and leave the tables'),
  grants: texts,
  rowRights: open({ how: texts, statements: texts }).describe('what keeps the rows of one tenant from another'),
  alerts: texts,
  exporter,
}).partial()
