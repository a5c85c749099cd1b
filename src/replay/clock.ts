/** Time as the executor sees it, injected so that queueing can be tested in virtual time. */

export interface Clock {
  nowNs(): number
  /**
   * Calls back once, at `atNs` or as soon as possible after it; inexactly is some milliseconds late, and costs no CPU until then.
   * Returns the moment from which on the callback is late; 0: it comes as soon as the harness can, again and again until `atNs`.
   */
  wakeAt(atNs: number, callback: () => void, exactly: boolean): number
}

/** A sleeping core takes milliseconds to wake in a virtual machine: only long waits sleep, and the last stretch is always spun. */
const spinBelowNs = 20_000_000
const wakeEarlyMs = 10
/** Worker threads have origins of their own; the monotonic clock is one for all. */
const originNs = Number(process.hrtime.bigint()) - performance.now() * 1e6

/** Spins through the event loop when the next start is near, sleeps when it is far: timers alone are late by up to a millisecond. */
export const realClock: Clock = {
  nowNs: () => originNs + performance.now() * 1e6,
  wakeAt(atNs, callback, exactly) {
    const waitNs = atNs - originNs - performance.now() * 1e6
    if (!exactly) setTimeout(callback, Math.max(0, Math.ceil(waitNs / 1e6)))
    else if (waitNs > spinBelowNs) setTimeout(callback, Math.floor(waitNs / 1e6) - wakeEarlyMs)
    else {
      setImmediate(callback)
      return 0
    }
    return atNs
  },
}
