/** The physical model of a candidate as a result holds it: what types call `PhysicalModel`, checked. */
import { z } from 'zod'
import { bucketUnits } from '../families/buckets.ts'
import { partUnits } from '../families/parts.ts'
import { fieldTypes, operationKinds } from '../scenario/scenario.ts'
import { count, identifier, maxParts, nullable, open, positive, text } from './scalars.ts'
import { filter, presence } from './scenario.ts'

const texts = z.array(text)

const index = open({
  name: text,
  kind: z.enum(['ordered', 'text', 'expiry']),
  columns: z.array(open({ field: text, descending: z.boolean() })),
  include: texts,
  where: z.array(filter),
  presence: presence.optional(),
  unique: z.boolean(),
  serves: texts,
  reason: text,
})
const column = open({
  name: text,
  entity: text,
  field: text,
  type: z.enum(fieldTypes),
  scale: count.max(30),
  role: z.enum(['key', 'value', 'static', 'line', 'bucket', 'token', 'version']),
})
const store = open({
  name: text,
  base: z.boolean().describe('holds an entity’s rows by key; other stores repeat them for a query'),
  entity: identifier,
  columns: z.array(column),
  partition: texts,
  clustering: z.array(open({ column: text, descending: z.boolean() })),
  bucket: nullable(open({ column: text, field: text, unit: z.enum(bucketUnits) })),
  unique: z.literal(true).optional(),
  timed: z.literal(true).optional(),
  where: z.array(filter).optional(),
  embedded: texts,
  indexes: z.array(index),
  references: z.array(open({ field: text, entity: text })),
  expiry: nullable(open({ field: text, ttlMs: positive })),
  division: open({ parts: nullable(open({ field: text, unit: z.enum(partUnits), keptMs: positive, prefix: text })), why: text })
    .optional()
    .describe('whether its rows lie in parts by their time, and why'),
  serves: texts,
  reason: text,
})
const access = open({
  operation: text,
  kind: z.enum(operationKinds),
  steps: z.array(open({ action: z.enum(['read', 'read first', 'write', 'delete']), store: text, index: nullable(text), requests: count.max(1e6) })),
})

export const excuse = open({ engine: text, operation: nullable(text), reason: text, bottleneck: text })

export const model = open({
  family: z.enum(['relational', 'document', 'wide-column', 'key-value']),
  stores: z.array(store).max(maxParts),
  accesses: z.array(access).max(maxParts),
  excuses: z.array(excuse),
  emulations: z.array(open({ operation: text, how: text })),
})
