/** Where no core is free to spin on: a thread that sleeps until the next start is due and then wakes the replay, to within some tens of microseconds. */
import { MessageChannel, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads'
import { type Clock, realClock } from './clock.ts'

interface Shared {
  /** [0] counts the requests: a pacer that sleeps notices a nearer one. */
  requests: Int32Array
  /** [0] the moment that is waited for, ns on the monotonic clock. */
  dueNs: Float64Array
}

/** A clock whose exact waits are slept by a thread of its own; one wait at a time, a new one takes the place of the last. */
export function pacedClock(): Clock & AsyncDisposable {
  const requests = new Int32Array(new SharedArrayBuffer(4))
  const dueNs = new Float64Array(new SharedArrayBuffer(8))
  dueNs[0] = Number.POSITIVE_INFINITY
  const { port1, port2 } = new MessageChannel()
  const pacer = new Worker(new URL('./pacer.ts', import.meta.url), { workerData: { requests, dueNs, port: port2 }, transferList: [port2] })
  let waiting: (() => void) | null = null
  port1.on('message', () => {
    while (receiveMessageOnPort(port1) !== undefined); // Wakes that came late are one.
    const callback = waiting
    waiting = null
    callback?.()
  })
  return {
    nowNs: realClock.nowNs,
    wakeAt(atNs, callback, exactly) {
      if (!exactly || atNs <= realClock.nowNs()) {
        if (exactly) setImmediate(callback)
        else realClock.wakeAt(atNs, callback, false)
        return atNs
      }
      waiting = callback
      dueNs[0] = atNs
      Atomics.add(requests, 0, 1)
      Atomics.notify(requests, 0)
      return atNs
    },
    async [Symbol.asyncDispose]() {
      port1.close()
      await pacer.terminate()
    },
  }
}

/** The pacer's own thread. */
function pace({ requests, dueNs, port }: Shared & { port: { postMessage(message: number): void } }): never {
  for (;;) {
    const request = Atomics.load(requests, 0)
    const due = dueNs[0] as number
    const waitMs = (due - realClock.nowNs()) / 1e6
    if (waitMs > 0) {
      Atomics.wait(requests, 0, request, waitMs)
      continue
    }
    dueNs[0] = Number.POSITIVE_INFINITY
    port.postMessage(0)
    Atomics.wait(requests, 0, request)
  }
}

const own = workerData as (Shared & { port: { postMessage(message: number): void } }) | null
if (own?.requests instanceof Int32Array && own.dueNs instanceof Float64Array) pace(own)
