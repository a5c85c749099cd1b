/** The text of a scenario as plain data, and where in the text each part of it stands. */
import { type Document, isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import type { Path, Problem } from './problems.ts'

export interface ScenarioDocument {
  plain: unknown
  /** What is wrong with the text itself. */
  faults: Placeable[]
  /** Whether `plain` means anything in spite of the faults. */
  readable: boolean
  /** Line and column, from 1. */
  lineOf(offset: number): { line: number; column: number }
  /** Where a problem stands: its value, its key, or the nearest part around it that exists. */
  offsetOf(problem: Pick<Problem, 'path' | 'atKey'>): number
}
interface Placeable {
  offset: number
  message: string
  /** One entry is wrong; what stands around it can be read. */
  local?: true
}

/** Nothing that people write has more entries in one map or list; machines that write more get an answer at once. */
const maxEntries = 1000
const deepest = 30

export function readDocument(text: string): ScenarioDocument {
  const lines = new LineCounter()
  // The parser compares every key of a map with every other: duplicates are found below.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false })
  const faults: Placeable[] = document.errors.map((error) => ({ offset: error.pos[0], message: faultOf(error.message) }))
  const pairs = new Map<Node, Map<string, Pair>>()
  if (faults.length === 0) inspect(document, pairs, faults, lines)
  let plain: unknown
  if (faults.every((fault) => fault.local)) {
    try {
      plain = document.toJS()
    } catch {
      faults.push({ offset: 0, message: 'its aliases unfold to more than a scenario holds' })
    }
  }
  return {
    plain,
    faults,
    readable: faults.every((fault) => fault.local),
    lineOf: (offset) => {
      const { line, col } = lines.linePos(offset)
      return { line: Math.max(1, line), column: Math.max(1, col) }
    },
    offsetOf: ({ path, atKey }) => offsetOf(document, pairs, path, atKey === true),
  }
}

/** The parser goes down level by level until it can no more. */
const faultOf = (message: string) => (/call stack/.test(message) ? tooDeep : (message.split('\n')[0] as string))
const tooDeep = `more than ${deepest} levels within one another`

/** Every map's pairs by name; what the grammar cannot see: keys given twice, texts that not every server can hold. */
function inspect(document: Document, pairs: Map<Node, Map<string, Pair>>, faults: Placeable[], lines: LineCounter): void {
  const visit = (node: unknown, depth: number): void => {
    if (isScalar(node)) {
      const reason = typeof node.value === 'string' ? unholdable(node.value) : undefined
      if (reason !== undefined) faults.push({ offset: start(node), message: reason, local: true })
    }
    if (!isCollection(node)) return
    if (node.items.length > maxEntries) {
      faults.push({ offset: start(node), message: `${node.items.length.toLocaleString('en')} entries: at most ${maxEntries} fit in one place` })
      return
    }
    if (depth > deepest) {
      faults.push({ offset: start(node), message: tooDeep })
      return
    }
    if (isSeq(node)) for (const item of node.items) visit(item, depth + 1)
    if (!isMap(node)) return
    const named = new Map<string, Pair>()
    pairs.set(node, named)
    for (const pair of node.items) {
      visit(pair.key, depth + 1)
      visit(pair.value, depth + 1)
      const name = nameOf(pair.key)
      const first = named.get(name)
      if (name === '__proto__') faults.push({ offset: start(pair.key), message: '"__proto__" cannot be a key', local: true })
      else if (first !== undefined) {
        const { line } = lines.linePos(start(first.key))
        faults.push({ offset: start(pair.key), message: `"${name}" is given twice, first in line ${line}: keys are unique`, local: true })
      } else named.set(name, pair)
    }
  }
  visit(document.contents, 0)
}

const nameOf = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key))

function unholdable(text: string): string | undefined {
  if (text.includes('\0')) return 'a text cannot hold the character NUL (\\0): not every server stores it'
  return text.isWellFormed() ? undefined : 'a text cannot hold half of a surrogate pair: it is no character, and UTF-8 has no bytes for it'
}

function offsetOf(document: Document, pairs: Map<Node, Map<string, Pair>>, path: Path, atKey: boolean): number {
  let node: unknown = document.contents
  let found = start(node)
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) return found // What an alias stands for is written elsewhere; the alias is what matters here.
    if (isMap(node)) {
      const pair = pairs.get(node)?.get(String(part))
      if (pair === undefined) return found
      node = pair.value
      found = (atKey && depth === path.length - 1) || !isNode(node) ? start(pair.key) : start(node)
    } else if (isSeq(node)) {
      const item = node.items[Number(part)]
      if (!isNode(item) || isPair(item)) return found
      node = item
      found = start(item)
    } else return found
  }
  return found
}

const start = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0)
