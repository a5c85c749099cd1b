/** Reads a scenario file; every error is `file:line:column: path: what is wrong`, all of them at once. */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { printable } from '../controls.ts'
import { messageOf, TrialError } from '../errors.ts'
import { readDocument } from './document.ts'
import { parseGrammar } from './grammar.ts'
import { pathInLibrary, scenarioNames } from './library.ts'
import { type Placed, type Problem, placedText, suggestion } from './problems.ts'
import { resolve } from './resolve.ts'
import type { KnownEngine, Scenario } from './scenario.ts'
import { warningsOf } from './warnings.ts'

export interface Inspected {
  file: string
  /** undefined: an error was found. */
  scenario?: Scenario
  problems: Placed[]
}

/** Hundreds of entities fit; the parser takes most of a second for it. */
const maxBytes = 1 << 18
const tooLarge = 'the file is larger than 256 KiB'
const maxShown = 100

/**
 * `nameOrPath`: a name in scenarios/ or the path of a YAML file. `engines`: the candidates there can be; none: whoever reads knows.
 * @throws TrialError, exit code 2: `scenario-not-found`, or `scenario-invalid` with one line per problem.
 */
export function readScenario(nameOrPath: string, engines: readonly KnownEngine[] = []): Scenario {
  return scenarioOf(inspectScenario(nameOrPath, engines))
}

/** @throws TrialError `scenario-invalid`, exit code 2, with one line per problem. */
export function parseScenario(text: string, file: string, engines: readonly KnownEngine[] = []): Scenario {
  return scenarioOf(inspectText(text, file, engines))
}

export function scenarioOf({ scenario, problems }: Inspected): Scenario {
  if (scenario !== undefined) return scenario
  throw new TrialError(
    'scenario-invalid',
    problems
      .filter((each) => each.severity === 'error')
      .map(placedText)
      .join('\n'),
    { exitCode: 2 },
  )
}

/** Everything that is wrong or doubtful, at its place. */
export function inspectScenario(nameOrPath: string, engines: readonly KnownEngine[]): Inspected {
  const library = pathInLibrary(nameOrPath)
  const path = /^[a-z][a-z0-9_-]*$/.test(nameOrPath) && existsSync(library) ? library : nameOrPath
  const bytes = readStart(path, nameOrPath)
  if (bytes.length > maxBytes) return failed(path, tooLarge)
  try {
    return inspectText(new TextDecoder('utf-8', { fatal: true }).decode(bytes), path, engines)
  } catch (error) {
    if (error instanceof TypeError) return failed(path, 'the file is no UTF-8 text')
    throw error
  }
}

function inspectText(text: string, path: string, engines: readonly KnownEngine[]): Inspected {
  if (text.length > maxBytes) return failed(path, tooLarge)
  const file = printable(path)
  const document = readDocument(text)
  const place = (severity: Placed['severity'], offset: number, where: Problem['path'], message: string): Placed => ({
    ...{ severity, file, ...document.lineOf(offset) },
    ...{ path: printable(where.join('.')), message: printable(message) },
  })
  const faults: (Problem & { offset: number })[] = document.faults.map((fault) => ({ ...fault, path: [] }))
  const asPlaced = (severity: Placed['severity']) => (problem: Problem & { offset: number }) =>
    place(
      severity,
      problem.offset,
      problem.path,
      `${problem.message}${problem.meant === undefined ? '' : suggestion(problem.meant.name, problem.meant.known)}`,
    )
  if (!document.readable) return { file, problems: atMost(faults, asPlaced('error')) }
  const { file: whole, problems, broken } = parseGrammar(document.plain)
  const meaning = whole === undefined ? undefined : resolve(whole, broken, engines)
  const told = [...problems, ...(meaning?.problems ?? []).filter((each) => !follows(each, problems))]
  const inOrder = (found: Problem[]) => found.map((each) => ({ ...each, offset: document.offsetOf(each) }))
  if (faults.length + told.length > 0 || meaning === undefined) return { file, problems: atMost([...faults, ...inOrder(told)], asPlaced('error')) }
  return { file, scenario: meaning.scenario, problems: atMost(inOrder(warningsOf(meaning.scenario)), asPlaced('warning')) }
}

/** Whether a problem of meaning may come of a fault of grammar: it stands where something was left out, or beside it and is about what is lacking. */
function follows({ path, lacking }: Problem, faults: Problem[]): boolean {
  return faults.some(
    (fault) =>
      (fault.path.length > 0 && fault.path.length <= path.length && fault.path.every((part, depth) => part === path[depth])) ||
      // A list with a fault is left out whole.
      (path[0] === 'candidates' && fault.path[0] === path[0]) ||
      (lacking === true && fault.path[0] === path[0] && (path.length === 1 || fault.path[1] === path[1])),
  )
}

/** In the order of the file, the first hundred. */
function atMost<T extends { offset: number }>(found: T[], placed: (each: T) => Placed): Placed[] {
  const sorted = found.sort((a, b) => a.offset - b.offset)
  const shown = sorted.slice(0, maxShown).map(placed)
  const distinct = [...new Map(shown.map((each) => [placedText(each), each])).values()]
  const last = distinct.at(-1)
  const more = sorted.length - shown.length
  return last === undefined || more === 0 ? distinct : [...distinct, { ...last, path: '', message: `and ${more} more` }]
}

function failed(path: string, message: string): Inspected {
  return { file: printable(path), problems: [{ severity: 'error', file: printable(path), line: 1, column: 1, path: '', message }] }
}

/** The file, or its beginning where it is too large; pipes and devices, which may never end, are not read. */
function readStart(path: string, asked: string): Buffer {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw unreadable(path, `it is ${stats.isDirectory() ? 'a directory' : 'no regular file'}`)
    const bytes = Buffer.alloc(Math.min(stats.size, maxBytes) + 1)
    let end = 0
    for (let read = 1; read > 0 && end < bytes.length; end += read) read = readSync(descriptor, bytes, end, bytes.length - end, null)
    return stats.size > maxBytes ? Buffer.alloc(maxBytes + 1) : bytes.subarray(0, end)
  } catch (error) {
    if (error instanceof TrialError) throw error
    if (!nowhere.has(String((error as NodeJS.ErrnoException).code))) throw unreadable(path, messageOf(error))
    const names = scenarioNames()
    throw new TrialError('scenario-not-found', `there is no scenario "${clipped(asked)}"${suggestion(asked, names)}`, {
      hint: `give a name from scenarios/ (${names.join(', ')}) or the path of a YAML file`,
      exitCode: 2,
      cause: error,
    })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** What the system says of a path that leads to no file. */
const nowhere = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

const unreadable = (path: string, reason: string) =>
  new TrialError('scenario-unreadable', `${clipped(path)} cannot be read as a scenario: ${printable(reason)}`, {
    hint: 'give the path of a YAML file',
    exitCode: 2,
  })
const clipped = (text: string) => printable(text.length > 80 ? `${text.slice(0, 80)}…` : text)
