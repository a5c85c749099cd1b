import type { Clock } from '../../../src/replay/clock.ts'

interface Event {
  atNs: number
  order: number
  callback: () => void
}

/** Time that jumps from event to event: a binary heap by time, then by the order of asking. */
export class VirtualClock implements Clock {
  #nowNs = 0
  #asked = 0
  readonly #heap: Event[] = []

  nowNs(): number {
    return this.#nowNs
  }

  wakeAt(atNs: number, callback: () => void): number {
    this.#heap.push({ atNs: Math.max(atNs, this.#nowNs), order: this.#asked++, callback })
    let at = this.#heap.length - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
    return atNs
  }

  /** Runs until nothing is left to happen. */
  run(): void {
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      this.#nowNs = next.atNs
      next.callback()
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let at = 0; ; ) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && this.#before(child, least)) least = child
      if (least === at) return first
      this.#swap(at, least)
      at = least
    }
  }

  #before(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a] as Event, this.#heap[b] as Event]
    return left.atNs < right.atNs || (left.atNs === right.atNs && left.order < right.order)
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a] as Event
    this.#heap[a] = this.#heap[b] as Event
    this.#heap[b] = held
  }
}
