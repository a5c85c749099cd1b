/** The slow query log of the MySQL family, written with long_query_time=0: statements counted without their values. The file is another's: it is read line by line, and what is kept of it is bounded. */
import type { Readable } from 'node:stream'
import { withoutValues } from './mysql-text.ts'
import { OpenQuotes } from './open-quotes.ts'
import type { ObservedStatement } from './reading.ts'

/** Of one statement or line, in characters. */
const maxLength = 1 << 20
/** Of one statement as a server takes it, whose quotes have not ended: max_allowed_packet, as MySQL delivers it. */
const maxPacket = 1 << 26
/** Of one statement without its values. */
const maxShape = 4000
/** Of a database. */
const maxName = 64
/** Different statements. */
const maxShapes = 10_000
/** Those that took most of the server's time. */
const maxCounted = 500
/** Seconds since 1970 that are none: 2106. */
const maxSecond = 2 ** 32

export interface SlowLog {
  counted: ObservedStatement[]
  seconds: number
  notes: string[]
}

interface Entry {
  text: string
  database: string
  seconds: number
  sent: number
  affected: number
}

export async function readSlowLog(stream: Readable): Promise<SlowLog> {
  const shapes = new Map<string, ObservedStatement>()
  const reader = new EntryReader()
  let beyond = 0
  const count = (entry: Entry | null) => {
    if (entry !== null && !countIn(shapes, entry)) beyond++
  }
  for await (const { text, isStart } of linesOf(stream)) count(reader.read(text, isStart))
  count(reader.end())
  const all = [...shapes.values()].sort((a, b) => b.calls * b.meanMs - a.calls * a.meanMs)
  const notes = [
    ...(reader.endless === 0
      ? []
      : [`the quotes of ${reader.endless} statements do not end: these, and what follows them in the log, are not counted`]),
    ...(beyond === 0 ? [] : [`${beyond} calls were of statements beyond the first ${maxShapes} different ones, and are not counted`]),
    ...(all.length <= maxCounted ? [] : [`${all.length - maxCounted} statements that took least of the server's time were not looked at`]),
  ]
  return { counted: all.slice(0, maxCounted), seconds: reader.span(), notes }
}

/** false: there are too many different ones. */
function countIn(shapes: Map<string, ObservedStatement>, { text, database, seconds, sent, affected }: Entry): boolean {
  const { text: shape, tuples } = withoutValues(text)
  const rows = tuples > 0 ? tuples : /^\W*(insert|replace|update|delete)\b/i.test(shape) ? affected : sent
  // A slice would keep all that it is a part of in memory.
  const [cut, schema] = [shape.slice(0, maxShape), database.slice(0, maxName)].map((part) => Buffer.from(part).toString()) as [string, string]
  const key = `${schema}\0${cut}`
  const known = shapes.get(key)
  if (known === undefined && shapes.size >= maxShapes) return false
  const sum = known ?? { text: cut, calls: 0, meanMs: 0, rows: 0, ...(schema === '' ? {} : { schema }) }
  if (known === undefined) shapes.set(key, sum)
  sum.calls++
  sum.rows += rows
  sum.meanMs += (seconds * 1000 - sum.meanMs) / sum.calls
  return true
}

/** Lines, long ones in parts. */
async function* linesOf(stream: Readable): AsyncGenerator<{ text: string; isStart: boolean }> {
  const decoder = new TextDecoder()
  let rest = ''
  let isStart = true
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
    rest = lines.pop() as string
    for (const line of lines) {
      yield { text: `${line}\n`, isStart }
      isStart = true
    }
    if (rest.length < maxLength) continue
    yield { text: rest, isStart }
    rest = ''
    isStart = false
  }
  if (rest !== '') yield { text: rest, isStart }
}

const headers = /^# (Time|User@Host): /
/** What a server writes when it begins a log: short lines, and every line of a statement is asked. */
const isBanner = (line: string) =>
  line.length < 500 &&
  (line.startsWith('Tcp port: ') || (line.includes(', Version: ') && line.includes(' started with:')) || /^Time\s+Id Command\s+Argument/.test(line))

class EntryReader {
  /** Statements whose quotes do not end. */
  endless = 0
  #text = ''
  #quotes = new OpenQuotes()
  /** Of the statement, with what of it is not kept. */
  #length = 0
  #database = ''
  #figures = { seconds: 0, sent: 0, affected: 0 }
  /** Lines of a header come before those of its statement, in which a # begins a comment. */
  #isHeader = false
  #isKnown = false
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  /** An entry that ended before this line. A value may hold lines of a log, which are no headers. */
  read(line: string, isStart: boolean): Entry | null {
    const isValue = !isStart || (this.#quotes.isOpen && this.#length < maxPacket)
    if (!isValue && (headers.test(line) || isBanner(line))) {
      const ended = this.end()
      this.#isKnown = this.#isHeader = line.startsWith('#')
      return ended
    }
    if (!this.#isKnown) return null
    if (this.#isHeader && this.#readHeader(line)) return null
    this.#isHeader = false
    this.#quotes.read(line)
    this.#length += line.length
    if (this.#text.length < maxLength) this.#text += line.slice(0, maxLength)
    return null
  }

  /** The last one. What stands in a quote that does not end, and what not, nobody knows. */
  end(): Entry | null {
    const text = this.#text.trim()
    const entry = { text, database: this.#database, ...this.#figures }
    const isEndless = this.#quotes.isOpen
    if (isEndless) this.endless++
    this.#text = ''
    this.#length = 0
    this.#quotes = new OpenQuotes()
    this.#figures = { seconds: 0, sent: 0, affected: 0 }
    return text === '' || isEndless ? null : entry
  }

  span(): number {
    return Math.max(1, this.#last - this.#first || 0)
  }

  #readHeader(line: string): boolean {
    if (line.startsWith('#')) {
      // Preparing, closing, leaving: what is executed comes with its text.
      this.#database = schemaIn(line) ?? this.#database
      this.#figures.seconds = figure(line, 'Query_time') ?? this.#figures.seconds
      this.#figures.sent = figure(line, 'Rows_sent') ?? this.#figures.sent
      this.#figures.affected = figure(line, 'Rows_affected') ?? this.#figures.affected
      return true
    }
    const [, quoted, bare] = /^use (?:`((?:[^`]|``)+)`|([^\s;]+));?\s*$/i.exec(line) ?? []
    const database = quoted?.replaceAll('``', '`') ?? bare
    if (database !== undefined) this.#database = database
    const second = Number(/^SET (?:\w+=\d+,)*timestamp=(\d+)(?:\.\d+)?;\s*$/i.exec(line)?.[1] ?? Number.NaN)
    if (second > 0 && second < maxSecond) {
      this.#first = Math.min(this.#first, second)
      this.#last = Math.max(this.#last, second)
    }
    return database !== undefined || !Number.isNaN(second)
  }
}

/** Between its name and that of the next figure: a name may have blanks in it. */
function schemaIn(line: string): string | undefined {
  const start = line.indexOf('Schema: ')
  const [end = -1] = ['  QC_hit:', '  Last_errno:'].map((next) => line.indexOf(next, start)).filter((at) => at > start)
  return start < 0 || end < 0 ? undefined : line.slice(start + 'Schema: '.length, end)
}

function figure(line: string, name: string): number | undefined {
  const found = new RegExp(`\\b${name}: (\\d+(?:\\.\\d+)?)`).exec(line)?.[1]
  return found === undefined ? undefined : Number(found)
}
