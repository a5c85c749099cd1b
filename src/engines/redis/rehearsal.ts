/**
 * What an operation asks the server, told by the operation itself: it is held with example values in place of a call's, and once more with each
 * of them changed. The words that change with a value are shown by its name.
 */
import { type Parameter, parametersOf } from '../../data/parameters.ts'
import type { Value } from '../../data/value.ts'
import { type Entity, entityOf, type Field, fieldOf, lineFields, type Operation } from '../../scenario/scenario.ts'
import type { Compiled } from '../engine.ts'
import type { RedisOperations } from './operations.ts'
import type { Script } from './scripts.ts'
import { type Call, commandsOf, type Resp, type Word } from './talk.ts'

/** The distinct calls in their order, those of a page behind a cursor after those of a first page, and the scripts that they run. */
export function rehearsed(compiled: Compiled, operations: RedisOperations, op: Operation): string[] {
  const examples = new Examples(compiled, op)
  const pages = op.kind === 'list' ? [false, true] : [false]
  const calls = pages.flatMap((deep) => {
    const perform = (changed: string | null) => callsOf(operations, op, (name) => examples.value(name, deep, changed))
    return named(perform(null), examples.names(), perform)
  })
  const scripts = new Map(calls.flatMap(({ script }) => (script === null ? [] : [[script.sha, script.text.trim()]])))
  return [...new Set(calls.map(({ text }) => text)), ...[...scripts].map(([sha, text]) => `-- script ${sha}\n${text}`)]
}

/** A row is there, and lives for long; it has no rows of its own; a page is empty, a write done. */
function callsOf(operations: RedisOperations, op: Operation, bound: (name: string) => Value): Call[] {
  const calls: Call[] = []
  const talk = operations.perform(op, bound)
  for (let said = talk.next(); said.done !== true; said = talk.next(answerTo(said.value))) calls.push(said.value)
  return calls
}

function answerTo(call: Call): Resp {
  if ('command' in call && call.command[0] === 'HMGET') return call.command.slice(2).map(() => Buffer.from('9'.repeat(15)))
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
            const own = changed[at] === undefined ? undefined : commandsOf(changed[at])[line]?.[index]
            return own === undefined ? [] : [{ name, difference: differenceOf(word, own) }]
          })
          return shown(word, versions.filter(({ difference }) => difference !== null) as Change[])
        })
        .join(' '),
    )
    return { text: lines.join('\n'), script: 'script' in call ? call.script : null }
  })
}

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

/** Two values for each parameter, or column of an owned row or target, that differ from their first byte on. */
class Examples {
  readonly #compiled: Compiled
  readonly #op: Operation
  readonly #parameters: Parameter[]

  constructor(compiled: Compiled, op: Operation) {
    this.#compiled = compiled
    this.#op = op
    this.#parameters = parametersOf(compiled.scenario, op)
  }

  names(): string[] {
    return this.#parameters.flatMap(({ name, shape }) =>
      shape === 'deep' ? [] : shape === 'lines' || shape === 'targets' ? this.#columns(name).map((column) => `${name}.${column.name}`) : [name],
    )
  }

  value(name: string, deep: boolean, changed: string | null): Value {
    const { shape, field } = this.#parameters.find((each) => each.name === name) as Parameter
    if (shape === 'deep') return deep
    if (shape === 'lines' || shape === 'targets')
      return [this.#columns(name).map((column) => this.#example(column, `${name}.${column.name}` === changed, null))]
    if (field === null) return name === changed ? 9 : 1
    return this.#example(field, name === changed, this.#entityOf(name))
  }

  /** Of the lines of an owned entity, or of targets: the key, then the amounts. */
  #columns(name: string): Field[] {
    const { scenario } = this.#compiled
    const owned = /(?:^|\.)lines\.(.*)$/.exec(name)?.[1]
    if (owned !== undefined) return lineFields(entityOf(scenario, owned))
    const step = this.#op.kind === 'transaction' ? this.#op.steps[Number(name.split('.')[0])] : undefined
    if (step?.kind !== 'update') return []
    const entity = entityOf(scenario, step.entity)
    return [entity.key[0] as string, ...step.add.map((each) => each.field)].map((each) => fieldOf(entity, each))
  }

  #entityOf(name: string): Entity {
    const step = this.#op.kind === 'transaction' ? this.#op.steps[Number(name.split('.')[0])] : undefined
    return entityOf(this.#compiled.scenario, step?.entity ?? this.#op.entity)
  }

  /** A constant by which a set chooses its rows comes first: so the row stands in it. */
  #example(field: Field, isChanged: boolean, entity: Entity | null): Value {
    const chosen = this.#compiled.model.stores
      .filter((store) => store.entity === entity?.name)
      .flatMap((store) => store.where ?? [])
      .find((filter) => filter.field === field.name)?.constant
    const values = field.generator.kind === 'enum' ? field.generator.values : []
    switch (field.type) {
      case 'uuid':
      case 'bytes':
        return Buffer.alloc(16, isChanged ? 0xf1 : 0xe1)
      case 'int':
      case 'decimal':
      case 'timestamp':
        return isChanged ? -9_000_000 : typeof chosen === 'number' ? chosen : 1_000_000
      case 'bool':
        return (chosen === true) !== isChanged
      case 'json':
        return isChanged ? [9] : { json: 1 }
      case 'enum': {
        const [usual = 'value'] = chosen === undefined ? values : [String(chosen)]
        return isChanged ? `~${usual}` : usual
      }
      default:
        return isChanged ? 'omega' : typeof chosen === 'string' ? chosen : 'alpha'
    }
  }
}
