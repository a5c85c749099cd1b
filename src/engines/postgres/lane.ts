/** PostgreSQL through the wire client: one connection per slot, on which every statement is prepared; behind a pooler it is parsed with each execution. */

import { openFor } from '../../clients/open-all.ts'
import { type Execution, executionOf, finishExecution, PostgresConnection, type PostgresLogin } from '../../clients/protocols/postgres.ts'
import { sqlStateKey } from '../../clients/protocols/postgres-errors.ts'
import { type Exchange, type Prepared, SlotLane, type Template } from '../../clients/slot-lane.ts'
import { SqlExchange } from '../../clients/sql-exchange.ts'
import { parametersOf, type WireSource } from '../../data/parameters.ts'
import { writeInt64BE } from '../../data/whole-numbers.ts'
import { guardOf, tellsNumber } from '../../families/program.ts'
import { answerOf } from '../../families/relational/answers.ts'
import { nameOf, type Statement } from '../../families/relational/compile.ts'
import type { Compiled, Lane } from '../engine.ts'
import { type Writer, writersOf } from './parameters.ts'
import { isTransient } from './session.ts'
import { decode, type Rows } from './values.ts'

interface StatementTemplate extends Template {
  execution: Execution
  writers: Writer[]
  /** Which of them writes what is read before; −1: none. */
  readAt: number
}

export function openPostgresLane(login: PostgresLogin, compiled: Compiled<Statement>, slots: number): Promise<Lane> {
  const isPooled = compiled.pooler !== undefined
  const open = () => PostgresConnection.open(login)
  return openFor(slots, open, async (connections) => {
    // All connections learn the same statements, unless none keeps them; the first one tells the types of their parameters.
    const [types = []] = await Promise.all(connections.slice(0, isPooled ? 1 : slots).map((connection) => learn(connection, compiled)))
    return new SlotLane(
      prepared(compiled, types),
      connections.map((connection) => new PostgresExchange(connection, isPooled ? parsedControls : preparedControls)),
      ({ op }, found) => answerOf(compiled.scenario, op, found, decode),
    )
  })
}

class PostgresExchange extends SqlExchange<string | null> implements Exchange<StatementTemplate, Rows> {
  readonly #controls: Controls
  constructor(connection: PostgresConnection, controls: Controls) {
    super(connection)
    this.#controls = controls
    connection.onReady = (rows, sqlState) => this.onReplied(rows, sqlState, isTransient(sqlState), false)
  }

  keyOf(sqlState: string): string {
    return sqlStateKey(sqlState)
  }

  write({ execution, writers, readAt }: StatementTemplate, params: WireSource): void {
    const { request } = this.connection
    const start = request.length
    request.append(execution.head)
    for (let at = 0; at < writers.length; at++) {
      // Behind its length.
      if (at === readAt) this.readAt = request.length + 4
      ;(writers[at] as Writer)(params, request)
    }
    finishExecution(request, start, execution)
  }

  begin(): void {
    this.#control('begin')
  }
  commit(): void {
    this.#control('commit')
  }
  abort(): void {
    this.#control('rollback')
  }

  send(from: number, to: number, template: StatementTemplate | null): void {
    const { connection } = this
    if (template !== null && template.readAt >= 0) writeInt64BE(connection.told, connection.request.bytes, this.readAt)
    this.sendFor(template, from, to)
  }

  #control(word: keyof Controls): void {
    const execution = this.#controls[word]
    const { request } = this.connection
    const start = request.length
    request.append(execution.head)
    finishExecution(request, start, execution)
  }
}

const words = ['begin', 'commit', 'rollback'] as const
type Controls = Record<(typeof words)[number], Execution>
const controlsOf = (made: (word: string) => Execution) => Object.fromEntries(words.map((word) => [word, made(word)])) as Controls
const preparedControls = controlsOf((word) => executionOf(word, 0))
const parsedControls = controlsOf((word) => executionOf('', 0, word))

/** Tells one connection every statement; resolves with the types of their parameters, by operation, variant and statement. */
async function learn(connection: PostgresConnection, compiled: Compiled<Statement>): Promise<number[][][][]> {
  const isPooled = compiled.pooler !== undefined
  if (!isPooled) for (const word of words) await connection.prepare(word, word)
  const types: number[][][][] = []
  for (const [index, program] of compiled.programs.entries()) {
    const byVariant: number[][][] = []
    for (const [variant, statements] of (program?.variants ?? []).entries()) {
      const own: number[][] = []
      for (const [at, { text }] of statements.entries()) own.push(await connection.prepare(isPooled ? '' : nameOf(index, variant, at), text))
      byVariant.push(own)
    }
    types.push(byVariant)
  }
  return types
}

function prepared(compiled: Compiled<Statement>, types: number[][][][]): (Prepared<StatementTemplate> | null)[] {
  return compiled.operations.map((op, index) => {
    const program = compiled.programs[index] ?? null
    if (program === null) return null
    const parameters = parametersOf(compiled.scenario, op)
    const templates = program.variants.map((statements, variant) =>
      statements.map((statement, at): StatementTemplate => {
        const known = types[index]?.[variant]?.[at] ?? []
        const execution =
          compiled.pooler === undefined ? executionOf(nameOf(index, variant, at), known.length) : executionOf('', known.length, statement.text)
        const readAt = statement.binds.findIndex((bound) => parameters[bound]?.shape === 'read')
        const tells = tellsNumber(program, at)
        return { ...guardOf(statement), unlessEmptyAt: null, tells, execution, writers: writersOf(parameters, statement, known), readAt }
      }),
    )
    return { op, program, templates }
  })
}
