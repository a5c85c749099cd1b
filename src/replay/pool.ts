/** The worker threads of a run, one per client core; each order goes to all, their recordings come back merged. */
import { Worker } from 'node:worker_threads'
import { messageOf, TrialError } from '../errors.ts'
import { mergeRecordings, type Recording, reviveRecord } from '../measure/recorder.ts'
import type { OpenOrder, TrialOrder, WorkerOrder } from './worker.ts'

/** Large, so that short-lived garbage dies before a collection copies it: each collection stalls the clock. */
const youngGenerationMb = 128

export class WorkerPool implements AsyncDisposable {
  #workers: Worker[]
  readonly #spins: boolean

  /** `spins`: whether the threads have cores that no server uses. */
  constructor(count: number, spins = true) {
    this.#spins = spins
    this.#workers = makeWorkers(count)
  }

  /** Threads that failed are of no use, nor is what they had open. */
  async renew(): Promise<void> {
    await this[Symbol.asyncDispose]()
    this.#workers = makeWorkers(this.#workers.length)
  }

  async open(order: Omit<OpenOrder, 'type' | 'purges' | 'spins'>): Promise<void> {
    const connections = Math.max(1, Math.floor(order.connections / this.#workers.length))
    await this.#all((index) => ({ ...order, type: 'open', connections, purges: index === 0, spins: this.#spins }))
  }

  /** Rates and concurrency are those of the whole trial: every thread follows its schedule, and takes its part of the starts. */
  async run(order: Omit<TrialOrder, 'type'>): Promise<Recording> {
    const workers = this.#workers.length
    const recordings = await this.#all((index) => ({
      type: 'trial',
      nowMs: order.nowMs,
      startNs: order.startNs,
      block: order.block,
      spec: {
        ...order.spec,
        concurrency: Math.max(1, Math.floor(order.spec.concurrency / workers)),
        part: { index, of: workers },
      },
    }))
    return mergeRecordings((recordings as Recording[]).map((recording) => ({ ...recording, operations: recording.operations.map(reviveRecord) })))
  }

  async close(): Promise<void> {
    await this.#all(() => ({ type: 'close' }))
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  #all(orderFor: (index: number) => WorkerOrder): Promise<unknown[]> {
    return Promise.all(this.#workers.map((worker, index) => ask(worker, orderFor(index))))
  }
}

function makeWorkers(count: number): Worker[] {
  return Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } })
    worker.setMaxListeners(20)
    worker.on('error', () => {}) // Between two orders nobody waits; the next order finds the thread gone.
    return worker
  })
}

function ask(worker: Worker, order: WorkerOrder): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (worker.threadId === -1) return reject(new TrialError('worker-ended', 'a worker thread has ended'))
    const done = () => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    }
    const onMessage = (message: { result?: unknown; error?: string }) => {
      done()
      if (message.error === undefined) resolve(message.result)
      else reject(new TrialError('worker-failed', message.error, { hint: 'the server may have gone away' }))
    }
    const onError = (error: unknown) => {
      done()
      reject(new TrialError('worker-failed', `a worker thread failed: ${messageOf(error)}`, { cause: error }))
    }
    const onExit = () => {
      done()
      reject(new TrialError('worker-ended', 'a worker thread ended in the middle of a trial'))
    }
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
    worker.postMessage(order)
  })
}
