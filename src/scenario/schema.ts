/** The grammar of a scenario file, as one zod schema: the source of scenario.schema.json and of every structural error. */
import { z } from 'zod'
import { consistencies, durabilities, efforts, licenceKinds, operationKinds, regimes } from './scenario.ts'
import { anyDuration, count, duration, factor, growth, horizon, rate, share, size, skew, span, spanKey, usdPerHour, usdPerMonth } from './units.ts'

/** Names become identifiers in SQL and CQL, keys in JSON and parts of paths: nothing but this is let in. */
export const identifierPattern = /^[a-z][a-z0-9_]{0,39}$/
const identifier = z.string().regex(identifierPattern, 'expected a name of a-z, 0-9 and _, starting with a letter, at most 40 long')
export const scenarioName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'expected a name of a-z, 0-9, _ and -, starting with a letter, at most 40 long')
/** Where a field is named: an owned row's key is called after its owner and its owner's key, both of which may be long. */
const fieldName = z.string().regex(/^[a-z][a-z0-9_]{0,80}$/, 'expected the name of a field')
const plainLiteral = z.union([z.string().max(200), z.number(), z.boolean()])
const literal = z.union([plainLiteral, z.strictObject({ value: plainLiteral.describe('The constant itself, where it is called `any` or `now`.') })], {
  error: 'expected a text, a number, true or false',
})
const range = z
  .tuple([z.number(), z.number()], { error: 'expected two numbers: [least, most]' })
  .refine(([low, high]) => low <= high, 'expected the smaller bound first')
const wholeRange = range.refine((pair) => pair.every(Number.isSafeInteger), 'expected whole numbers')

const minMemory = 16 * 2 ** 20

const common = {
  key: z.literal(true).optional().describe('This field is the primary key of its entity.'),
  unique: z.literal(true).optional().describe('No two rows share a value.'),
  pii: z.boolean().optional().describe('Personal data: listed for the compliance chapter of the report.'),
  optional: share
    .refine((value) => value > 0 && value < 1, 'expected more than 0% and less than 100%')
    .optional()
    .describe('Share of the rows that have no value (null).'),
}
const compressibility = z.number().min(0).max(1).optional().describe('Share of the bytes that a compressor removes; default 0.5.')

const typedField = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('uuid'), version: z.enum(['v4', 'v7']).optional(), ...common }),
  z.strictObject({ type: z.literal('int'), range: wholeRange.optional(), mean: z.number().optional(), skew: skew.optional(), ...common }),
  z.strictObject({ type: z.literal('decimal'), range, mean: z.number().optional(), scale: z.int().min(0).max(6), ...common }),
  z.strictObject({ type: z.literal('bool'), share: share.optional().describe('Share of rows that are true; default 50%.'), ...common }),
  z.strictObject({
    type: z.literal('enum'),
    values: z.union([z.array(z.string().min(1).max(60)).min(1), z.record(z.string().min(1).max(60), z.number().positive().max(1e9))], {
      error: 'expected values such as [open, closed], or with weights { open: 5, closed: 95 }',
    }),
    ...common,
  }),
  z.strictObject({
    type: z.literal('words'),
    count: wholeRange.refine(([low, high]) => low >= 1 && high <= 100, 'expected 1 to 100 words'),
    ...common,
  }),
  z.strictObject({ type: z.literal('email'), ...common }),
  z.strictObject({
    type: z.literal('timestamp'),
    within: span.optional().describe("Oldest age of a row; without it the row's creation time."),
    ...common,
  }),
  z.strictObject({
    type: z.literal('json'),
    size: size.refine((bytes) => bytes >= 20 && bytes <= 1e6, { error: 'expected 20B to 1MB' }),
    compressibility,
    ...common,
  }),
  z.strictObject({
    type: z.literal('bytes'),
    size: size.refine((bytes) => bytes >= 1 && bytes <= 1e6, 'expected 1B to 1MB'),
    compressibility,
    ...common,
  }),
])
const reference = z.strictObject({ ref: identifier.describe('The entity whose key this field holds.'), skew: skew.optional(), ...common })
const field = z.union([reference, typedField], { error: 'expected a field such as { type: int, range: [1, 9] } or { ref: customer }' })

const entity = z.strictObject({
  count: count.optional().describe('Rows in production today; owned entities follow from their owner.'),
  growth: growth.optional().describe('Growth of the stock of rows.'),
  retention: span.optional().describe('How long rows are kept; for the capacity plan, nothing is removed during a run.'),
  archive: z
    .strictObject({ after: span, to: z.literal('object-storage') })
    .optional()
    .describe('Rows that are older leave the tables; for the capacity plan, nothing is moved during a run.'),
  ttl: span.optional().describe('A row expires this long after its last insert, put or touch.'),
  owned_by: identifier.optional().describe('Rows live and die with a row of this entity.'),
  per_owner: z
    .strictObject({
      range: wholeRange.refine(([low, high]) => low >= 0 && high <= 1000, 'expected 0 to 1000 rows per owner'),
      mean: z.number().optional(),
    })
    .optional(),
  fields: z.record(identifier, field),
})

const objectives = {
  p50: duration.optional(),
  p90: duration.optional(),
  p95: duration.optional(),
  p99: duration.optional(),
  p999: duration.optional(),
  max: duration.optional(),
  errors: share.optional().describe('Share of operations that may fail; default 0.1%.'),
}
const maxTiers = 8
const tiers = z
  .record(spanKey, share)
  .refine((ages) => Object.keys(ages).length <= maxTiers, `expected at most ${maxTiers} ages`)
  .describe('Shares of the picks by the age of rows: { 30d: 90%, 1y: 9% }, the rest to older ones.')
const pick = z
  .strictObject({ skew: skew.optional(), last: tiers.optional(), miss: share.optional().describe('Share of picks that find nothing; default 0%.') })
  .optional()
  .describe('Which rows the operation addresses.')
const operationCommon = {
  rate: rate.describe('Average rate in production.'),
  ...objectives,
  consistency: z.enum(consistencies).optional(),
  staleness: anyDuration.optional().describe('An answer may be this old.'),
  scales: z.boolean().optional().describe('false: a scheduled job whose rate does not follow the load.'),
  native: z
    .record(identifier, z.string().min(1).max(10_000))
    .optional()
    .describe('By engine: a statement of your own in place of the compiled one, with :name parameters; runs only with --allow-native.'),
  load_growth: growth.optional().describe('Growth of the rate; default that of the entity it touches.'),
}
const fieldList = z.array(fieldName).min(1)
const last = z.strictObject({ last: duration.describe('Times of a window that ends at the replay time.') })
const end = z.number().optional()
const bounds = z.strictObject({ gt: end, gte: end, lt: end, lte: end })
const among = z.strictObject({ in: z.array(plainLiteral).min(2).max(20).describe('Constants of which a row has one.') })
const not = z.strictObject({ not: plainLiteral.describe('A constant that a row does not have.') })
const noneOf = z.strictObject({ not_in: z.array(plainLiteral).min(2).max(20).describe('Constants of which a row has none.') })
const prefix = z.strictObject({ prefix: z.int().min(1).max(20).describe('First characters of the value of a picked row, with which texts begin.') })
const presence = z.strictObject({
  is: z.union([z.null(), z.literal('not null')], { error: 'expected null or not null' }).describe('Rows without a value, or with one.'),
})
const filter = z
  .record(
    fieldName,
    z.union([literal, last, among, not, noneOf, prefix, bounds, presence], {
      error:
        'expected any, a constant, { last: 30d }, { gte: 10, lt: 50 }, { prefix: 3 }, { in: [open, pending] }, { not: closed }, { not_in: [1, 2] } or { is: null }',
    }),
  )
  .describe(
    'Filters: `any` is the value that the field has in a picked row, then a constant, constants of which a row has one or none, a range, or whether there is a value: { is: null }, { is: not null }.',
  )
const limit = z.int().min(1).max(1000)
const page = z.union([z.enum(['first', 'deep']), z.strictObject({ deep: share })], { error: 'expected first, deep or { deep: 20% }' }).optional()
const order = z.string().regex(/^-?[a-z][a-z0-9_]*$/, 'expected a field, or -field for descending')
const assigned = z.union([literal, z.null()], { error: 'expected a text, a number, true, false or null' })
const assignments = z.record(identifier, assigned).describe('`now` is the replay time, `any` a fresh value, null none; anything else is a constant.')
const additions = z.record(
  identifier,
  z.union(
    [z.int(), z.string().regex(/^-?[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/, 'expected a whole number or order_item.quantity, with or without a minus')],
    { error: 'expected a whole number or order_item.quantity, with or without a minus' },
  ),
)

const boundText = 'expected a number, or with via order_item.quantity, with or without a minus'
const bound = z.union([z.number(), z.string().regex(/^-?[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/, boundText)], { error: boundText }).optional()
const guard = z
  .record(fieldName, z.strictObject({ equals: literal.optional(), is: z.null().optional(), gt: bound, gte: bound, lt: bound, lte: bound }))
  .describe(
    'What the row must hold for the update to be done, such as { balance: { gte: 10 } }; else nothing is done, and the outcome is a conflict, which is no error.',
  )

/** By what an operation of the file is told: a touch and a read_modify_write are updates, a rank is an aggregate, once they are resolved. */
export const fileKinds = [...operationKinds, 'read_modify_write', 'touch', 'rank'] as const

export const stepKinds = ['insert', 'put', 'update', 'touch', 'delete'] as const
const insertStep = {
  insert: identifier,
  with: fieldList.optional(),
  set: z.record(identifier, assigned).optional().describe('Constants that new rows begin with, such as { state: open }, or null.'),
}
const putStep = { put: identifier, keys: z.strictObject({ existing: share, new: share }).optional() }
const updateStep = { update: identifier, set: assignments.optional(), add: additions.optional(), if: guard.optional() }
const touchStep = { touch: identifier.describe('The life of a row begins anew: its `ttl` counts from now, and nothing else of it is written.') }
const deleteStep = { delete: identifier }
const expected = z
  .string()
  .regex(/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/, 'expected a reference and a field of the row that it leads to, such as stream_id.version')
  .describe(
    'The version of the row that a new one refers to, such as stream_id.version: it is read, and the insert adds one to it, unless another was faster.',
  )
const step = z.union(
  [
    z.strictObject(insertStep),
    z.strictObject({ ...putStep, pick }),
    z.strictObject({
      ...updateStep,
      via: z
        .string()
        .regex(/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/, 'expected a reference such as order_item.product_id')
        .optional(),
      pick,
    }),
    z.strictObject({ ...touchStep, pick }),
    z.strictObject({ ...deleteStep, pick }),
  ],
  { error: 'expected a step such as { insert: order }' },
)

const operation = z.union(
  [
    z.strictObject({ get: identifier, with: fieldList.optional(), fields: fieldList.optional(), pick, ...operationCommon }),
    z.strictObject({
      list: identifier,
      where: filter,
      order_by: order,
      limit,
      fields: fieldList.optional(),
      page,
      pick,
      ...operationCommon,
    }),
    z.strictObject({ search: identifier, in: fieldList, limit, fields: fieldList.optional(), pick, ...operationCommon }),
    z.strictObject({
      aggregate: identifier,
      where: filter.optional(),
      group_by: z
        .string()
        .regex(/^(?:(day|hour)\(([a-z][a-z0-9_]*)\)|[a-z][a-z0-9_]*)$/, 'expected a field, day(field) or hour(field)')
        .optional(),
      sum: fieldName.optional(),
      over: duration.optional().describe('Window that ends at the replay time.'),
      pick,
      ...operationCommon,
    }),
    z.strictObject({
      rank: identifier.describe('How many rows come before a picked one.'),
      by: order,
      where: filter.optional(),
      pick,
      ...operationCommon,
    }),
    z.strictObject({ ...insertStep, expects: expected.optional(), ...operationCommon }),
    z.strictObject({ ...putStep, pick, ...operationCommon }),
    z.strictObject({ ...updateStep, pick, ...operationCommon }),
    z.strictObject({ ...touchStep, pick, ...operationCommon }),
    z.strictObject({ ...deleteStep, pick, ...operationCommon }),
    z.strictObject({
      read_modify_write: identifier,
      atomic: z
        .boolean()
        .describe(
          'false: what others write between the reading and the writing is lost; true: then nothing is written, and the outcome is a conflict.',
        ),
      version: identifier
        .optional()
        .describe('An int that every write adds one to, by which atomic knows whether the row is still the one that was read.'),
      set: assignments.optional(),
      pick,
      ...operationCommon,
    }),
    z.strictObject({ transaction: z.array(step).min(1).max(20), ...operationCommon }),
  ],
  { error: 'expected an operation such as { get: product, rate: 900/s, p99: 10ms }' },
)

const regime = z
  .string()
  .transform((name) => name.toLowerCase().replaceAll(/[\s-]+/g, '_'))
  .pipe(z.enum(regimes))
const cache = z.strictObject({
  engine: identifier,
  pattern: z.literal('cache-aside').optional().describe('Reads fill it, writes by key take out what they change. The one there is.'),
  ttl: duration.refine((ms) => ms % 1000 === 0, 'expected whole seconds').describe('What it holds is never older.'),
  memory: size
    .refine((bytes) => bytes >= minMemory, 'expected at least 16MiB')
    .optional()
    .describe('Of the memory of limits; default: a quarter of it.'),
  for: z.array(identifier).min(1).describe('The gets that it answers.'),
})
const candidateName = z.string().regex(/^[a-z][a-z0-9_+]{0,39}$/, 'expected a name of a-z, 0-9, _ and +, starting with a letter, at most 40 long')
const candidate = z.union(
  [
    identifier,
    z.strictObject({
      name: candidateName,
      engine: identifier,
      durability: z.enum(durabilities).optional(),
      pooler: identifier.optional().describe('Runs between clients and the server, within the limits of both.'),
      cache: cache.optional().describe('A second server beside the first, within the limits of both: what some gets ask first.'),
    }),
  ],
  {
    error: 'expected an engine, or { name: …, engine: … }',
  },
)

const comparisonPattern = /^([a-z][a-z0-9_]*)\s+(\d(?:\.\d{1,3})?)x\s+([a-z][a-z0-9_]*)$/
const comparison = z
  .string()
  .regex(comparisonPattern, 'expected a comparison such as money 3x latency')
  .transform((text) => {
    const [, more = '', times, less = ''] = comparisonPattern.exec(text) as RegExpExecArray
    return { more, less, times: Number(times) }
  })
  .refine(({ times }) => times >= 1 && times <= 9, 'expected 1x (as much) to 9x (extremely more): the one that weighs more comes first')

/** Fixed: a scenario without one means the same tomorrow. */
export const defaultEpoch = '2026-01-01T00:00:00Z'

export const scenarioSchema = z.strictObject({
  name: scenarioName,
  summary: z.string().max(2000),
  seed: z
    .int()
    .min(0)
    .max(2 ** 48),
  epoch: z.iso
    .datetime({ error: `expected a UTC time such as ${defaultEpoch}` })
    .optional()
    .describe(`The scenario's now when loading ends; default ${defaultEpoch}.`),
  tenant: identifier
    .optional()
    .describe(
      'A reference, such as tenant_id: rows of every entity that has it are of that tenant, and are asked for by their keys as its. Those that they own are its too, but by their own keys, alone, they are asked for without it.',
    ),
  entities: z.record(identifier, entity),
  operations: z.record(identifier, operation),
  invariants: z.record(identifier, z.strictObject({ conserve: z.string().max(500) })).optional(),
  requirements: z.strictObject({
    peak: factor,
    availability: share.optional(),
    rpo: anyDuration.optional(),
    rto: anyDuration.optional(),
    regions: z.array(z.string().min(1).max(60)).optional(),
    compliance: z
      .array(regime)
      .optional()
      .describe(`Regimes whose rules a store must be able to meet: ${regimes.join(', ')}.`),
    licences: z.array(z.enum(licenceKinds)).min(1).optional().describe('Kinds of licence that are accepted; default: any.'),
    budget: usdPerMonth.optional(),
    engineer: usdPerHour.optional().describe('What an hour of those who run it costs; default: assumed.'),
    horizon: horizon.optional(),
    growth: growth.optional().describe('Growth of all rows and rates that state none of their own.'),
    durability: z.enum(durabilities),
  }),
  criteria: z
    .strictObject({
      own: z
        .record(
          identifier,
          z.strictObject({
            stars: z.record(identifier, z.int().min(1).max(5)).describe('One to five for each candidate.'),
            source: z.string().min(1).max(500).describe('Who says so, and when.'),
          }),
        )
        .optional()
        .describe('Criteria of your own, such as team_skill, migration_effort or lock_in.'),
      swing: z
        .record(identifier, z.number().min(0).max(100))
        .optional()
        .describe('Points: what it is worth to go from the lower end of a scale to its upper end; 100 for the worthiest.'),
      pairwise: z.array(comparison).min(1).max(200).optional().describe('Comparisons of pairs in place of points: money 3x latency.'),
    })
    .optional(),
  candidates: z.array(candidate).min(1).max(20),
  bench: z
    .strictObject({
      scale: share.optional().describe('Share of the production rows that is loaded, at most.'),
      limits: z
        .strictObject({ cpus: z.int().min(1).max(256), memory: size.refine((bytes) => bytes >= minMemory, 'expected at least 16MiB') })
        .optional(),
      sizes: z
        .array(z.int().min(1).max(256))
        .min(3)
        .optional()
        .describe('Whole-core sizes on which throughput is measured, so that the capacity plan need not assume how a server scales up.'),
      kills: z
        .int()
        .min(0)
        .max(100)
        .optional()
        .describe(
          'Times that each server is killed in the middle of its writes and started again, after all that is timed; default: 10 at standard and thorough, else none.',
        ),
      effort: z.enum(efforts).optional(),
      repeats: z.int().min(1).max(20).optional(),
      security: z
        .enum(['on', 'off'])
        .optional()
        .describe('TLS, and a login with few rights, in what is measured; default: on where a regime of requirements.compliance asks for either.'),
    })
    .optional(),
})

export type ScenarioFile = z.output<typeof scenarioSchema>
export type EntityFile = ScenarioFile['entities'][string]
export type FieldFile = EntityFile['fields'][string]
export type OperationFile = ScenarioFile['operations'][string]
export type WhereFile = Extract<OperationFile, { list: unknown }>['where']
export type StepFile = Extract<OperationFile, { transaction: unknown }>['transaction'][number]

/** The JSON Schema that editors use, as text. */
export function scenarioJsonSchema(): string {
  return `${JSON.stringify({ title: 'dbtrial scenario', ...z.toJSONSchema(scenarioSchema, { io: 'input' }) }, null, 2)}\n`
}
