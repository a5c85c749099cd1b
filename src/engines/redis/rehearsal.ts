/**
 * What an operation asks the server, told by the operation itself: it is held with example values in place of a call's, and once more with each
 * of them changed. The words that change with a value are shown by its name.
 */
import { exampleOf } from '../../data/examples.ts'
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import { type Entity, entityOf, type Field, fieldOf, type Operation, writesOf } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import { stored } from './keys.ts'
import type { RedisOperations } from './operations.ts'
import type { Script } from './scripts.ts'
import { type Call, commandsOf, type Resp, type Word } from './talk.ts'

/** The distinct calls in their order, those of a page behind a cursor after those of a first page, and the scripts that they run. */
export function rehearsed(compiled: Compiled, operations: RedisOperations, op: Operation): string[] {
  const examples = new Examples(compiled, op)
  const pages = op.kind === 'list' ? [false, true] : [false]
  const calls = pages.flatMap((deep) => {
    const perform = (changed: string | null) => callsOf(compiled, operations, op, (name) => examples.value(name, deep, changed))
    return named(perform(null), examples.names(), perform)
  })
  const scripts = new Map(calls.flatMap(({ script }) => (script === null ? [] : [[script.sha, script.text.trim()]])))
  return [...new Set(calls.map(({ text }) => text)), ...[...scripts].map(([sha, text]) => `-- script ${sha}\n${text}`)]
}

/** A row is there, of the tenant that asks, and lives for long; it has no rows of its own; a page is empty, a write done. */
function callsOf({ scenario }: Compiled, operations: RedisOperations, op: Operation, bound: (name: string) => Value): Call[] {
  const entity = entityOf(scenario, op.entity)
  const tenant = op.kind === 'get' ? tenantAskedOf(entity, op) : null
  const own = tenant === null ? null : stored(fieldOf(entity, tenant), bound(`tenant.${tenant}`))
  const [first] = writesOf(op)
  const version = first?.kind === 'update' && first.guard?.asRead ? first.guard.field : null
  const read = op.kind === 'transaction' ? `0.read.${version}` : `read.${version}`
  const calls: Call[] = []
  const talk = operations.perform(op, bound)
  const answered = (field: Word) => (field === tenant ? own : field === version ? Buffer.from(String(bound(read))) : Buffer.from('9'.repeat(15)))
  for (let said = talk.next(); said.done !== true; said = talk.next(answerTo(said.value, answered))) calls.push(said.value)
  return calls
}

function answerTo(call: Call, answered: (field: Word) => Buffer | null): Resp {
  if ('command' in call && call.command[0] === 'HMGET') return call.command.slice(2).map(answered)
  return 'script' in call && !/^local rows = 0$/m.test(call.script.text) ? [] : 1
}

/** By `names`, what each word changes with. */
function named(calls: Call[], names: string[], perform: (changed: string) => Call[]): { text: string; script: Script | null }[] {
  const others = names.map((name) => [name, perform(name)] as const)
  return calls.map((call, at) => {
    const commands = commandsOf(call)
    const lines = commands.map((words, line) =>
      words
        .map((word, index) => {
          const versions = others.flatMap(([name, changed]) => {
            const own = changed[at] === undefined ? undefined : lineLike(commands, line, commandsOf(changed[at]))?.[index]
            return own === undefined ? [] : [{ name, difference: differenceOf(word, own) }]
          })
          return shown(word, versions.filter(({ difference }) => difference !== null) as Change[])
        })
        .join(' '),
    )
    return { text: lines.join('\n'), script: 'script' in call ? call.script : null }
  })
}

/** A value that decides which sets a row stands in changes how many commands there are: then the one to the same key is compared, if there is any. */
function lineLike(commands: Word[][], line: number, changed: Word[][]): Word[] | undefined {
  if (changed.length === commands.length) return changed[line]
  const own = commands[line] as Word[]
  return changed.find((words) => words[0] === own[0] && placeOf(words[1]) === placeOf(own[1]))
}

/** Of a key what stands before its first colon: the hash or the set, and not the row. */
const placeOf = (key: Word | undefined) =>
  Buffer.from((key ?? '') as string)
    .toString('latin1')
    .split(':')[0]

interface Change {
  name: string
  /** Offset of the first byte that differs. */
  difference: number
}

function differenceOf(a: Word, b: Word): number | null {
  const [one, other] = [Buffer.from(a as string), Buffer.from(b as string)]
  if (one.equals(other)) return null
  let at = 0
  while (one[at] === other[at]) at++
  return at
}

/** A word that changes keeps what stands before a colon, or the sign of a bound, in front of the names. */
function shown(word: Word, changes: Change[]): string {
  const text = Buffer.from(word as string).toString('latin1')
  if (changes.length === 0) return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text)
  const before = text.slice(0, Math.min(...changes.map(({ difference }) => difference)))
  const prefix = /^[\x21-\x7e]*:/.exec(before)?.[0] ?? /^[([]$/.exec(before)?.[0] ?? ''
  return `${prefix}${changes
    .sort((a, b) => a.difference - b.difference)
    .map(({ name }) => `?${name}`)
    .join('')}`
}

/** Two values for each parameter, or column of an owned row or target. */
class Examples {
  readonly #compiled: Compiled
  readonly #parameters: Parameter[]

  constructor(compiled: Compiled, op: Operation) {
    this.#compiled = compiled
    this.#parameters = parametersOf(compiled.scenario, op)
  }

  names(): string[] {
    return this.#parameters.flatMap(({ name, shape, columns }) =>
      shape === 'deep' ? [] : columns.length > 0 ? columns.map((column) => `${name}.${column.name}`) : [name],
    )
  }

  value(name: string, deep: boolean, changed: string | null): Value {
    const { shape, entity, field, columns } = this.#parameters.find((each) => each.name === name) as Parameter
    if (shape === 'deep') return deep
    if (columns.length > 0) return [columns.map((column) => exampleOf(column, `${name}.${column.name}` === changed ? 2 : 1))]
    if (field === null) return name === changed ? 2 : 1
    return name === changed ? exampleOf(field, 2) : (this.#chosen(entity, field) ?? exampleOf(field, 1))
  }

  /** A constant by which a set chooses its rows: a row that has it stands in the set. */
  #chosen(entity: Entity, field: Field): Value | undefined {
    const { stores } = this.#compiled.model
    const filters = stores.flatMap((store) => (store.entity === entity.name ? (store.where ?? []) : []))
    return filters.find((filter) => filter.field === field.name)?.constant ?? undefined
  }
}
