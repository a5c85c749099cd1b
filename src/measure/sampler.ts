/** The course of a trial: every 250 ms what server, client and others used of the machine. */
import { readFileSync } from 'node:fs'
import type { Usage } from '../provision/provision.ts'
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

const everyMs = 250

type Sampled = Reading & { networkBytes: number }

/** `usage` tells the server's; `device` is the data's disk, as `deviceOf` names it. */
export function startSampler(usage: () => Usage | null, device: string | null, warmUpSeconds: number): { stop(): Sample[] } {
  const read = (): Sampled => ({ ...readUsage(usage(), device), networkBytes: networkBytes() })
  const readings = [read()]
  const startMs = (readings[0] as Sampled).atMs + warmUpSeconds * 1000
  const timer = setInterval(() => readings.push(read()), everyMs)
  return {
    stop() {
      clearInterval(timer)
      const samples = readings.slice(1).map((reading, index) => sampleOf(readings[index] as Sampled, reading, startMs))
      return samples.filter((sample) => sample.atSeconds >= 0)
    },
  }
}

function sampleOf(before: Sampled, after: Sampled, startMs: number): Sample {
  const { seconds, serverCores, clientCores, othersCores, disk } = usedBetween(before, after)
  const perSecond = (amount: number) => rounded(Math.max(0, amount) / seconds)
  return {
    atSeconds: rounded((before.atMs - startMs) / 1000),
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
