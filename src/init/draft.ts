/** A scenario to start from: entities and a read for each, as commented YAML that validates; what only the user knows is marked. */
import { printable } from '../controls.ts'
import type { Durability } from '../scenario/scenario.ts'

export const dialects = ['postgresql', 'mysql', 'sqlite', 'bigquery'] as const
export type Dialect = (typeof dialects)[number]

export interface DraftField {
  name: string
  /** As the scenario language writes it, without braces. */
  definition: string
  note?: string
}
export interface DraftEntity {
  name: string
  count: string
  /** Lives and dies with a row of this entity. */
  ownedBy?: string
  /** Rows of one owner, on average. */
  perOwner?: number
  /** Of the stock; how long a row lives. */
  growth?: { text: string; note: string }
  ttl?: { text: string; note: string }
  fields: DraftField[]
  note?: string
}
export interface DraftOperation {
  name: string
  /** As the scenario language writes it, without braces. */
  definition: string
  note?: string
}
export interface DraftContents {
  entities: DraftEntity[]
  /** Those that were observed; absent: a read of each entity. */
  operations?: DraftOperation[]
  /** What was observed, and is not among them, with the reason. */
  leftOut?: string[]
  /** What to know of them all. */
  notes?: string[]
}
export interface Draft extends DraftContents {
  name: string
  summary: string
  /** YYYY-MM-DD, of the epoch. */
  day: string
  peak: string
  durability: Durability
  /** Such as 4000 USD/month. */
  budget?: string
  candidates: string[]
}

/** Text of a field name, entity name or the like, where it must be an identifier of the language. */
export function identifierOf(text: string): string {
  const plain = text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '_')
    .replaceAll(/^[^a-z]+|_+$/g, '')
    .slice(0, 40)
  return plain === '' ? 'unnamed' : plain
}

/** Two names may be one identifier of the language: the second has a number. */
export function apart(name: string, taken: Set<string>): string {
  let found = name
  for (let number = 2; taken.has(found); number++) found = `${name.slice(0, 36)}_${number}`
  taken.add(found)
  return found
}

export function draftText(draft: Draft): string {
  const entities = draft.entities.flatMap(entityLines)
  const addressed = draft.entities.filter((entity) => entity.ownedBy === undefined)
  const owned = (entity: DraftEntity) => draft.entities.filter((each) => each.ownedBy === entity.name).map((each) => each.name)
  const read = (entity: DraftEntity): DraftOperation => {
    const lines = owned(entity)
    return {
      name: `get_${entity.name}`,
      definition: `get: ${entity.name}, ${lines.length > 0 ? `with: [${lines.join(', ')}], ` : ''}rate: 10/s, p99: 50ms`,
    }
  }
  const operations = (draft.operations ?? addressed.map(read)).map(
    ({ name, definition, note }) => `  ${name}: { ${definition} }${note === undefined ? '' : ` # ${oneLine(note)}`}`,
  )
  const example = addressed[0]?.name ?? 'thing'
  return `${[
    '# yaml-language-server: $schema=./scenario.schema.json',
    draft.operations === undefined
      ? '# Every number below is a guess until you replace it: rows, rates and limits are what the answer rests on.'
      : '# What the server told stands below as it is; limits, the requirements and what has a round number are guesses until you replace them.',
    `name: ${draft.name}`,
    `summary: ${JSON.stringify(draft.summary)}`,
    `seed: ${draft.day.replaceAll('-', '')}                       # the same seed, the same data and the same load`,
    `epoch: ${draft.day}T00:00:00Z         # the scenario's now when loading ends`,
    '',
    'entities:                            # rows in production, and how they grow',
    ...entities,
    '',
    'operations:                          # what the application does, how often, how fast it must be',
    ...(draft.notes ?? []).map((text) => `  # ${oneLine(text)}`),
    ...operations,
    ...(draft.leftOut ?? []).map((text) => `  # left out: ${oneLine(text)}`),
    '  # Fill in what else it does; for example:',
    `  # newest:  { list: ${example}, where: { some_field: any }, order_by: -created_at, limit: 20, rate: 5/s, p99: 50ms }`,
    `  # add:     { insert: ${example}, rate: 1/s, p99: 50ms }`,
    `  # change:  { update: ${example}, set: { some_field: any }, rate: 1/s, p99: 50ms }`,
    `  # totals:  { aggregate: ${example}, group_by: day(created_at), over: 30d, rate: 1/min, p99: 2s, scales: false }`,
    '',
    'requirements:',
    `  peak: ${draft.peak}                           # peak over average load`,
    `  durability: ${draft.durability}                  # fsync: an acknowledged write survives a crash; relaxed trades that for speed; volatile: it lives as long as its server`,
    draft.budget === undefined ? '  # budget: 1000 USD/month' : `  budget: ${draft.budget}`,
    '',
    `candidates: [${draft.candidates.join(', ')}]`,
    '',
    'bench:',
    '  scale: 10%                         # share of the production rows that is loaded, at most',
    '  limits: { cpus: 1, memory: 2GiB }  # the same for every candidate',
    '  effort: quick',
  ].join('\n')}\n`
}

function entityLines(entity: DraftEntity): string[] {
  const width = Math.max(0, ...entity.fields.map((field) => field.name.length))
  return [
    `  ${entity.name}:${entity.note === undefined ? '' : ` # ${oneLine(entity.note)}`}`,
    ...(entity.ownedBy === undefined
      ? [
          `    count: ${entity.count}`,
          entity.growth === undefined
            ? '    # growth: 3%/month               # not known'
            : `    growth: ${entity.growth.text} # ${oneLine(entity.growth.note)}`,
          ...(entity.ttl === undefined ? [] : [`    ttl: ${entity.ttl.text} # ${oneLine(entity.ttl.note)}`]),
        ]
      : [`    owned_by: ${entity.ownedBy}`, `    per_owner: ${perOwnerText(entity.perOwner ?? 2)}`]),
    entity.fields.length === 0 ? '    fields: {}' : '    fields:',
    ...entity.fields.map(
      (field) =>
        `      ${field.name}:${' '.repeat(width - field.name.length)} { ${field.definition} }${field.note === undefined ? '' : ` # ${oneLine(field.note)}`}`,
    ),
  ]
}

function perOwnerText(mean: number): string {
  const max = Math.min(1000, Math.max(5, Math.ceil(mean * 2.5)))
  return `{ range: [1, ${max}], mean: ${Math.min(max, Number(mean.toPrecision(3)))} }`
}

/** A comment ends with its line and steers no terminal, whatever a foreign file puts into it. */
const oneLine = (text: string) => printable(text.replaceAll(/[\r\n\u2028\u2029\0]+/g, ' ').slice(0, 120))
