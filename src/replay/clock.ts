/** Time as the executor sees it, injected so that queueing can be tested in virtual time. */

export interface Clock {
  nowNs(): number
  /** Calls back once, at `atNs` or as soon as possible after it. */
  wakeAt(atNs: number, callback: () => void): void
}

const spinBelowNs = 1_500_000
/** Worker threads have origins of their own; the monotonic clock is one for all. */
const originNs = Number(process.hrtime.bigint()) - performance.now() * 1e6

/** Spins through the event loop when the next start is near, sleeps when it is far: timers alone are late by up to a millisecond. */
export const realClock: Clock = {
  nowNs: () => originNs + performance.now() * 1e6,
  wakeAt(atNs, callback) {
    const waitNs = atNs - originNs - performance.now() * 1e6
    if (waitNs > spinBelowNs) setTimeout(callback, Math.floor(waitNs / 1e6 - 1))
    else setImmediate(callback)
  },
}
