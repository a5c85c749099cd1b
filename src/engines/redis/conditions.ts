/** What a page of a set is read by: its script with the conditions that no order answers, and the range of its scores. */
import { constantOf, type Value } from '../../data/value.ts'
import { lookedAt, scoreOf } from '../../families/key-value/model.ts'
import type { Store } from '../../families/model.ts'
import { type Entity, fieldOf, type OperationOf, rangeOf } from '../../scenario/scenario.ts'
import { stored } from './keys.ts'
import { type Condition, literal, pageScript, rankScript, type Script } from './scripts.ts'

type Query = OperationOf<'list' | 'aggregate' | 'search'>

export interface PageForm {
  script: Script
  /** Parameters that its condition takes behind all else. */
  further: string[]
  /** Scores from one on and below another, as a parameter's name or as they stand; null: all. */
  scores: { from: string; below: string; isBound: boolean } | null
}

export function pageForm(store: Store, entity: Entity, op: Query): PageForm {
  const left = lookedAt(store, op)
  const condition = op.kind === 'search' ? { text: '', words: 0 } : conditionOf(entity, op, left)
  return {
    script: (scoreOf(store) === null ? pageScript : rankScript)(condition),
    further: condition.words === 0 ? [] : ['from', 'to'],
    scores: op.kind === 'search' ? null : scoresOf(op, left),
  }
}

function scoresOf(op: OperationOf<'list' | 'aggregate'>, left: string[]): PageForm['scores'] {
  const range = rangeOf(op)
  if (range === null || left.includes(range.field)) return null
  if ('ms' in range) return { from: 'from', below: 'to', isBound: true }
  return { from: String(range.from ?? '-inf'), below: String(range.below ?? '+inf'), isBound: false }
}

/** In Lua, of the fields of a row's hash; constants are part of the text, the times of a window its last arguments. */
function conditionOf(entity: Entity, op: OperationOf<'list' | 'aggregate'>, left: string[]): Condition {
  const { over, bounds, among } = op
  const lines: string[] = []
  const read = (field: string) => `redis.call('HGET', hash, ${literal(field)})`
  if (among !== undefined) {
    const differs = among.constants.map((each) => `value ~= ${literal(stored(fieldOf(entity, among.field), constantOf(entity, among.field, each)))}`)
    lines.push(`local value = ${read(among.field)}`, `if ${differs.join(' and ')} then return end`)
  }
  const isWindow = over != null && left.includes(over.field)
  const within = (field: string, from: string | null, below: string | null) => {
    const outside = ['not number', ...(from === null ? [] : [`number < ${from}`]), ...(below === null ? [] : [`number >= ${below}`])]
    lines.push(`local number = tonumber(${read(field)} or '')`, `if ${outside.join(' or ')} then return end`)
  }
  if (isWindow) within(over.field, 'tonumber(ARGV[#ARGV - 1])', 'tonumber(ARGV[#ARGV])')
  if (bounds !== undefined && left.includes(bounds.field))
    within(bounds.field, bounds.from === null ? null : String(bounds.from), bounds.below === null ? null : String(bounds.below))
  return { text: lines.map((line) => `\n  ${line}`).join(''), words: isWindow ? 2 : 0 }
}

/** The words of a range of scores; a window may begin before any time that a number holds exactly. */
export const exact = (ms: Value) => String(Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number(ms), Number.MAX_SAFE_INTEGER)))
