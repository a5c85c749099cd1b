/** Operations that are one command, known before anything is read: written straight from a call's values, and their replies counted in place. */
import { secondsOf } from '../../clients/item-operations.ts'
import { type FoundItem, findItem, outcomeOf } from '../../clients/protocols/memcached.ts'
import type { RequestBuffer } from '../../clients/request.ts'
import { refused, type TalkTemplate } from '../../clients/talk-lane.ts'
import { parametersOf, positionsOf, type WireSource } from '../../data/parameters.ts'
import { writeDigits } from '../../data/whole-numbers.ts'
import { expiryAt, type Layout, writeKey, writeLines, writeParameter } from '../../families/key-value/item.ts'
import { readsFirst } from '../../families/key-value/items.ts'
import { type Field, fieldOf, type Operation } from '../../scenario/scenario.ts'
import { tenantAskedOf } from '../../scenario/tenants.ts'
import type { Compiled } from '../engine.ts'
import { binaryFlag, expiryTime } from './calls.ts'

const lineBreak = Buffer.from('\r\n')
/** Written before it is known: zeros in front of a number change nothing. */
const lengthDigits = 8

/** null: it takes a conversation. */
export function templateOf({ scenario }: Compiled, layout: Layout, op: Operation, namespace: string): TalkTemplate | null {
  if (op.entity !== layout.entity.name) return null
  const positions = positionsOf(scenario, op)
  const nowAt = parametersOf(scenario, op).findIndex((each) => each.shape === 'now')
  const [keyName] = layout.entity.key as [string]
  const key = fieldOf(layout.entity, keyName)
  const head = (command: string) => Buffer.from(`${command} ${namespace}:${layout.entity.name}:`)
  if (op.kind === 'get' && tenantAskedOf(layout.entity, op) !== null) return null
  if (op.kind === 'get' || (op.kind === 'delete' && !readsFirst(scenario, op))) {
    const line = { head: head(op.kind), key, keyAt: positions.get(`key.${keyName}`) as number }
    const rows = op.kind === 'get' ? rowsFound(nowAt >= 0) : (bytes: Buffer, from: number) => (outcomeOf(bytes, from) === 'done' ? 1 : 0)
    return { ...always, nowAt, rows, write: (params, to) => writeLine(line, params, to) }
  }
  if (op.kind !== 'insert' && (op.kind !== 'put' || readsFirst(scenario, op))) return null
  const given = op.kind === 'insert' ? op.with : []
  const stored: Stored = {
    line: { head: head(op.kind === 'insert' ? 'add' : 'set'), key, keyAt: positions.get(`row.${keyName}`) as number },
    seconds: secondsOf(layout.entity),
    fields: layout.fields.map((field) => ({ field, at: positions.get(`row.${field.name}`) as number })),
    owned: layout.owned.map(({ name, fields }) => ({ fields, at: given.includes(name) ? (positions.get(`lines.${name}`) as number) : -1 })),
  }
  // What is not done is refused, because an item was there.
  const rows = (bytes: Buffer, from: number) => (outcomeOf(bytes, from) === 'done' ? 1 : refused)
  return { ...always, nowAt, rows, write: (params, to) => writeStored(stored, params, to) }
}

const always = { fits: () => true, replies: 1 }

/** `at` < 0: there are none. */
interface Stored {
  line: Line
  seconds: number
  fields: { field: Field; at: number }[]
  owned: { fields: Field[]; at: number }[]
}
interface Line {
  head: Buffer
  key: Field
  keyAt: number
}

function writeLine({ head, key, keyAt }: Line, params: WireSource, to: RequestBuffer): void {
  to.append(head)
  writeKey(key, keyAt, params, to)
  to.append(lineBreak)
}

const flags = Buffer.from(` ${binaryFlag} `)
const noLines = {
  count: 0,
  isNull: () => false,
  number: () => 0,
  write: (_line: number, _column: number, _to: Buffer, at: number) => at,
  maxBytes: () => 0,
}

function writeStored({ line, seconds, fields, owned }: Stored, params: WireSource, to: RequestBuffer): void {
  to.append(line.head)
  writeKey(line.key, line.keyAt, params, to)
  to.append(flags)
  const lengthAt = writeTimeAndRoom(expiryTime(seconds), to)
  const from = to.length
  for (let at = 0; at < fields.length; at++) {
    const { field, at: place } = fields[at] as Stored['fields'][number]
    writeParameter(field, place, params, to)
  }
  for (let at = 0; at < owned.length; at++) {
    const { fields: own, at: place } = owned[at] as Stored['owned'][number]
    writeLines(own, place < 0 ? noLines : params.lines(place), to)
  }
  writeLength(to.length - from, to.bytes, lengthAt)
  to.append(lineBreak)
}

/** Appends when an item expires and room for its length, and ends the line; returns where the length stands. */
export function writeTimeAndRoom(expiry: number, to: RequestBuffer): number {
  to.reserve(40)
  const { bytes } = to
  let at = writeDigits(expiry, bytes, to.length)
  bytes[at++] = 0x20
  const lengthAt = at
  at += lengthDigits
  bytes[at++] = 0x0d
  bytes[at++] = 0x0a
  to.length = at
  return lengthAt
}

export function writeLength(length: number, bytes: Buffer, at: number): void {
  let rest = length
  for (let place = at + lengthDigits - 1; place >= at; place--) {
    const next = Math.floor(rest / 10)
    bytes[place] = 0x30 + rest - next * 10
    rest = next
  }
}

function rowsFound(expires: boolean): TalkTemplate['rows'] {
  const item: FoundItem = { from: -1, to: -1, casFrom: -1, casTo: -1 }
  return (bytes, from, nowMs) => {
    findItem(bytes, from, item)
    return item.from >= 0 && (!expires || expiryAt(bytes, item.from) > nowMs) ? 1 : 0
  }
}
