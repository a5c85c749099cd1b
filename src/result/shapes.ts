/** The parts of a result that it publishes as plain objects, checked when a result is read: somebody else may have made or damaged the file. */

import { z } from 'zod'
import { Histogram } from '../measure/histogram.ts'
import type { Result } from './result.ts'

/** Numbers stay where arithmetic on them ends and means something. */
const number = z.number().min(-1e18).max(1e18)
const positive = number.gt(0)
const count = number.min(0)
const share = number.min(0).max(1)
const text = z.string()
const maxParts = 10_000
const nullable = <T extends z.ZodType>(type: T) => type.nullable()
const open = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape)
const name = text.regex(/^[a-z][a-z0-9_]{0,79}$/)
const century = 100 * 365.25 * 86_400_000

const skew = z.discriminatedUnion('kind', [
  open({ kind: z.literal('uniform') }),
  open({ kind: z.enum(['zipfian', 'latest']), theta: count.max(100) }),
  open({ kind: z.literal('hotspot'), hotShare: share, hotProbability: share }),
])
const pick = open({ skew, miss: share })
const generator = z.discriminatedUnion('kind', [
  open({ kind: z.literal('uuid'), version: z.union([z.literal(4), z.literal(7)]) }),
  open({ kind: z.literal('number'), low: number, high: number, mean: nullable(number), skew }),
  open({ kind: z.literal('bool'), share }),
  open({ kind: z.literal('enum'), values: z.array(text).min(1), weights: z.array(count).min(1) }),
  open({ kind: z.literal('words'), least: count.max(maxParts), most: count.max(maxParts) }),
  open({ kind: z.literal('timestamp'), withinMs: nullable(positive) }),
  open({ kind: z.enum(['json', 'bytes']), bytes: count.max(1e9), compressibility: share }),
  open({ kind: z.literal('reference'), entity: name, skew }),
  open({ kind: z.enum(['rowNumber', 'email', 'ownerKey', 'line', 'expiresAt']) }),
])
const field = open({
  name,
  type: z.enum(['uuid', 'int', 'decimal', 'bool', 'enum', 'words', 'email', 'timestamp', 'json', 'bytes']),
  scale: number.min(0).max(30),
  generator,
  unique: z.boolean(),
  pii: z.boolean(),
  implicit: z.boolean(),
})
const entity = open({
  name,
  count,
  growthPerMonth: number.min(-1).max(1000),
  retentionMs: nullable(positive),
  ttlMs: nullable(positive),
  ageMs: positive,
  owner: nullable(open({ entity: name, least: count, most: count, mean: count })),
  fields: z.array(field).min(1),
  key: z.array(name).min(1),
})
const constant = z.union([text, number, z.boolean()])
const filter = open({ field: name, constant: nullable(constant) })
const order = open({ field: name, descending: z.boolean() })
const write = {
  with: z.array(name).optional(),
  existingShare: share.optional(),
  set: z.array(open({ field: name, to: z.enum(['now', 'any', 'constant']) })).optional(),
  add: z.array(open({ field: name, amount: number, from: nullable(name) })).optional(),
  via: nullable(open({ owned: name, field: name })).optional(),
}
const step = open({ kind: z.enum(['insert', 'put', 'update', 'delete']), entity: name, pick, ...write })
const operation = open({
  name: text,
  entity: name,
  kind: z.enum(['get', 'list', 'search', 'aggregate', 'insert', 'put', 'update', 'delete', 'transaction']),
  ratePerSecond: count,
  scales: z.boolean(),
  loadGrowthPerMonth: number.min(-1).max(1000),
  consistency: z.enum(['strong', 'session', 'eventual']),
  stalenessMs: nullable(count),
  objectives: z.array(open({ quantile: share, name: z.enum(['p50', 'p90', 'p95', 'p99', 'p999', 'max']), limitMs: positive })),
  errorShare: share,
  pick,
  native: z.record(text, text),
  internal: z.boolean(),
  ...write,
  fields: z.array(name).optional(),
  where: z.array(filter).optional(),
  order: z.array(order).optional(),
  limit: positive.optional(),
  deepShare: share.optional(),
  in: z.array(name).optional(),
  groupBy: nullable(open({ field: name, unit: nullable(z.enum(['day', 'hour'])) })).optional(),
  sum: nullable(name).optional(),
  over: nullable(open({ field: name, ms: positive })).optional(),
  steps: z.array(step).min(1).optional(),
}).refine(
  (each) =>
    ({
      get: [each.with, each.fields],
      list: [each.where, each.order, each.limit, each.fields, each.deepShare],
      search: [each.in, each.limit, each.fields],
      aggregate: [each.where, each.groupBy, each.sum, each.over],
      insert: [each.with],
      put: [each.existingShare],
      update: [each.set, each.add, each.via],
      delete: [],
      transaction: [each.steps],
    })[each.kind].every((part) => part !== undefined),
  'parts of this kind of operation are missing',
)
const scenario = open({
  name: text.regex(/^[a-z][a-z0-9_-]{0,39}$/),
  summary: text,
  seed: number,
  epochMs: number,
  entities: z.array(entity).min(1).max(maxParts),
  operations: z.array(operation).min(1).max(maxParts),
  invariants: z.array(open({ name: text, terms: z.array(open({ sign: z.union([z.literal(1), z.literal(-1)]), entity: name, field: name })) })),
  requirements: open({
    peak: positive.max(1e6),
    durability: z.enum(['fsync', 'relaxed']),
    availability: nullable(share),
    rpoMs: nullable(count),
    rtoMs: nullable(count),
    regions: z.array(text),
    compliance: z.array(text),
    licences: nullable(z.array(text)).optional(),
    budgetUsdPerMonth: nullable(count),
    engineerUsdPerHour: nullable(count).optional(),
    horizonMs: nullable(positive.max(century)),
  }),
  criteria: open({
    own: z.array(open({ name, stars: z.record(text, number.min(1).max(5)), source: text })),
    swing: z.record(text, number.min(0).max(100)),
    pairwise: z.array(open({ more: text, less: text, times: number.min(1).max(9) })),
  }).optional(),
  candidates: z.array(open({ name: text, engine: text, durability: z.enum(['fsync', 'relaxed']) })),
  bench: open({
    scale: nullable(share),
    cpus: positive.max(4096),
    memoryBytes: positive,
    sizes: z.array(positive.max(4096)).optional(),
    effort: text,
    repeats: nullable(positive),
    security: z.literal('on').optional(),
  }),
})

const index = open({
  name: text,
  kind: z.enum(['ordered', 'text', 'expiry']),
  columns: z.array(open({ field: text, descending: z.boolean() })),
  include: z.array(text),
  where: z.array(filter),
  unique: z.boolean(),
  serves: z.array(text),
  reason: text,
})
const store = open({
  name: text,
  base: z.boolean(),
  entity: name,
  columns: z.array(open({ name: text, entity: text, field: text, type: text, scale: number, role: text })),
  partition: z.array(text),
  clustering: z.array(open({ column: text, descending: z.boolean() })),
  bucket: nullable(open({ column: text, field: text, unit: text })),
  where: z.array(filter).optional(),
  embedded: z.array(text),
  indexes: z.array(index),
  references: z.array(open({ field: text, entity: text })),
  expiry: nullable(open({ field: text, ttlMs: positive })),
  serves: z.array(text),
  reason: text,
})
const excuse = open({ engine: text, operation: nullable(text), reason: text, bottleneck: text })
const model = open({
  family: z.enum(['relational', 'document', 'wide-column', 'key-value']),
  stores: z.array(store).max(maxParts),
  accesses: z
    .array(
      open({
        operation: text,
        kind: text,
        steps: z.array(
          open({ action: z.enum(['read', 'read first', 'write', 'delete']), store: text, index: nullable(text), requests: count.max(1e6) }),
        ),
      }),
    )
    .max(maxParts),
  excuses: z.array(excuse),
  emulations: z.array(open({ operation: text, how: text })),
})

const fact = open({ value: text, source: text })
const range = open({ range: open({ low: count, mid: count, high: count, confidence: z.null() }), source: text })
const members = number.min(0).max(100)
/** Results of older versions lack the younger facts; what is there is whole. */
const traits = open({
  plan: open({
    topology: open({
      kind: z.enum(['primary', 'ring']),
      name: text,
      copies: members.min(1),
      consulted: open({ strong: members, session: members, eventual: members }),
      sharded: z.boolean(),
      fewestShards: members.min(1).optional(),
      beside: z.array(open({ nodes: members, what: text, when: z.enum(['whole', 'divided', 'always']), votes: z.boolean() })).optional(),
      localDisk: z.boolean(),
      source: text,
    }),
    memoryBound: z.boolean(),
    diskReserve: range,
    commandThreads: open({ count: count.min(1).nullable(), source: text }).optional(),
    atomicity: open({ acrossParts: z.boolean(), readsToo: z.boolean(), source: text }).optional(),
    smallestServer: open({ vcpus: count, memoryGib: count, source: text }).optional(),
    fixedMemoryGib: range.optional(),
    cacheOfRest: range.optional(),
    failoverSeconds: range.optional(),
    lostSeconds: range.optional(),
    replicaWork: range,
  }),
  pinned: text,
  minimum: open({ cpus: count, memoryBytes: count, source: text }).nullable(),
  licence: open({ kind: text, value: text, source: text }),
  transactions: fact,
  isolation: fact,
  sharding: fact,
  topologies: fact,
  controls: z.record(text, open({ value: text, source: text, by: text })),
}).partial()
const texts = z.array(text)
const handbook = open({ schema: texts, backup: texts, restore: texts, grants: texts, alerts: texts }).partial()
const plan = open({
  effort: z.enum(['smoke', 'quick', 'standard', 'thorough']),
  share: share.gt(0),
  shares: z.record(text, share.gt(0)),
  rows: count,
  multiples: z.array(positive.max(1e6)),
  operations: z.array(open({ name: text, rowsLoaded: count, rowsProduction: count, scaleLimited: z.boolean() })),
  data: open({ loadedBytes: count, productionBytes: count, memoryBytes: positive }).optional(),
  budget: open({ starts: count }),
})

/** Where a part of the result is not what it must be, and why; undefined: nowhere. */
export function damageOf(result: Result): string | undefined {
  const parts: [string, z.ZodType, unknown][] = [
    ['scenario', scenario, result.scenario],
    ['trialPlan', plan, result.trialPlan],
    ...result.candidates.flatMap((candidate, at): [string, z.ZodType, unknown][] => [
      [`candidates.${at}.model`, model, candidate.model],
      [`candidates.${at}.traits`, traits, candidate.traits],
      [`candidates.${at}.handbook`, handbook, candidate.handbook],
    ]),
  ]
  for (const [place, shape, value] of parts) {
    const issue = shape.safeParse(value).error?.issues[0]
    if (issue !== undefined) return `${[place, ...issue.path].join('.')}: ${saidOf(issue.message)}`
  }
  return unreadableHistogram(result) ?? danglingName(result.scenario as z.infer<typeof scenario>, result)
}

/** Percentiles come from the merged answers of several trials. */
function unreadableHistogram({ candidates }: Result): string | undefined {
  for (const [at, { trials }] of candidates.entries())
    for (const [index, { operations }] of trials.entries())
      for (const [name, { responseUs }] of Object.entries(operations))
        if (responseUs !== null && countOf(responseUs.encoded) !== responseUs.count)
          return `candidates.${at}.trials.${index}.operations.${name}.responseUs.encoded: it is no histogram of ${responseUs.count} answers`
  return undefined
}

function countOf(encoded: string): number | undefined {
  try {
    return Histogram.countIn(encoded)
  } catch {
    return undefined
  }
}

/** The validator's words, as a reader of results has them. */
export function saidOf(message: string): string {
  return message.endsWith('received undefined') ? 'it is missing' : message.replace(/^Invalid input: /, '')
}

/** A name that stands for nothing. */
function danglingName({ entities, operations, invariants }: z.infer<typeof scenario>, { candidates }: Result): string | undefined {
  const fields = new Map(entities.map((each) => [each.name, new Set(each.fields.map((own) => own.name))]))
  const missing = (where: string, of: string, names: (string | null | undefined)[]) => {
    const known = fields.get(of)
    if (known === undefined) return `${where}: there is no entity "${of}"`
    const unknown = names.find((each) => each != null && !known.has(each))
    return unknown === undefined ? undefined : `${where}: there is no field "${of}.${unknown}"`
  }
  for (const each of entities) {
    const where = `scenario.entities.${each.name}`
    const references = each.fields.flatMap(({ generator }) => (generator.kind === 'reference' ? [generator.entity] : []))
    const found =
      missing(where, each.name, each.key) ??
      [...references, ...(each.owner === null ? [] : [each.owner.entity])].map((other) => missing(where, other, [])).find(Boolean)
    if (found !== undefined) return found
  }
  for (const each of operations) {
    const named = (part: typeof each | z.infer<typeof step>) => [
      ...(part.set ?? []).map((own) => own.field),
      ...(part.add ?? []).map((own) => own.field),
    ]
    const read = [
      ...(each.fields ?? []),
      ...(each.where ?? []).map((own) => own.field),
      ...(each.order ?? []).map((own) => own.field),
      ...(each.in ?? []),
      each.groupBy?.field,
      each.sum,
      each.over?.field,
    ]
    const where = `scenario.operations.${each.name}`
    const found =
      missing(where, each.entity, [...read, ...named(each)]) ??
      (each.steps ?? []).map((part) => missing(where, part.entity, named(part))).find(Boolean) ??
      [...(each.with ?? []), ...(each.steps ?? []).flatMap((part) => part.with ?? [])].map((other) => missing(where, other, [])).find(Boolean)
    if (found !== undefined) return found
  }
  for (const { name: own, terms } of invariants)
    for (const term of terms) {
      const found = missing(`scenario.invariants.${own}`, term.entity, [term.field])
      if (found !== undefined) return found
    }
  for (const [at, candidate] of candidates.entries())
    for (const each of candidate.model.stores as z.infer<typeof store>[]) {
      const found = missing(`candidates.${at}.model.stores.${each.name}`, each.entity, [])
      if (found !== undefined) return found
    }
  return undefined
}
