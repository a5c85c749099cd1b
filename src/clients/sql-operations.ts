/** Operations of relational programs through a driver: one at a time on each of its connections, transactions with their retries. */
import { knowing, type Parameter, type ParamSource, parametersOf } from '../data/parameters.ts'
import type { Value } from '../data/value.ts'
import type { Compiled, Reply } from '../engines/engine.ts'
import { neededRows, variantOf } from '../families/program.ts'
import { answerOf, type Decode } from '../families/relational/answers.ts'
import { nameOf, type SqlProgram, type Statement } from '../families/relational/compile.ts'
import { type Operation, writesOf } from '../scenario/scenario.ts'
import { readReply, wroteReply } from './replies.ts'
import { retrying } from './retry.ts'

/** What differs between drivers. */
export interface SqlDriver<Client, Cell> {
  /** Prepares the statement under its name where the connection does not know it. `touched`: rows that it wrote. */
  run(client: Client, name: string, statement: Statement, values: unknown[]): Promise<{ rows: Cell[][]; touched: number }>
  control(client: Client, word: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): Promise<unknown>
  /** Appends a parameter as the driver takes it, which may be as several values. */
  bind(values: unknown[], parameter: Parameter, value: Value): void
  decode: Decode<Cell>
  isTransient(error: unknown): boolean
}

/** Runs a statement of the operation, with values of its own where they are given. */
type Run<Cell> = (at: number, values?: ParamSource) => Promise<{ rows: Cell[][]; touched: number }>

export class SqlOperations<Client, Cell> {
  readonly #free: Client[]
  readonly #compiled: Compiled<Statement>
  readonly #parameters: Parameter[][]
  readonly #driver: SqlDriver<Client, Cell>
  readonly #waiting: ((client: Client) => void)[] = []

  constructor(clients: Client[], compiled: Compiled<Statement>, driver: SqlDriver<Client, Cell>) {
    this.#free = [...clients]
    this.#compiled = compiled
    this.#parameters = compiled.operations.map((operation) => parametersOf(compiled.scenario, operation))
    this.#driver = driver
  }

  async perform(operation: number, params: ParamSource): Promise<Reply> {
    const op = this.#compiled.operations[operation] as Operation
    const program = this.#programOf(operation)
    const variant = variantOf(program, params)
    const statements = program.variants[variant] as Statement[]
    const client = this.#free.pop() ?? (await new Promise<Client>((resolve) => this.#waiting.push(resolve)))
    try {
      const run: Run<Cell> = (at, values = params) => {
        const statement = statements[at] as Statement
        return this.#driver.run(client, nameOf(operation, variant, at), statement, this.#bound(operation, statement, values))
      }
      if (writesOf(op).length === 0) return await this.#read(op, program, statements.length, run)
      const { result, retries } = await retrying(() => this.#write(operation, client, statements, params, run), this.#driver.isTransient)
      return wroteReply(result, retries)
    } finally {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#free.push(client)
      else waiting(client)
    }
  }

  /** The first statement that an operation runs, and its values. */
  first(operation: number, params: ParamSource): { statement: Statement; values: unknown[] } {
    const program = this.#programOf(operation)
    const statement = program.variants[variantOf(program, params)]?.[0] as Statement
    return { statement, values: this.#bound(operation, statement, params) }
  }

  async #read(op: Operation, program: SqlProgram, length: number, run: (at: number) => Promise<{ rows: Cell[][] }>): Promise<Reply> {
    const results: Cell[][][] = []
    for (let at = 0; at < length; at++) {
      results.push((await run(at)).rows)
      if (program.stopWhenEmpty && results[program.counted]?.length === 0) break
    }
    const rows = results[program.counted]?.length ?? 0
    // The rows of a join are one row and its lines.
    return readReply(op.kind === 'get' ? Math.min(1, rows) : rows, () => answerOf(this.#compiled.scenario, op, results, this.#driver.decode))
  }

  /** Rows of the counted statement; null: a guard did not hold, and all is taken back. */
  async #write(operation: number, client: Client, statements: Statement[], params: ParamSource, run: Run<Cell>): Promise<number | null> {
    const program = this.#programOf(operation)
    const first = statements[0] as Statement
    if (!program.readsFirst) return program.atomic ? this.#atomically(client, program, statements, params, run) : rowsOf(first, params, run(0))
    const [row] = (await run(0)).rows
    if (row === undefined) return first.guarded === undefined ? 0 : null
    const known = this.#knowing(operation, params, row)
    return program.atomic ? this.#atomically(client, program, statements, known, run) : rowsOf(statements[1] as Statement, known, run(1, known))
  }

  /** With what was read of the row in its place. */
  #knowing(operation: number, params: ParamSource, row: Cell[]): ParamSource {
    const at = (this.#parameters[operation] as Parameter[]).findIndex(({ shape }) => shape === 'read')
    const field = this.#parameters[operation]?.[at]?.field
    return field == null ? params : knowing(params, at, this.#driver.decode(field, row[0] as Cell))
  }

  async #atomically(
    client: Client,
    { counted, readsFirst }: SqlProgram,
    statements: Statement[],
    params: ParamSource,
    run: Run<Cell>,
  ): Promise<number | null> {
    const { control } = this.#driver
    await control(client, 'BEGIN')
    try {
      let result = 0
      for (const [at, statement] of statements.entries()) {
        if (readsFirst && at === 0) continue
        const rows = await rowsOf(statement, params, run(at, params))
        if (rows === null) {
          await control(client, 'ROLLBACK')
          return null
        }
        if (at === counted) result = rows
      }
      await control(client, 'COMMIT')
      return result
    } catch (error) {
      await control(client, 'ROLLBACK').catch(() => {})
      throw error
    }
  }

  #programOf(operation: number): SqlProgram {
    return this.#compiled.programs[operation] as SqlProgram
  }

  #bound(operation: number, { binds }: Statement, params: ParamSource): unknown[] {
    const parameters = this.#parameters[operation] as Parameter[]
    const values: unknown[] = []
    for (const at of binds) this.#driver.bind(values, parameters[at] as Parameter, params.value(at))
    return values
  }
}

/** null: it matched fewer rows than its guard needs. */
async function rowsOf(statement: Statement, params: ParamSource, running: Promise<{ touched: number }>): Promise<number | null> {
  const needed = neededRows(statement, params)
  const { touched } = await running
  return touched < needed ? null : touched
}
