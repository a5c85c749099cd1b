/** Reads a scenario file; every error is `file:line:column: path: what is wrong`, all of them at once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import type { z } from 'zod'
import { TrialError } from '../errors.ts'
import { type Problem, resolve, suggestion } from './resolve.ts'
import type { Scenario } from './scenario.ts'
import { scenarioJsonSchema, scenarioSchema } from './schema.ts'

const libraryDirectory = fileURLToPath(new URL('../../scenarios/', import.meta.url))
const operationKinds = ['get', 'list', 'search', 'aggregate', 'insert', 'put', 'update', 'delete', 'transaction']
const largestBytes = 1 << 20

/** `nameOrPath`: a name in scenarios/ or the path of a YAML file. */
export function readScenario(nameOrPath: string): Scenario {
  const library = join(libraryDirectory, `${nameOrPath}.yaml`)
  const path = /^[a-z][a-z0-9_-]*$/.test(nameOrPath) && existsSync(library) ? library : nameOrPath
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const names = readdirSync(libraryDirectory)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => basename(name, '.yaml'))
    throw new TrialError(
      'scenario-not-found',
      `there is no scenario "${nameOrPath.slice(0, 80)}${nameOrPath.length > 80 ? '…' : ''}"${suggestion(nameOrPath, names)}`,
      {
        hint: `give a name from scenarios/ (${names.join(', ')}) or the path of a YAML file`,
        exitCode: 2,
        cause: error,
      },
    )
  }
  return parseScenario(text, path)
}

/** @throws TrialError `scenario-invalid`, exit code 2, with one line per problem. */
export function parseScenario(text: string, file: string): Scenario {
  if (text.length > largestBytes) throw new TrialError('scenario-invalid', `${file}:1:1: the file is larger than 1 MiB`, { exitCode: 2 })
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`
  }
  const fail = (messages: string[]): never => {
    throw new TrialError('scenario-invalid', messages.join('\n'), { exitCode: 2 })
  }
  if (document.errors.length > 0) fail(document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split('\n')[0]}`))
  let plain: unknown
  try {
    plain = document.toJS()
  } catch (error) {
    fail([`${file}:1:1: ${(error as Error).message}`])
  }
  const { scenario, problems } = check(plain)
  if (problems.length > 0 || scenario === undefined) {
    const placed = problems.map((problem) => ({ ...problem, offset: offsetOf(document, problem) }))
    placed.sort((a, b) => a.offset - b.offset)
    fail([
      ...new Set(placed.map((problem) => `${at(problem.offset)}: ${problem.path.length > 0 ? `${problem.path.join('.')}: ` : ''}${problem.message}`)),
    ])
  }
  return scenario as Scenario
}

/** Checks the grammar, then the meaning of everything whose grammar is right. */
function check(plain: unknown): { scenario?: Scenario; problems: Problem[] } {
  const parsed = scenarioSchema.safeParse(plain)
  if (parsed.success) return resolve(parsed.data, new Set())
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, [], plain))
  const remaining = structuredClone(plain) as Record<string, Record<string, unknown>>
  const broken = new Set<string>()
  for (const { path } of problems) {
    const [section, name] = path as string[]
    if (
      section === undefined ||
      !['entities', 'operations', 'invariants'].includes(section) ||
      name === undefined ||
      typeof remaining[section] !== 'object'
    )
      continue
    if (section === 'entities') broken.add(name)
    delete remaining[section]?.[name]
  }
  const rest = scenarioSchema.safeParse(remaining)
  return { problems: rest.success ? [...problems, ...resolve(rest.data, broken).problems] : problems }
}

/** One problem per fault, in the branch of a union that the author most likely meant. */
function problemsOf(issue: z.core.$ZodIssue, prefix: (string | number)[], plain: unknown): Problem[] {
  const path = [...prefix, ...(issue.path as (string | number)[])]
  const value = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], plain)
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path)
    return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key${suggestion(key, known)}`, atKey: true }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const object = typeof value === 'object' && value !== null && !Array.isArray(value)
    const kindless = path[0] === 'operations' && (path.length === 2 || path[2] === 'transaction')
    if (object && kindless && !operationKinds.some((kind) => kind in value)) {
      const first = Object.keys(value)[0]
      return [
        {
          path,
          message: `an operation says what it does with one of ${operationKinds.join(', ')}${first === undefined ? '' : suggestion(first, operationKinds).replace(/ \(known.*/, '')}`,
        },
      ]
    }
    if (!object && issue.message !== 'Invalid input') return [{ path, message: issue.message }]
    const branches = issue.errors.map((issues) => issues.flatMap((each) => problemsOf(each, path, plain)))
    branches.sort((a, b) => misfit(a, path, value) - misfit(b, path, value))
    return branches[0] as Problem[]
  }
  if (issue.code === 'invalid_type' && value === undefined) {
    return [{ path: path.slice(0, -1), message: `"${String(path.at(-1))}" is missing`, atKey: path.length > 1 }]
  }
  if (issue.code === 'invalid_key') return issue.issues.map((each) => ({ path, message: each.message, atKey: true }))
  if ('discriminator' in issue && issue.discriminator === 'type') {
    const type = (value as Record<string, unknown> | undefined)?.['type'] ?? value
    const types = ['uuid', 'int', 'decimal', 'bool', 'enum', 'words', 'email', 'timestamp', 'json', 'bytes']
    return [
      {
        path,
        message:
          type === undefined || typeof type === 'object'
            ? 'a field needs a type or a ref'
            : `"${String(type)}" is no field type${suggestion(String(type), types)}`,
      },
    ]
  }
  return [{ path, message: issue.message.replace(/^Invalid input: /, '') }]
}

/** How badly a branch fits: its discriminating key being unknown to it weighs most. */
function misfit(problems: Problem[], path: (string | number)[], value: unknown): number {
  const keys = Object.keys((value as object | null) ?? {})
  const kind = keys.find((key) => operationKinds.includes(key) || key === 'ref' || key === 'type')
  return problems.reduce((sum, problem) => sum + (problem.path.length === path.length + 1 && problem.path.at(-1) === kind ? 100 : 1), 0)
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}

/** The keys that the grammar knows at a place, over all alternatives. */
function knownKeys(path: (string | number)[]): string[] {
  const alternatives = (schema: JsonSchema): JsonSchema[] => [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(alternatives)]
  const inside = (schema: JsonSchema, key: string | number): JsonSchema[] => {
    const next = typeof key === 'number' ? schema.items : (schema.properties?.[key] ?? schema.additionalProperties)
    return typeof next === 'object' ? alternatives(next) : []
  }
  const root = alternatives(JSON.parse(scenarioJsonSchema()) as JsonSchema)
  const found = path.reduce((schemas, key) => schemas.flatMap((schema) => inside(schema, key)), root)
  return [...new Set(found.flatMap((schema) => Object.keys(schema.properties ?? {})))]
}

/** Where the problem stands in the file: its value, its key, or the nearest parent that exists. */
function offsetOf(document: Document, problem: Problem): number {
  for (let length = problem.path.length; length >= 0; length--) {
    const path = problem.path.slice(0, length)
    const parent = length === 0 ? undefined : document.getIn(path.slice(0, -1), true)
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(path.at(-1)))
      : undefined
    if (problem.atKey && length === problem.path.length && isNode(pair?.key)) return start(pair.key)
    const node = length === 0 ? document.contents : document.getIn(path, true)
    if (isNode(node)) return problem.atKey === true && isNode(pair?.key) ? start(pair.key) : start(node)
    if (isNode(pair?.key)) return start(pair.key)
  }
  return 0
}

const start = (node: Node): number => node.range?.[0] ?? 0
