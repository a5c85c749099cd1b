/** PostgreSQL through the wire client: one connection per slot; every statement of an operation is written when it is sent, and goes out when its turn comes. */

import { openAll } from '../../clients/open-all.ts'
import { type Execution, executionOf, finishExecution, PostgresConnection, type PostgresLogin } from '../../clients/protocols/postgres.ts'
import { backoffMs, mostRetries } from '../../clients/retry.ts'
import { parametersOf, type WireSource } from '../../data/parameters.ts'
import { type Operation, writesOf } from '../../scenario/scenario.ts'
import type { Compiled, CompiledOperation, Lane } from '../engine.ts'
import { answerOf, type Rows } from './answers.ts'
import { type Writer, writersOf } from './parameters.ts'
import { isTransient } from './session.ts'

interface Prepared {
  execution: Execution
  writers: Writer[]
}
/** How an operation goes; the count of its first statement is its result. */
interface Program {
  op: Operation
  statements: Prepared[]
  /** Position of the parameter that tells whether the page is a deep one; −1: not a list. */
  deepAt: number
  transaction: boolean
}

export async function openPostgresLane(login: PostgresLogin, compiled: Compiled, slots: number): Promise<Lane> {
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

  async open(login: PostgresLogin, compiled: Compiled): Promise<void> {
    const connections = await openAll(this.slots, () => PostgresConnection.open(login))
    try {
      // All connections learn the same statements; the first one tells the types of their parameters.
      const [types = []] = await Promise.all(connections.map((connection) => learn(connection, compiled)))
      const programs = programsOf(compiled, types)
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
  readonly #compiled: Compiled
  readonly #programs: (Program | null)[]
  #program: Program | null = null
  /** Where the executions end in the request buffer, statement by statement; a transaction has BEGIN and COMMIT around them. */
  readonly #ends: number[] = []
  #steps = 0
  #step = 0
  #result = 0
  #retries = 0
  /** Set while a transaction is rolled back. */
  #failed = ''
  #results: Rows[] = []
  #closed: Error | null = null

  constructor(lane: PostgresLane, slot: number, connection: PostgresConnection, compiled: Compiled, programs: (Program | null)[]) {
    this.#lane = lane
    this.#slot = slot
    this.#connection = connection
    this.#compiled = compiled
    this.#programs = programs
    connection.onReady = (rows, sqlState) => this.#ready(rows, sqlState)
    connection.onClosed = (cause) => {
      this.#closed = cause
      if (this.#program !== null) this.#finish('error', 0, closedCode(cause))
    }
  }

  send(operation: number, params: WireSource, keep: boolean): void {
    const program = this.#programs[operation] as Program
    this.#program = program
    this.#step = 0
    this.#retries = 0
    this.#result = 0
    this.#failed = ''
    if (this.#closed !== null) {
      const code = closedCode(this.#closed)
      setImmediate(() => this.#finish('error', 0, code))
      return
    }
    this.#connection.keep = keep
    if (keep) this.#results = []
    try {
      this.#write(program, params)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      // As the server refuses it in text: the binary protocol would carry another number.
      const code = String((error as { code?: unknown }).code ?? error.name)
      setImmediate(() => this.#finish('error', 0, code))
      return
    }
    this.#sendStep()
  }

  end(): void {
    this.#closed = new Error('the lane was closed')
    this.#connection.end()
  }

  #write(program: Program, params: WireSource): void {
    const { request } = this.#connection
    request.length = 0
    this.#steps = 0
    if (program.transaction) this.#append(begin, params)
    if (program.deepAt >= 0) this.#append(program.statements[params.number(program.deepAt)] as Prepared, params)
    else for (let at = 0; at < program.statements.length; at++) this.#append(program.statements[at] as Prepared, params)
    if (program.transaction) this.#append(commit, params)
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
    else if (program.transaction) this.#rollBack(sqlState)
    else this.#again(sqlState)
  }

  #advance(program: Program, rows: number): void {
    const statement = program.transaction ? this.#step - 1 : this.#step
    if (statement === 0) this.#result = rows
    if (this.#connection.keep) this.#results.push(this.#connection.rows)
    this.#step++
    if (this.#step < this.#steps && !(program.op.kind === 'get' && this.#result === 0)) this.#sendStep()
    else this.#complete(program)
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

  #complete({ op }: Program): void {
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
      this.#finish('error', 0, sqlState)
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

const closedCode = (cause: Error) => String((cause as { code?: unknown }).code ?? 'closed')

const begin: Prepared = { execution: executionOf('begin', 0), writers: [] }
const commit: Prepared = { execution: executionOf('commit', 0), writers: [] }
const rollback: Prepared = { execution: executionOf('rollback', 0), writers: [] }

/** Tells one connection every statement; resolves with the types of their parameters, by operation and statement. */
async function learn(connection: PostgresConnection, compiled: Compiled): Promise<number[][][]> {
  for (const word of ['begin', 'commit', 'rollback']) await connection.prepare(word, word)
  const types: number[][][] = []
  for (const [index, own] of compiled.compiled.entries()) {
    const ofStatements: number[][] = []
    for (const [at, statement] of (own?.statements ?? []).entries()) ofStatements.push(await connection.prepare(nameOf(index, at), statement.text))
    types.push(ofStatements)
  }
  return types
}

const nameOf = (operation: number, statement: number) => `o${operation}_${statement}`

function programsOf(compiled: Compiled, types: number[][][]): (Program | null)[] {
  return compiled.operations.map((op, index): Program | null => {
    const own = compiled.compiled[index] as CompiledOperation | null
    if (own === null) return null
    const parameters = parametersOf(compiled.scenario, op)
    const statements = own.statements.map((statement, at): Prepared => {
      const known = types[index]?.[at] ?? []
      return { execution: executionOf(nameOf(index, at), known.length), writers: writersOf(compiled, op, parameters, statement, known) }
    })
    return {
      op,
      statements,
      deepAt: op.kind === 'list' ? parameters.findIndex((each) => each.shape === 'deep') : -1,
      transaction: writesOf(op).length > 0 && statements.length > 1,
    }
  })
}
