/** An engine without a server: service times from a distribution, a limit of operations in service, stalls on schedule. */
import { Source } from '../data/random.ts'
import type { Lane } from '../engines/engine.ts'
import type { Clock } from '../replay/clock.ts'

export interface SimulatedOptions {
  slots: number
  /** Operations in service at once; the others wait inside, first come first served. */
  servers: number
  meanServiceNs: number
  service: 'exponential' | 'constant'
  /** From `atNs` on (by the clock) nothing is finished for `forNs`. */
  stalls: { atNs: number; forNs: number }[]
  seed: number
}

export function simulatedLane(options: SimulatedOptions, clock: Clock): Lane {
  const source = new Source().restart(options.seed, 1)
  const waiting: number[] = []
  let head = 0
  let busy = 0
  const serviceNs = () => (options.service === 'constant' ? options.meanServiceNs : -Math.log(1 - source.next()) * options.meanServiceNs)
  /** Service stands still during a stall: its rest is served afterwards. */
  const endOf = (startNs: number, workNs: number) => {
    let end = startNs + workNs
    for (const stall of options.stalls) {
      const from = Math.max(startNs, stall.atNs)
      if (from < Math.min(end, stall.atNs + stall.forNs)) end += stall.atNs + stall.forNs - from
    }
    return end
  }
  const begin = (slot: number) => {
    busy++
    const done = () => {
      busy--
      if (head < waiting.length) {
        begin(waiting[head++] as number)
        if (head > 4096) {
          waiting.splice(0, head)
          head = 0
        }
      }
      lane.onDone(slot, 'ok', 1, 0, '')
    }
    clock.wakeAt(endOf(clock.nowNs(), serviceNs()), done, true)
  }
  const lane: Lane = {
    slots: options.slots,
    onDone: () => {},
    onAnswer: () => {},
    flush: () => {},
    send(slot) {
      if (busy < options.servers) begin(slot)
      else waiting.push(slot)
    },
    [Symbol.asyncDispose]: async () => {},
  }
  return lane
}
