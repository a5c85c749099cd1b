/** What a page of a set is read by: its script with the conditions that no order answers, and the range of its order. */
import { constantOf, type Value } from '../../data/value.ts'
import { lookedAt, rangeInSet, scoreOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { type Entity, fieldOf, type OperationOf } from '../../scenario/scenario.ts'
import { stored } from './keys.ts'
import { type Condition, literal, pageScript, rankScript, type Script } from './scripts.ts'

type Query = OperationOf<'list' | 'aggregate' | 'search'>

export interface PageForm {
  script: Script
  /** Parameters that its condition takes behind all else. */
  further: string[]
  /** From one on and below another: scores as a parameter's name or as they stand, or parameters that members begin with; null: all. */
  range: { from: string; below: string; of: 'times' | 'numbers' | 'texts' } | null
}

export function pageForm(store: Store, entity: Entity, op: Query): PageForm {
  const further = op.kind === 'search' ? [] : parametersOfRest(op, lookedAt(store, op))
  const text = op.kind === 'search' ? '' : conditionOf(entity, op, lookedAt(store, op), further)
  const condition: Condition = { text, words: further.length }
  return {
    script: (scoreOf(store) === null ? pageScript : rankScript)(condition),
    further,
    range: op.kind === 'search' ? null : rangeOfForm(store, op),
  }
}

function rangeOfForm(store: Store, op: OperationOf<'list' | 'aggregate'>): PageForm['range'] {
  const range = rangeInSet(store, op)
  if (range === null) return null
  if ('ms' in range) return { from: 'from', below: 'to', of: 'times' }
  if ('characters' in range) return { from: `prefix.${range.field}`, below: `below.${range.field}`, of: 'texts' }
  return { from: String(range.from ?? '-inf'), below: String(range.below ?? '+inf'), of: 'numbers' }
}

function parametersOfRest({ over, prefixes = [] }: OperationOf<'list' | 'aggregate'>, left: string[]): string[] {
  const times = over != null && left.includes(over.field) ? ['from', 'to'] : []
  return [...times, ...prefixes.filter(({ field }) => left.includes(field)).map(({ field }) => `prefix.${field}`)]
}

/** In Lua, of the fields of a row's hash; constants are part of the text, what a call asks for its last arguments. */
function conditionOf(entity: Entity, op: OperationOf<'list' | 'aggregate'>, left: string[], further: string[]): string {
  const { over, bounds = [], prefixes = [], among = [] } = op
  const isLeft = ({ field }: { field: string }) => left.includes(field)
  const read = (field: string) => `redis.call('HGET', hash, ${literal(field)})`
  const argument = (name: string) => {
    const behind = further.length - 1 - further.indexOf(name)
    return behind === 0 ? 'ARGV[#ARGV]' : `ARGV[#ARGV - ${behind}]`
  }
  const lists = among.flatMap(({ field, constants, none }) => {
    const words = constants.map((each) => literal(stored(fieldOf(entity, field), constantOf(entity, field, each))))
    // What is not there is none of the words, and no other value.
    const outside = none
      ? ['not value', ...words.map((word) => `value == ${word}`)].join(' or ')
      : words.map((word) => `value ~= ${word}`).join(' and ')
    return [`local value = ${read(field)}`, `if ${outside} then return end`]
  })
  const within = (field: string, from: string | null, below: string | null) => {
    const outside = ['not number', ...(from === null ? [] : [`number < ${from}`]), ...(below === null ? [] : [`number >= ${below}`])]
    return [`local number = tonumber(${read(field)} or '')`, `if ${outside.join(' or ')} then return end`]
  }
  const window = over != null && isLeft(over) ? within(over.field, `tonumber(${argument('from')})`, `tonumber(${argument('to')})`) : []
  const numbers = bounds
    .filter(isLeft)
    .flatMap(({ field, from, below }) => within(field, from === null ? null : String(from), below === null ? null : String(below)))
  const texts = prefixes.filter(isLeft).flatMap(({ field }) => {
    const start = argument(`prefix.${field}`)
    return [`local text = ${read(field)}`, `if not text or string.sub(text, 1, #${start}) ~= ${start} then return end`]
  })
  return [...lists, ...window, ...numbers, ...texts].map((line) => `\n  ${line}`).join('')
}

/** The words of a range of scores; a window may begin before any time that a number holds exactly. */
export const exact = (ms: Value) => String(Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number(ms), Number.MAX_SAFE_INTEGER)))

/** A parameter as a script takes it behind all else: a time, or a text. */
export const furtherWord = (value: Value) => (typeof value === 'string' ? value : exact(value))
