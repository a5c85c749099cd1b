/** What server, client and others used of the machine during a trial: between the edges of its measured window, and every 250 ms of it. */
import { readFileSync } from 'node:fs'
import type { HostSpeed } from '../host/speed.ts'
import { type Bound, type Reading, readUsage, usedBetween } from '../host/usage.ts'
import type { Instance } from '../provision/provision.ts'
import { realClock } from '../replay/clock.ts'
import { windowSeconds } from './recorder.ts'

export interface Sample {
  /** Since the measured window began. */
  atSeconds: number
  /** null: nobody tells. */
  serverCores: number | null
  residentBytes: number | null
  clientCores: number
  othersCores: number | null
  /** Of these, on the cores of the server, and on those of the harness; null where either is not bound. */
  othersOnServerCores: number | null
  othersOnHarnessCores: number | null
  /** What the host took of the server's cores, as the kernel counts it in steps of 10 ms. */
  stolenOnServerCores: number | null
  /** Shares of the time in which some thread of the server waited for a core, for memory or for a disk; null: nobody tells. */
  stalled: { cpu: number; memory: number; disk: number } | null
  /** Of the data's disk, whoever caused it; null where it cannot be named. */
  disk: { readBytesPerSecond: number; writtenBytesPerSecond: number; syncsPerSecond: number } | null
  /** Over all interfaces of this machine, loopback included. */
  networkBytesPerSecond: number
  /** What a fixed piece of code took on the server's cores; null where nobody timed it. */
  hostUs: number | null
}
export interface Course {
  /** At the edges of the measured window; of a trial that broke before it, all that there is. */
  before: Reading
  after: Reading
  /** At the edges of the windows, as far as it came. */
  edges: Reading[]
  bound: Bound | null
  timeline: Sample[]
}

/** The kernel counts CPU in steps of 10 ms: what is shorter tells nothing. */
const shortestNs = 0.1e9

type Sampled = Reading & { networkBytes: number }

/** Reads at the edges of windows that begin at `measureNs` and end at `endNs`. `device` is the data's disk, as `deviceOf` names it; `workers` are the processes that replay, `watchers` those that watch the server's cores. */
export function startSampler(
  instance: Pick<Instance, 'sample' | 'watch' | 'enforced' | 'cores'>,
  device: string | null,
  workers: number[],
  watchers: number[],
  harnessCores: number[] | null,
  speed: Pick<HostSpeed, 'between'> | null,
  measureNs: number,
  endNs: number,
): { stop(): Promise<Course> } {
  const watch = instance.watch()
  const bound = harnessCores !== null && instance.enforced.cpu === 'cpuset' ? { server: instance.cores, harness: harnessCores } : null
  const asked: Promise<unknown>[] = []
  const read = (): Sampled => ({ ...readUsage(watch(), device, workers, watchers), networkBytes: networkBytes() })
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
      const timeline = readings.slice(1).flatMap((reading, index) => {
        const previous = readings[index] as Sampled
        return reading.atNs - previous.atNs < shortestNs
          ? []
          : [{ ...sampleOf(previous, reading, measureNs, bound), hostUs: orNull(speed?.between(previous.atNs, reading.atNs) ?? null) }]
      })
      return { before, after, edges: readings, bound, timeline }
    },
  }
}

function sampleOf(before: Sampled, after: Sampled, measureNs: number, bound: Bound | null): Omit<Sample, 'hostUs'> {
  const used = usedBetween(before, after, bound)
  const { seconds, serverCores, clientCores, othersCores, othersOnServerCores, othersOnHarnessCores, stolenOnServerCores, stalled, disk } = used
  const perSecond = (amount: number) => rounded(Math.max(0, amount) / seconds)
  return {
    atSeconds: rounded((before.atNs - measureNs) / 1e9),
    serverCores: orNull(serverCores),
    residentBytes: after.server?.residentBytes ?? null,
    clientCores: rounded(clientCores),
    othersCores: orNull(othersCores),
    othersOnServerCores: orNull(othersOnServerCores),
    othersOnHarnessCores: orNull(othersOnHarnessCores),
    stolenOnServerCores: orNull(stolenOnServerCores),
    stalled: stalled && { cpu: rounded(stalled.cpu), memory: rounded(stalled.memory), disk: rounded(stalled.disk) },
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

const orNull = (value: number | null) => (value === null ? null : rounded(value))
const rounded = (value: number) => Number(value.toPrecision(4))

function networkBytes(): number {
  const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)
  return lines.reduce((sum, line) => sum + Number(line.split(':')[1]?.trim().split(/\s+/)[0] ?? 0), 0)
}
