/**
 * A process of its own for one core: its thread wakes there every millisecond and records how late it is. It runs with real-time priority, so no
 * thread of the server stands before it; what the kernel itself does meanwhile for the server, and counts as waiting for the core, is taken off.
 * What is left is time in which the host gave the core to others.
 */

import { openSync, readSync } from 'node:fs'
import { realClock } from '../replay/clock.ts'
import { endWithParent } from '../replay/forked.ts'

/** `minNs`: shorter ones are not told. `untilNs`: before then nobody asks what was seen. */
export type WakeOrder = { watch: true; minNs: number; untilNs: number } | { watch: false }
/** Of those that were seen since the order: when the thread ran again, and how late. */
export interface Wakes {
  endNs: number[]
  lateNs: number[]
}

const everyMs = 1
const everyNs = everyMs * 1e6
/** Between two slices orders are read, which costs more than some wakes: before anybody asks, and from then on. */
const wakesOfSlice = { long: 250, short: 25 }
/** On a machine that is late all the time it is known after so many. */
const maxPauses = 10_000
/** Nobody ever wakes this thread: only time does. */
const cell = new Int32Array(new SharedArrayBuffer(4))

const statistics = openStatistics()
const text = Buffer.alloc(128)

let isWatching = false
let minNs = 0
let untilNs = 0
let seen: Wakes = { endNs: [], lateNs: [] }
let waitedNs = 0
let lastNs = 0

/** Allocates nothing, unless a wake was late. */
function slice(): void {
  if (!isWatching) return
  // The host takes the core away between two slices, too; reading orders takes less than a wake.
  const beganNs = realClock.nowNs()
  if (beganNs - lastNs - everyNs > minNs) note(beganNs, beganNs - lastNs - everyNs)
  waitedNs = waitedForCoreNs()
  lastNs = realClock.nowNs()
  const wakes = Math.max(wakesOfSlice.short, Math.min(wakesOfSlice.long, Math.floor((untilNs - lastNs) / everyNs)))
  for (let wake = 0; wake < wakes; wake++) {
    Atomics.wait(cell, 0, 0, everyMs)
    const nowNs = realClock.nowNs()
    if (nowNs - lastNs - everyNs > minNs) note(nowNs, nowNs - lastNs - everyNs)
    lastNs = nowNs
  }
  setImmediate(slice)
}

function note(nowNs: number, lateNs: number): void {
  const waitedBeforeNs = waitedNs
  waitedNs = waitedForCoreNs()
  const pausedNs = lateNs - (waitedNs - waitedBeforeNs)
  if (pausedNs <= minNs || seen.endNs.length === maxPauses) return
  seen.endNs.push(nowNs)
  seen.lateNs.push(pausedNs)
}

/** How long this thread could have run so far and did not, because its core did something else. */
function waitedForCoreNs(): number {
  if (statistics === null) return 0
  const length = readSync(statistics, text, 0, text.length, 0)
  return Number(text.toString('latin1', 0, length).split(' ')[1])
}

/** null: this kernel keeps none. */
function openStatistics(): number | null {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return null
  }
}

process.on('message', (order: WakeOrder) => {
  if (order.watch) {
    minNs = order.minNs
    untilNs = order.untilNs
    seen = { endNs: [], lateNs: [] }
    if (!isWatching) {
      lastNs = realClock.nowNs()
      waitedNs = waitedForCoreNs()
      setImmediate(slice)
    }
    isWatching = true
  } else {
    isWatching = false
    process.send?.(seen)
  }
})
endWithParent()
process.send?.('ready')
