/** What the wire clients of relational products share: a connection that carries one statement at a time, and keeps its rows where they are asked for. */
import type { RequestBuffer } from './request.ts'
import type { ServerError } from './server-error.ts'
import type { Exchange, Template } from './slot-lane.ts'

interface StatementConnection<Cell> {
  readonly request: RequestBuffer
  onClosed: (cause: ServerError) => void
  keep: boolean
  readonly rows: Cell[][]
  /** Whether the next row begins with a whole number that is wanted, and the last such number. */
  tells: boolean
  readonly told: number
  send(from: number, to: number): void
  end(): void
}

export class SqlExchange<Cell> {
  onReplied: Exchange<never, Cell[][]>['onReplied'] = () => {}
  onClosed: Exchange<never, Cell[][]>['onClosed'] = () => {}
  protected readonly connection: StatementConnection<Cell>
  /** Where the request has the number that is read before it is sent. */
  protected readAt = 0

  constructor(connection: StatementConnection<Cell>) {
    this.connection = connection
    connection.onClosed = (cause) => this.onClosed(cause)
  }

  get request(): RequestBuffer {
    return this.connection.request
  }
  get keep(): boolean {
    return this.connection.keep
  }
  set keep(keep: boolean) {
    this.connection.keep = keep
  }
  get found(): Cell[][] {
    return this.connection.rows
  }

  protected sendFor(template: Template | null, from: number, to: number): void {
    this.connection.tells = template?.tells === true
    this.connection.send(from, to)
  }

  end(): void {
    this.connection.end()
  }
}
