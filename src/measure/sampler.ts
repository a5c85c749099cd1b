/** What server, client and others used of the machine during a trial: between the edges of its measured window, and every 250 ms of it. */
import { readFileSync } from 'node:fs'
import type { Instance } from '../provision/provision.ts'
import { realClock } from '../replay/clock.ts'
import { windowSeconds } from './recorder.ts'
import { type Reading, readUsage, usedBetween } from './usage.ts'

export interface Sample {
  /** Since the measured window began. */
  atSeconds: number
  /** null: nobody tells. */
  serverCores: number | null
  residentBytes: number | null
  clientCores: number
  othersCores: number | null
  /** Of the data's disk, whoever caused it; null where it cannot be named. */
  disk: { readBytesPerSecond: number; writtenBytesPerSecond: number; syncsPerSecond: number } | null
  /** Over all interfaces of this machine, loopback included. */
  networkBytesPerSecond: number
}
export interface Course {
  /** At the edges of the measured window; of a trial that broke before it, all that there is. */
  before: Reading
  after: Reading
  timeline: Sample[]
}

type Sampled = Reading & { networkBytes: number }

/** Reads at the edges of windows that begin at `measureNs` and end at `endNs`. `device` is the data's disk, as `deviceOf` names it; `workers` are the processes that replay. */
export function startSampler(
  instance: Pick<Instance, 'sample' | 'watch'>,
  device: string | null,
  workers: number[],
  measureNs: number,
  endNs: number,
): { stop(): Promise<Course> } {
  const watch = instance.watch()
  const asked: Promise<unknown>[] = []
  const read = (): Sampled => ({ ...readUsage(watch(), device, workers), networkBytes: networkBytes() })
  /** A server that is not to be watched may still answer when it is asked, slowly: at the edges it is. */
  const readEdge = (): Sampled => {
    const reading = read()
    if (reading.server === null)
      asked.push(
        instance.sample().then(
          (server) => (reading.server = server),
          () => {}, // A container that is gone has no statistics.
        ),
      )
    return reading
  }
  const started = read()
  const readings: Sampled[] = []
  let timer: NodeJS.Timeout | undefined
  let nextNs = measureNs
  const readNext = () => {
    readings.push(nextNs === measureNs || nextNs === endNs ? readEdge() : read())
    nextNs = nextNs === endNs ? Number.POSITIVE_INFINITY : Math.min(endNs, nextNs + windowSeconds * 1e9)
    if (nextNs <= endNs) wait()
  }
  const wait = () => {
    timer = setTimeout(readNext, Math.ceil(Math.max(0, nextNs - realClock.nowNs()) / 1e6))
  }
  wait()
  return {
    async stop() {
      clearTimeout(timer)
      // What ended before its time has no reading at its end, and news of an end may be quicker than a timer.
      if (readings.length < 2 || nextNs <= realClock.nowNs()) readings.push(readEdge())
      await Promise.all(asked)
      const [before, after] = [readings.length < 2 ? started : (readings[0] as Sampled), readings.at(-1) as Sampled]
      return { before, after, timeline: readings.slice(1).map((reading, index) => sampleOf(readings[index] as Sampled, reading, measureNs)) }
    },
  }
}

function sampleOf(before: Sampled, after: Sampled, measureNs: number): Sample {
  const { seconds, serverCores, clientCores, othersCores, disk } = usedBetween(before, after)
  const perSecond = (amount: number) => rounded(Math.max(0, amount) / seconds)
  return {
    atSeconds: rounded((before.atNs - measureNs) / 1e9),
    serverCores: serverCores === null ? null : rounded(serverCores),
    residentBytes: after.server?.residentBytes ?? null,
    clientCores: rounded(clientCores),
    othersCores: othersCores === null ? null : rounded(othersCores),
    disk:
      disk === null
        ? null
        : {
            readBytesPerSecond: perSecond(disk.readBytes),
            writtenBytesPerSecond: perSecond(disk.writtenBytes),
            syncsPerSecond: perSecond(disk.syncs),
          },
    networkBytesPerSecond: perSecond(after.networkBytes - before.networkBytes),
  }
}

const rounded = (value: number) => Number(value.toPrecision(4))

function networkBytes(): number {
  const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)
  return lines.reduce((sum, line) => sum + Number(line.split(':')[1]?.trim().split(/\s+/)[0] ?? 0), 0)
}
