/** PostgreSQL through the wire client: one connection per slot; every statement of an operation is written when it is sent, and goes out when its turn comes. */

import { openAll } from '../../clients/open-all.ts'
import { type Execution, executionOf, finishExecution, PostgresConnection, type PostgresLogin } from '../../clients/protocols/postgres.ts'
import { sqlStateKey } from '../../clients/protocols/postgres-errors.ts'
import { backoffMs, mostRetries } from '../../clients/retry.ts'
import { ServerError, unfit } from '../../clients/server-error.ts'
import { parametersOf, type WireSource } from '../../data/parameters.ts'
import { type Operation, writesOf } from '../../scenario/scenario.ts'
import type { Compiled, Lane } from '../engine.ts'
import { answerOf, type Rows } from './answers.ts'
import { type Writer, writersOf } from './parameters.ts'
import { isTransient } from './session.ts'
import { nameOf, type SqlProgram, type Statement } from './sql.ts'

interface Prepared {
  execution: Execution
  writers: Writer[]
}
interface PreparedProgram {
  op: Operation
  program: SqlProgram
  /** By variant. */
  statements: Prepared[][]
}

export async function openPostgresLane(login: PostgresLogin, compiled: Compiled<Statement>, slots: number): Promise<Lane> {
  const lane = new PostgresLane(slots)
  await lane.open(login, compiled)
  return lane
}

class PostgresLane implements Lane {
  readonly slots: number
  onDone: Lane['onDone'] = () => {}
  onAnswer: Lane['onAnswer'] = () => {}
  #connections: SlotConnection[] = []

  constructor(slots: number) {
    this.slots = slots
  }

  async open(login: PostgresLogin, compiled: Compiled<Statement>): Promise<void> {
    const connections = await openAll(this.slots, () => PostgresConnection.open(login))
    try {
      // All connections learn the same statements; the first one tells the types of their parameters.
      const [types = []] = await Promise.all(connections.map((connection) => learn(connection, compiled)))
      const programs = preparedPrograms(compiled, types)
      this.#connections = connections.map((connection, slot) => new SlotConnection(this, slot, connection, compiled, programs))
    } catch (error) {
      for (const connection of connections) connection.end()
      throw error
    }
  }

  send(slot: number, operation: number, params: WireSource, keep: boolean): void {
    ;(this.#connections[slot] as SlotConnection).send(operation, params, keep)
  }

  flush(): void {}

  async [Symbol.asyncDispose]() {
    for (const connection of this.#connections) connection.end()
  }
}

/** One slot's connection and what is under way on it. */
class SlotConnection {
  readonly #lane: PostgresLane
  readonly #slot: number
  readonly #connection: PostgresConnection
  readonly #compiled: Compiled<Statement>
  readonly #programs: (PreparedProgram | null)[]
  #program: PreparedProgram | null = null
  /** Where the executions end in the request buffer, statement by statement; a transaction has BEGIN and COMMIT around them. */
  readonly #ends: number[] = []
  #steps = 0
  #step = 0
  #result = 0
  #retries = 0
  /** Set while a transaction is rolled back. */
  #failed = ''
  #results: Rows[] = []
  #closed: ServerError | null = null

  constructor(lane: PostgresLane, slot: number, connection: PostgresConnection, compiled: Compiled<Statement>, programs: (PreparedProgram | null)[]) {
    this.#lane = lane
    this.#slot = slot
    this.#connection = connection
    this.#compiled = compiled
    this.#programs = programs
    connection.onReady = (rows, sqlState) => this.#ready(rows, sqlState)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#program !== null) this.#finish('error', 0, cause.key)
    }
  }

  send(operation: number, params: WireSource, keep: boolean): void {
    const program = this.#programs[operation] as PreparedProgram
    this.#program = program
    this.#step = 0
    this.#retries = 0
    this.#result = 0
    this.#failed = ''
    if (this.#closed !== null) {
      const code = this.#closed.key
      setImmediate(() => this.#finish('error', 0, code))
      return
    }
    this.#connection.keep = keep
    if (keep) this.#results = []
    try {
      this.#write(program, params)
    } catch (error) {
      // As the server refuses it in text: the binary protocol would carry another number.
      const code = unfit(error).key
      setImmediate(() => this.#finish('error', 0, code))
      return
    }
    this.#sendStep()
  }

  end(): void {
    this.#closed = new ServerError('connection-lost', 'the lane was closed')
    this.#connection.end()
  }

  #write({ program, statements }: PreparedProgram, params: WireSource): void {
    const { request } = this.#connection
    request.length = 0
    this.#steps = 0
    if (program.atomic) this.#append(begin, params)
    const variant = statements[program.variantAt === null ? 0 : params.number(program.variantAt)] as Prepared[]
    for (let at = 0; at < variant.length; at++) this.#append(variant[at] as Prepared, params)
    if (program.atomic) this.#append(commit, params)
  }

  #append({ execution, writers }: Prepared, params: WireSource): void {
    const { request } = this.#connection
    const start = request.length
    request.append(execution.head)
    for (let at = 0; at < writers.length; at++) (writers[at] as Writer)(params, request)
    finishExecution(request, start, execution)
    this.#ends[this.#steps++] = request.length
  }

  #sendStep(): void {
    this.#connection.send(this.#step === 0 ? 0 : (this.#ends[this.#step - 1] as number), this.#ends[this.#step] as number)
  }

  #ready(rows: number, sqlState: string): void {
    const program = this.#program
    if (program === null) return
    if (this.#failed !== '') this.#again(this.#failed)
    else if (sqlState === '') this.#advance(program, rows)
    else if (program.program.atomic) this.#rollBack(sqlState)
    else this.#again(sqlState)
  }

  #advance(prepared: PreparedProgram, rows: number): void {
    const { atomic, counted, stopWhenEmpty } = prepared.program
    const statement = atomic ? this.#step - 1 : this.#step
    if (statement === counted) this.#result = rows
    if (this.#connection.keep) this.#results.push(this.#connection.rows)
    this.#step++
    if (this.#step < this.#steps && !(stopWhenEmpty && this.#result === 0)) this.#sendStep()
    else this.#complete(prepared)
  }

  #rollBack(sqlState: string): void {
    this.#failed = sqlState
    const { request } = this.#connection
    const end = this.#ends[this.#steps - 1] as number
    request.length = end
    request.append(rollback.execution.head)
    finishExecution(request, end, rollback.execution)
    this.#connection.send(end, request.length)
  }

  #complete({ op }: PreparedProgram): void {
    // The rows of a join are one row and its lines.
    const rows = op.kind === 'get' ? Math.min(1, this.#result) : this.#result
    const outcome = rows > 0 ? 'ok' : 'miss'
    if (this.#connection.keep)
      this.#lane.onAnswer(
        this.#slot,
        writesOf(op).length > 0 ? { kind: 'wrote', outcome, rows } : answerOf(this.#compiled.scenario, op, this.#results),
      )
    this.#finish(outcome, rows, '')
  }

  /** The whole operation once more where the server asks for that. */
  #again(sqlState: string): void {
    this.#failed = ''
    if (!isTransient(sqlState) || this.#retries === mostRetries) {
      this.#finish('error', 0, sqlStateKey(sqlState))
      return
    }
    setTimeout(
      () => {
        if (this.#closed !== null) return
        this.#step = 0
        this.#result = 0
        if (this.#connection.keep) this.#results = []
        this.#sendStep()
      },
      backoffMs(this.#retries++),
    )
  }

  #finish(outcome: 'ok' | 'miss' | 'error', rows: number, error: string): void {
    this.#program = null
    this.#lane.onDone(this.#slot, outcome, rows, this.#retries, error)
  }
}

const begin: Prepared = { execution: executionOf('begin', 0), writers: [] }
const commit: Prepared = { execution: executionOf('commit', 0), writers: [] }
const rollback: Prepared = { execution: executionOf('rollback', 0), writers: [] }

/** Tells one connection every statement; resolves with the types of their parameters, by operation, variant and statement. */
async function learn(connection: PostgresConnection, compiled: Compiled<Statement>): Promise<number[][][][]> {
  for (const word of ['begin', 'commit', 'rollback']) await connection.prepare(word, word)
  const types: number[][][][] = []
  for (const [index, program] of compiled.programs.entries()) {
    const byVariant: number[][][] = []
    for (const [variant, statements] of (program?.variants ?? []).entries()) {
      const own: number[][] = []
      for (const [at, { text }] of statements.entries()) own.push(await connection.prepare(nameOf(index, variant, at), text))
      byVariant.push(own)
    }
    types.push(byVariant)
  }
  return types
}

function preparedPrograms(compiled: Compiled<Statement>, types: number[][][][]): (PreparedProgram | null)[] {
  return compiled.operations.map((op, index): PreparedProgram | null => {
    const program = compiled.programs[index] ?? null
    if (program === null) return null
    const parameters = parametersOf(compiled.scenario, op)
    const statements = program.variants.map((each, variant) =>
      each.map((statement, at): Prepared => {
        const known = types[index]?.[variant]?.[at] ?? []
        const execution = executionOf(nameOf(index, variant, at), known.length)
        return { execution, writers: writersOf(compiled, op, parameters, statement, known) }
      }),
    )
    return { op, program, statements }
  })
}
