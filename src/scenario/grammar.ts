/** A scenario's plain data against the grammar: every fault in our own words, and what is whole of the rest, so that its meaning can be checked, too. */
import type { z } from 'zod'
import { choice, kindOf, nearest, type Path, type Problem, shown } from './problems.ts'
import { fieldTypes } from './scenario.ts'
import { fileKinds, identifierPattern, type ScenarioFile, scenarioJsonSchema, scenarioSchema, stepKinds } from './schema.ts'

export interface Parsed {
  /** What the grammar takes of the file; undefined: too little to speak of its meaning. */
  file?: ScenarioFile
  problems: Problem[]
  /** What was left out of `file` because its own text is wrong: names of entities, fields as entity.field; `everything` for all of them. */
  broken: Set<string>
}

/** Stands for all entities, or all fields of one. */
export const everything = '*'

type Issue = z.core.$ZodRawIssue

export function parseGrammar(plain: unknown): Parsed {
  const broken = new Set<string>()
  const parsed = scenarioSchema.safeParse(plain, { error: words })
  if (parsed.success) return { file: parsed.data, problems: [], broken }
  const faults = parsed.error.issues.flatMap((issue) => problemsOf(issue, [], plain))
  const problems = withoutEchoes(faults)
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return { problems, broken }
  const file = whole(structuredClone(plain) as Tree, faults, broken)
  return file === undefined ? { problems, broken } : { file, problems, broken }
}

/** zod's issues in our words; its own are for programmers. */
function words(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${expectations[issue.expected] ?? issue.expected}, not ${shown(issue.input)}`
    case 'too_small':
      return issue.origin === 'array'
        ? `expected at least ${plural(issue.minimum, 'entry', 'entries')}`
        : issue.origin === 'string'
          ? 'expected a text that is not empty'
          : `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}, not ${shown(issue.input)}`
    case 'too_big':
      return issue.origin === 'array'
        ? `expected at most ${plural(issue.maximum, 'entry', 'entries')}`
        : issue.origin === 'string'
          ? `expected at most ${issue.maximum} characters`
          : `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}, not ${shown(issue.input)}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `expected ${String(issue.values[0])}, not ${shown(issue.input)}`
        : `${shown(issue.input)} is none of them${choice(String(issue.input), issue.values.map(String))}`
    case 'invalid_union':
      return `this cannot be ${kindOf(issue.input)}`
    default:
      return undefined
  }
}

const expectations: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  array: 'a list',
  tuple: 'a list of two',
}
const plural = (count: number | bigint, one: string, many: string) => `${count} ${Number(count) === 1 ? one : many}`

/** One problem per fault, in the branch of a union that the author most likely meant. */
function problemsOf(issue: z.core.$ZodIssue, prefix: Path, plain: unknown): Problem[] {
  const path = [...prefix, ...(issue.path as Path)]
  const value = valueAt(plain, path)
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path)
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key', atKey: true, meant: { name: key, known } }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return problemsOfUnion(issue, path, value, plain)
  if (value === undefined && issue.code !== 'custom') {
    if (path.length === 0) return [{ path, message: 'the file is empty: a scenario has a name, entities, operations, requirements and candidates' }]
    return [{ path: path.slice(0, -1), message: `"${String(path.at(-1))}" is missing`, atKey: true, lacking: true }]
  }
  if (path.length === 0 && value === null) return problemsOf(issue, prefix, undefined)
  if (issue.code === 'invalid_key') return issue.issues.map((each) => ({ path, message: each.message, atKey: true }))
  if ('discriminator' in issue && issue.discriminator === 'type') return [typeProblem(path, value)]
  return [{ path, message: issue.message }]
}

function typeProblem(path: Path, value: unknown): Problem {
  const type = (value as Record<string, unknown> | undefined)?.type ?? value
  if (typeof type !== 'string') return { path, message: 'a field needs a type or a ref' }
  return { path, message: `${shown(type)} is no field type`, meant: { name: type, known: [...fieldTypes] } }
}

function problemsOfUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, value: unknown, plain: unknown): Problem[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const isWork = path[0] === 'operations' && (path.length === 2 || path[2] === 'transaction')
  if (isMap && isWork && !fileKinds.some((kind) => Object.hasOwn(value, kind))) {
    const kinds: readonly string[] = path.length === 2 ? fileKinds : stepKinds
    const first = Object.keys(value).find((key) => nearest(key, [...kinds]) !== undefined)
    const message = `${path.length === 2 ? 'an operation' : 'a step'} says what it does with one of ${kinds.join(', ')}`
    return [{ path, message: first === undefined ? message : `${message}, did you mean "${nearest(first, [...kinds])}"?` }]
  }
  if (!isMap) {
    // A text or number that some branch takes apart is told by that branch; a stranger by the union itself.
    const near = issue.errors.find((issues) => issues.every((each) => each.path.length === 0 && each.code !== 'invalid_type'))
    if (near !== undefined) return near.flatMap((each) => problemsOf(each, path, plain))
    if (value === undefined) return [{ path: path.slice(0, -1), message: `"${String(path.at(-1))}" is missing`, atKey: true, lacking: true }]
    return [{ path, message: issue.message }]
  }
  const branches = issue.errors.map((issues) => issues.flatMap((each) => problemsOf(each, path, plain)))
  branches.sort((a, b) => misfit(a, path, value) - misfit(b, path, value))
  return branches[0] as Problem[]
}

/** How badly a branch fits: its discriminating key being unknown to it weighs most, or that it takes no map at all. */
function misfit(problems: Problem[], path: Path, value: object): number {
  const kind = Object.keys(value).find((key) => (fileKinds as readonly string[]).includes(key) || key === 'ref' || key === 'type')
  const isWhole = (problem: Problem) => problem.path.length === path.length && problem.lacking !== true
  const isKind = (problem: Problem) => problem.path.length === path.length + 1 && problem.path.at(-1) === kind
  return problems.reduce((sum, problem) => sum + (isKind(problem) || isWhole(problem) ? 100 : 1), 0)
}

/** `orderby` is unknown, and thus `order_by` missing: once is enough. */
function withoutEchoes(problems: Problem[]): Problem[] {
  const misspelt = new Set(
    problems.flatMap(({ path, meant, message }) => {
      const near = message === 'unknown key' && meant !== undefined ? nearest(meant.name, meant.known) : undefined
      return near === undefined ? [] : [[...path.slice(0, -1), near].join('\0')]
    }),
  )
  return problems.filter((problem) => problem.lacking !== true || !misspelt.has(placeOf(problem).join('\0')))
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}
let root: JsonSchema[] | undefined
const alternatives = (schema: JsonSchema): JsonSchema[] => [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(alternatives)]

/** The keys that the grammar knows at a place, over all alternatives. */
function knownKeys(path: Path): string[] {
  root ??= alternatives(JSON.parse(scenarioJsonSchema()) as JsonSchema)
  const inside = (schema: JsonSchema, key: string | number): JsonSchema[] => {
    const { properties } = schema
    const own = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined
    const next = typeof key === 'number' ? schema.items : (own ?? schema.additionalProperties)
    return typeof next === 'object' ? alternatives(next) : []
  }
  const found = path.reduce((schemas, key) => schemas.flatMap((schema) => inside(schema, key)), root)
  return [...new Set(found.flatMap((schema) => Object.keys(schema.properties ?? {})))]
}

type Tree = Record<string, unknown>

function valueAt(plain: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Tree)[key] : undefined), plain)
}

/** What must stand somewhere and says nothing about the rest: it is taken as this while the rest is checked. */
const placeholders: Tree = {
  ...{ name: 'x', summary: '', seed: 0, entities: {}, operations: {}, requirements: {}, candidates: ['x'] },
  ...{ count: 1, rate: '1/s', limit: 1, peak: '1x', durability: 'fsync' },
}
const depthOfPlaceholders: Record<string, number> = { requirements: 2, entities: 3, operations: 3 }

/**
 * The file without what is wrong: first without the faulty values alone, then without the operations and fields that hold them, then without
 * entities. Undefined where even that is no scenario.
 */
function whole(tree: Tree, problems: Problem[], broken: Set<string>): ScenarioFile | undefined {
  let faults = problems.map(placeOf)
  for (const cut of [cutValue, cutUnit, cutEntity]) {
    for (const path of faults) cut(tree, path, broken)
    const parsed = scenarioSchema.safeParse(tree, { error: words })
    if (parsed.success) return parsed.data
    faults = parsed.error.issues.flatMap((issue) => problemsOf(issue, [], tree)).map(placeOf)
  }
  return undefined
}

/** Of what is lacking, the place where it should be. */
const placeOf = ({ path, lacking, message }: Problem): Path => (lacking === true ? [...path, lackingName(message)] : path)
const lackingName = (message: string) => /^"(.*)" is missing$/s.exec(message)?.[1] ?? ''

function cutValue(tree: Tree, path: Path, broken: Set<string>): void {
  const place = outOfLists(tree, path)
  const [section = '', entity, part, field] = place
  const name = String(place.at(-1))
  if (place.length === 0) return
  if (section === 'entities') {
    // What a wrong name was meant to be is not known: any name that is missed.
    if (place.length === 1 || (place.length === 2 && !identifierPattern.test(name))) broken.add(everything)
    if (place.length === 4 && !identifierPattern.test(name)) broken.add(`${entity}.${everything}`)
    if (place.length === 2) broken.add(String(entity))
    if (place.length === 4 && part === 'fields') broken.add(`${entity}.${field}`)
  }
  if (Object.hasOwn(placeholders, name) && (place.length === 1 || place.length === depthOfPlaceholders[section]))
    put(tree, place, structuredClone(placeholders[name]))
  else put(tree, place, undefined)
}

/** An operation, an invariant, a field. */
function cutUnit(tree: Tree, [section, name, part, field]: Path, broken: Set<string>): void {
  if (section === undefined || name === undefined) return
  if (section !== 'entities') put(tree, [section, name], undefined)
  else if (part === 'fields' && field !== undefined) {
    broken.add(`${name}.${field}`)
    put(tree, [section, name, part, field], undefined)
  }
}

function cutEntity(tree: Tree, [section, name]: Path, broken: Set<string>): void {
  if (section !== 'entities' || name === undefined) return
  broken.add(String(name))
  put(tree, [section, name], undefined)
}

/** An entry of a list cannot go alone: those behind it would be counted anew. */
function outOfLists(tree: Tree, path: Path): Path {
  const list = path.findIndex((_, depth) => Array.isArray(valueAt(tree, path.slice(0, depth))))
  return list < 0 ? path : path.slice(0, list)
}

function put(tree: Tree, path: Path, value: unknown): void {
  const holder = valueAt(tree, path.slice(0, -1)) as Tree | undefined
  if (typeof holder !== 'object' || holder === null) return
  if (value === undefined) delete holder[path.at(-1) as string]
  else holder[path.at(-1) as string] = value
}
