/** The resolved scenario as a result holds it: what types call `Scenario`, checked; what an earlier dbtrial did not know of has its default. */
import { z } from 'zod'
import { comparisons, consistencies, durabilities, efforts, fieldTypes, licenceKinds, quantileNames } from '../scenario/scenario.ts'
import { count, identifier, maxParts, nullable, number, open, positive, share, text } from './scalars.ts'

const century = 100 * 365.25 * 86_400_000
const identifiers = z.array(identifier)
const maxWords = 10_000

const indexChange = z.discriminatedUnion('kind', [
  open({ kind: z.literal('drop'), store: text, index: text }),
  open({ kind: z.literal('add'), store: text, columns: z.array(open({ field: text, descending: z.boolean() })).min(1), serves: z.array(text) }),
])
const skew = z
  .discriminatedUnion('kind', [
    open({ kind: z.literal('uniform') }),
    open({ kind: z.enum(['zipfian', 'latest']), theta: count.max(100) }),
    open({ kind: z.literal('hotspot'), hotShare: share, hotProbability: share }),
  ])
  .meta({ id: 'skew' })
const tiers = open({
  kind: z.literal('tiers'),
  tiers: z
    .array(
      open({
        withinMs: nullable(positive).describe('no row of it is older; null: what is left'),
        rowShare: share.describe('of the rows today'),
        pickShare: share.describe('of the picks'),
      }),
    )
    .min(1),
}).describe('by the age of rows, the newest first')
const pick = open({ skew: z.union([skew, tiers]), miss: share }).meta({ id: 'pick' })

const generator = z.discriminatedUnion('kind', [
  open({ kind: z.literal('uuid'), version: z.literal([4, 7]) }),
  open({ kind: z.literal('number'), low: number, high: number, mean: nullable(number), skew }),
  open({ kind: z.literal('bool'), share }),
  open({ kind: z.literal('enum'), values: z.array(text).min(1), weights: z.array(count).min(1) }),
  open({ kind: z.literal('words'), least: count.max(maxWords), most: count.max(maxWords) }),
  open({ kind: z.literal('timestamp'), withinMs: nullable(positive) }),
  open({ kind: z.enum(['json', 'bytes']), bytes: count.max(1e9), compressibility: share }),
  open({ kind: z.literal('reference'), entity: identifier, skew }),
  open({ kind: z.enum(['rowNumber', 'email', 'ownerKey', 'line', 'expiresAt']) }),
])
const field = open({
  name: identifier,
  type: z.enum(fieldTypes),
  scale: count.max(30),
  generator,
  unique: z.boolean(),
  pii: z.boolean(),
  optional: share.optional().describe('of the rows that have no value; absent: every row has one'),
  implicit: z.boolean(),
})
const entity = open({
  name: identifier,
  count: count.describe('rows in production today'),
  growthPerMonth: number.min(-1).max(1000),
  retentionMs: nullable(positive),
  archiveAfterMs: positive.optional().describe('rows that are older lie in object storage; absent: all stay in the tables'),
  ttlMs: nullable(positive),
  ageMs: positive.describe('age of the oldest row'),
  owner: nullable(open({ entity: identifier, least: count, most: count, mean: count })),
  fields: z.array(field).min(1),
  key: identifiers.min(1),
  tenant: identifier.optional().describe('the reference that says which tenant’s a row is'),
})

const constant = z.union([text, number, z.boolean()])
export const filter = open({ field: identifier, constant: nullable(constant).describe('null: the value of a picked row') }).meta({ id: 'filter' })
const window = open({ field: identifier, ms: positive })
export const presence = z.array(open({ field: identifier, isNull: z.boolean() })).describe('whether rows have a value at all')
const selection = {
  where: z.array(filter),
  presence: presence.optional(),
  bounds: z
    .array(open({ field: identifier, from: nullable(number), below: nullable(number) }))
    .optional()
    .describe('half-open, in units of the last digit'),
  prefixes: z
    .array(open({ field: identifier, characters: positive }))
    .optional()
    .describe('texts begin as that of a picked row'),
  among: z
    .array(open({ field: identifier, constants: z.array(constant).min(1), none: z.literal(true).optional() }))
    .optional()
    .describe('a row has one of the constants, or none'),
}
const order = open({ field: identifier, descending: z.boolean() })
const constantAssignment = open({ field: identifier, to: z.literal('constant'), constant: nullable(constant).describe('null: no value') })
const assignment = z.discriminatedUnion('to', [open({ field: identifier, to: z.enum(['now', 'any']) }), constantAssignment])
const addition = open({ field: identifier, amount: number, from: nullable(identifier) })

const guard = open({
  field: identifier,
  is: z.enum(comparisons),
  constant: nullable(constant),
  from: identifier.optional(),
  asRead: z.literal(true).optional(),
})

const insert = { kind: z.literal('insert'), with: identifiers, set: z.array(constantAssignment).optional() }
const put = { kind: z.literal('put'), existingShare: share }
const update = {
  kind: z.literal('update'),
  set: z.array(assignment),
  add: z.array(addition),
  guard: guard.optional().describe('absent: whatever the row holds'),
  via: nullable(open({ owned: identifier, field: identifier })),
  reads: identifiers.optional().describe('of a read-modify-write'),
  of: open({ step: count, field: identifier }).optional().describe('the row that a later step’s new row refers to'),
}
const remove = { kind: z.literal('delete') }
const addressed = { entity: identifier, pick }
const step = z.discriminatedUnion('kind', [
  open({ ...addressed, ...insert }),
  open({ ...addressed, ...put }),
  open({ ...addressed, ...update }),
  open({ ...addressed, ...remove }),
])

const objective = open({ quantile: share, name: z.enum(quantileNames), limitMs: positive }).meta({ id: 'objective' })
const common = {
  name: text,
  ...addressed,
  ratePerSecond: count,
  scales: z.boolean(),
  loadGrowthPerMonth: number.min(-1).max(1000),
  consistency: z.enum(consistencies),
  stalenessMs: nullable(count),
  objectives: z.array(objective),
  errorShare: share,
  native: z.record(text, text),
  internal: z.boolean(),
}
const operation = z.discriminatedUnion('kind', [
  open({ ...common, kind: z.literal('get'), with: identifiers, fields: identifiers }),
  open({
    ...common,
    kind: z.literal('list'),
    ...selection,
    over: window.nullable().optional(),
    order: z.array(order),
    limit: positive,
    fields: identifiers,
    deepShare: share,
  }),
  open({ ...common, kind: z.literal('search'), in: identifiers, limit: positive, fields: identifiers }),
  open({
    ...common,
    kind: z.literal('aggregate'),
    ...selection,
    groupBy: nullable(open({ field: identifier, unit: nullable(z.enum(['day', 'hour'])) })),
    sum: nullable(identifier),
    over: nullable(window),
    before: z.array(order).min(1).optional().describe('of a rank: the order in which rows before a place are counted'),
  }),
  open({ ...common, ...insert }),
  open({ ...common, ...put }),
  open({ ...common, ...update }),
  open({ ...common, ...remove }),
  open({ ...common, kind: z.literal('transaction'), steps: z.array(step).min(1) }),
])

const requirements = open({
  peak: positive.max(1e6),
  durability: z.enum(durabilities),
  availability: nullable(share),
  rpoMs: nullable(count),
  rtoMs: nullable(count),
  regions: z.array(text),
  compliance: z.array(text),
  licences: nullable(z.array(z.enum(licenceKinds)))
    .default(null)
    .describe('null: any'),
  budgetUsdPerMonth: nullable(count),
  engineerUsdPerHour: nullable(count).default(null).describe('null: assumed'),
  horizonMs: nullable(positive.max(century)),
})
const criteria = open({
  own: z.array(open({ name: identifier, stars: z.record(text, number.min(1).max(5)), source: text })),
  swing: z.record(text, number.min(0).max(100)),
  pairwise: z.array(open({ more: text, less: text, times: number.min(1).max(9) })),
})
const bench = open({
  scale: nullable(share),
  cpus: positive.max(4096),
  memoryBytes: positive,
  sizes: z.array(positive.max(4096)).default([]),
  effort: z.enum(efforts),
  repeats: nullable(positive),
  kills: count.max(100).optional(),
  security: z.literal('on').optional(),
})

export const scenario = open({
  name: text.regex(/^[a-z][a-z0-9_-]{0,39}$/),
  summary: text,
  seed: number,
  epochMs: number,
  entities: z.array(entity).min(1).max(maxParts),
  operations: z.array(operation).min(1).max(maxParts),
  invariants: z.array(open({ name: text, terms: z.array(open({ sign: z.literal([1, -1]), entity: identifier, field: identifier })) })),
  requirements,
  criteria: criteria.default({ own: [], swing: {}, pairwise: [] }),
  candidates: z.array(
    open({
      name: text,
      engine: text,
      durability: z.enum(durabilities),
      pooler: text.optional(),
      cache: open({ engine: text, ttlMs: positive, memoryBytes: positive, for: identifiers }).optional(),
      indexChanges: z.array(indexChange).optional(),
    }),
  ),
  bench,
})
