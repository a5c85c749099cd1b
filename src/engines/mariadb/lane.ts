/** MariaDB through the wire client: one connection per slot, on which every statement is prepared. */
import { openFor } from '../../clients/open-all.ts'
import { executionOf, finishExecution, MysqlConnection, type MysqlLogin, markNull, queryOf } from '../../clients/protocols/mysql.ts'
import { mysqlKey } from '../../clients/protocols/mysql-errors.ts'
import type { Cell } from '../../clients/protocols/mysql-rows.ts'
import { type Exchange, type Prepared, SlotLane, type Template } from '../../clients/slot-lane.ts'
import { SqlExchange } from '../../clients/sql-exchange.ts'
import { parametersOf, type WireSource } from '../../data/parameters.ts'
import { writeInt64LE } from '../../data/whole-numbers.ts'
import { guardOf, tellsNumber } from '../../families/program.ts'
import { answerOf } from '../../families/relational/answers.ts'
import type { Statement } from '../../families/relational/compile.ts'
import { writesOf } from '../../scenario/scenario.ts'
import type { Compiled, Lane } from '../engine.ts'
import { isTransient } from './errors.ts'
import { type Writer, writerOf } from './parameters.ts'
import { decode } from './values.ts'

interface StatementTemplate extends Template {
  /** Among all that a connection has prepared. */
  at: number
  head: Buffer
  writers: Writer[]
  writes: boolean
  /** Which of the writers writes what is read before; −1: none. */
  readAt: number
}

export function openMariadbLane(login: MysqlLogin, compiled: Compiled<Statement>, slots: number): Promise<Lane> {
  const open = () => MysqlConnection.open(login)
  return openFor(slots, open, async (connections) => {
    const texts: string[] = []
    const programs = prepared(compiled, texts)
    const exchanges = await Promise.all(
      connections.map(async (connection) => {
        const numbers: number[] = []
        for (const text of texts) numbers.push(await connection.prepare(text))
        return new MariadbExchange(connection, numbers)
      }),
    )
    return new SlotLane(programs, exchanges, ({ op }, found) => answerOf(compiled.scenario, op, found, decode))
  })
}

class MariadbExchange extends SqlExchange<Cell> implements Exchange<StatementTemplate, Cell[][]> {
  readonly #numbers: number[]
  /** Whether what was sent last writes one row. */
  #writesRow = false

  /** `numbers`: by which the connection knows its statements. */
  constructor(connection: MysqlConnection, numbers: number[]) {
    super(connection)
    this.#numbers = numbers
    // A row that a put replaces is counted twice; what has no guard, and is counted, is of one row.
    connection.onReady = (rows, error) => this.onReplied(this.#writesRow ? Math.min(1, rows) : rows, error, isTransient(error), false)
  }

  keyOf(error: string): string {
    return mysqlKey(error)
  }

  write({ at, head, writers, readAt }: StatementTemplate, params: WireSource): void {
    const { request } = this.connection
    const start = request.length
    request.append(head)
    for (let each = 0; each < writers.length; each++) {
      if (each === readAt) this.readAt = request.length
      const { write, optionalAt } = writers[each] as Writer
      if (optionalAt !== null && params.isNull(optionalAt)) markNull(request, start, each)
      else write(params, request)
    }
    finishExecution(request, start, this.#numbers[at] as number)
  }

  begin(): void {
    this.request.append(begin)
  }
  commit(): void {
    this.request.append(commit)
  }
  abort(): void {
    this.request.append(rollback)
  }

  send(from: number, to: number, template: StatementTemplate | null): void {
    this.#writesRow = template?.writes === true && template.guarded === undefined
    if (template !== null && template.readAt >= 0) writeInt64LE(this.connection.told, this.request.bytes, this.readAt)
    this.sendFor(template, from, to)
  }
}

const [begin, commit, rollback] = ['BEGIN', 'COMMIT', 'ROLLBACK'].map(queryOf) as [Buffer, Buffer, Buffer]

/** Appends the statements to `texts`, each once. */
function prepared(compiled: Compiled<Statement>, texts: string[]): (Prepared<StatementTemplate> | null)[] {
  return compiled.operations.map((op, index) => {
    const program = compiled.programs[index] ?? null
    if (program === null) return null
    const parameters = parametersOf(compiled.scenario, op)
    const templates = program.variants.map((statements) =>
      statements.map((statement, step): StatementTemplate => {
        const { text, binds } = statement
        const known = texts.indexOf(text)
        const writers = binds.map((at) => writerOf(parameters[at] as (typeof parameters)[number], at))
        const head = executionOf(writers.map(({ type }) => type))
        const place = known < 0 ? texts.push(text) - 1 : known
        const readAt = binds.findIndex((bound) => parameters[bound]?.shape === 'read')
        const written = { at: place, head, writers, writes: writesOf(op).length > 0, readAt }
        return { ...guardOf(statement), unlessEmptyAt: null, tells: tellsNumber(program, step), ...written }
      }),
    )
    return { op, program, templates }
  })
}
