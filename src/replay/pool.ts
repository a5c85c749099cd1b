/**
 * The replay's processes, one per client core; each order goes to all, their recordings come back merged. They are processes of their own
 * because what else a run holds, references, logs of writes and results, is collected in steps of milliseconds: the replay would wait for them.
 */
import type { ChildProcess } from 'node:child_process'
import { ServerError } from '../clients/server-error.ts'
import { rethrowOwnFault, TrialError } from '../errors.ts'
import { bindToCores } from '../host/processes.ts'
import { mergeRecordings, type OperationRecord, type Recording, revive, reviveRecord } from '../measure/recorder.ts'
import { faultFrom } from '../stray-errors.ts'
import { realClock } from './clock.ts'
import { drainNs } from './executor.ts'
import { endProgram, forkProgram } from './fork.ts'
import { collectGarbage } from './garbage.ts'
import type { OpenOrder, Reply, TrialOrder, WorkerOrder } from './worker.ts'

/** What a worker lets live is the log of one trial; a small heap is soon collected. */
const heapMb = 512
/** Large, so that short-lived garbage dies before a collection copies it: each collection stalls the clock. */
const halfOfYoungMb = 32
/** A worker that is not ready so long after it should be hangs. */
const patienceNs = 30e9

export class WorkerPool implements AsyncDisposable {
  #workers: ChildProcess[]
  readonly #spins: boolean
  #cores: number[] | null = null
  /** Of them take part with the connections that are open. */
  #active = 0
  /** Of them took part in the last trial. */
  #ran = 0

  /** `spins`: whether the workers have cores that no server uses. */
  constructor(count: number, spins = true) {
    this.#spins = spins
    this.#workers = makeWorkers(count)
  }

  /** Of those that live. */
  get pids(): number[] {
    return this.#workers.flatMap(({ pid, exitCode, signalCode }) => (pid === undefined || exitCode !== null || signalCode !== null ? [] : [pid]))
  }

  /** Each worker has a core of these to itself, as far as they go; false where `taskset` is missing or refuses. */
  async bind(cores: number[]): Promise<boolean> {
    this.#cores = cores
    const bound = await Promise.all(this.pids.map((pid, index) => bindToCores(pid, [cores[(cores.length - 1 - index) % cores.length] as number])))
    return bound.every((each) => each)
  }

  /** Workers that failed are of no use, nor is what they had open. */
  async renew(): Promise<void> {
    await this[Symbol.asyncDispose]()
    this.#workers = makeWorkers(this.#workers.length)
    if (this.#cores !== null) await this.bind(this.#cores)
  }

  /** No worker has less than one connection: with few connections some have none, and take no part. */
  async open(order: Omit<OpenOrder, 'type' | 'purges' | 'spins'>): Promise<void> {
    this.#active = Math.min(this.#workers.length, order.connections)
    await this.#all((index) => ({
      ...order,
      type: 'open',
      connections: shareOf(order.connections, index, this.#active),
      purges: index === 0,
      spins: this.#spins,
    }))
  }

  /** What the last trial left is gone before the next one: no collection of it falls into that. A worker that fails here fails that trial. */
  async collect(): Promise<void> {
    const collected = this.#all(() => ({ type: 'collect' }), this.#active, patienceNs / 1e6).catch(() => {})
    collectGarbage()
    await collected
  }

  /** Rates and concurrency are those of the whole trial: every worker follows its schedule, and takes its part of the starts. */
  async run(order: Omit<TrialOrder, 'type'>): Promise<Recording> {
    const { concurrency, warmUpSeconds, seconds } = order.spec
    const workers = Math.min(this.#active, concurrency)
    this.#ran = workers
    const withinNs = order.startNs - realClock.nowNs() + (warmUpSeconds + seconds) * 1e9 + drainNs + patienceNs
    const recordings = await this.#all(
      (index) => ({
        type: 'trial',
        nowMs: order.nowMs,
        startNs: order.startNs,
        block: order.block,
        spec: {
          ...order.spec,
          concurrency: shareOf(concurrency, index, workers),
          part: { index, of: workers },
        },
      }),
      workers,
      withinNs / 1e6,
    )
    return mergeRecordings((recordings as Recording[]).map(revive))
  }

  /** Of the last trial, what became of the starts in the windows that count. */
  async recordsOf(isKept: boolean[]): Promise<OperationRecord[]> {
    const answers = (await this.#all(() => ({ type: 'records', isKept }), this.#ran, patienceNs / 1e6)) as OperationRecord[][]
    const [first, ...others] = answers.map((records) => records.map(reviveRecord)) as [OperationRecord[], ...OperationRecord[][]]
    for (const other of others) first.forEach((record, at) => record.merge(other[at] as OperationRecord))
    return first
  }

  async close(): Promise<void> {
    await this.#all(() => ({ type: 'close' }), this.#active, patienceNs / 1e6)
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#workers.map(endProgram))
  }

  /** Waits for every answer, also where one has failed: none is left to be taken for that of the next order. */
  async #all(orderFor: (index: number) => WorkerOrder, workers = this.#active, withinMs?: number): Promise<unknown[]> {
    const asked = this.#workers.slice(0, workers).map((worker, index) => ask(worker, orderFor(index), withinMs))
    const settled = await Promise.allSettled(asked)
    // What others could not do may have followed from a fault of ours.
    for (const each of settled) if (each.status === 'rejected') rethrowOwnFault(each.reason)
    return await Promise.all(asked)
  }
}

/** Whole parts that differ by one at most and add up to the whole. */
const shareOf = (whole: number, index: number, parts: number) => Math.floor(whole / parts) + (index < whole % parts ? 1 : 0)

function makeWorkers(count: number): ChildProcess[] {
  const program = new URL('./worker.ts', import.meta.url)
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    '--single-threaded-gc',
    `--max-old-space-size=${heapMb}`,
    `--max-semi-space-size=${halfOfYoungMb}`,
  ]
  return Array.from({ length: count }, () => forkProgram(program, flags).setMaxListeners(20))
}

const hasEnded = ({ connected, exitCode, signalCode }: ChildProcess) => !connected || exitCode !== null || signalCode !== null

function ask(worker: ChildProcess, order: WorkerOrder, withinMs?: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (hasEnded(worker)) return reject(new TrialError('worker-ended', 'a worker process has ended'))
    const settle = (settled: () => void) => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      settled()
    }
    const fail = (code: string, message: string, hint?: string) =>
      settle(() => reject(new TrialError(code, message, hint === undefined ? {} : { hint })))
    const onMessage = (message: unknown) => {
      const reply = message as Reply
      if ('result' in reply) settle(() => resolve(reply.result))
      else if (reply.fault !== undefined) settle(() => reject(faultFrom(reply.fault as string, `worker ${worker.pid}: `)))
      else if (reply.lost === true) settle(() => reject(new ServerError('connection-lost', reply.error)))
      else if (reply.ends) fail('worker-failed', `a worker process failed: ${reply.error}`)
      else fail('worker-failed', reply.error, 'the server may have gone away')
    }
    const onExit = (code: number | null, signal: string | null) =>
      fail('worker-ended', `a worker process ended in the middle of a trial (${signal ?? `exit code ${code}`})`)
    const timer = withinMs === undefined ? undefined : setTimeout(() => fail('worker-hangs', 'a worker process does not answer: it hangs'), withinMs)
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    worker.send(order, (error) => {
      if (error !== null) fail('worker-ended', `a worker process could not be told what to do: ${error.message}`)
    })
  })
}
