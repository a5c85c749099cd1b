/** The course of a trial: every 250 ms what server, client and others used of the machine. */
import { readFileSync } from 'node:fs'
import { machineCpu } from '../provision/processes.ts'
import type { Usage } from '../provision/provision.ts'
import { type DiskUse, diskUse } from './disk.ts'

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

interface Reading {
  atMs: number
  usage: Usage | null
  clientSeconds: number
  busySeconds: number
  disk: DiskUse | null
  networkBytes: number
}

/** `usage` tells the server's; `device` is the data's disk, as `deviceOf` names it. */
export function startSampler(usage: () => Usage | null, device: string | null, warmUpSeconds: number): { stop(): Sample[] } {
  const readings = [read(usage, device)]
  const startMs = (readings[0] as Reading).atMs + warmUpSeconds * 1000
  const timer = setInterval(() => readings.push(read(usage, device)), everyMs)
  return {
    stop() {
      clearInterval(timer)
      const samples = readings.slice(1).map((reading, index) => between(readings[index] as Reading, reading, startMs))
      return samples.filter((sample) => sample.atSeconds >= 0)
    },
  }
}

function read(usage: () => Usage | null, device: string | null): Reading {
  const { user, system } = process.cpuUsage()
  return {
    atMs: performance.now(),
    usage: usage(),
    clientSeconds: (user + system) / 1e6,
    busySeconds: machineCpu().busySeconds,
    disk: device === null ? null : diskUse(device),
    networkBytes: networkBytes(),
  }
}

function between(before: Reading, after: Reading, startMs: number): Sample {
  const seconds = (after.atMs - before.atMs) / 1000
  const rate = (from: number, to: number) => rounded(Math.max(0, to - from) / seconds)
  const client = Math.max(0, after.clientSeconds - before.clientSeconds) / seconds
  const { usage: was } = before
  const { usage: is } = after
  const server = was === null || is === null ? null : Math.max(0, is.cpuSeconds - was.cpuSeconds) / seconds
  return {
    atSeconds: rounded((before.atMs - startMs) / 1000),
    serverCores: server === null ? null : rounded(server),
    residentBytes: is?.residentBytes ?? null,
    clientCores: rounded(client),
    othersCores: server === null ? null : rounded(Math.max(0, (after.busySeconds - before.busySeconds) / seconds - server - client)),
    disk:
      before.disk === null || after.disk === null
        ? null
        : {
            readBytesPerSecond: rate(before.disk.readBytes, after.disk.readBytes),
            writtenBytesPerSecond: rate(before.disk.writtenBytes, after.disk.writtenBytes),
            syncsPerSecond: rate(before.disk.syncs, after.disk.syncs),
          },
    networkBytesPerSecond: rate(before.networkBytes, after.networkBytes),
  }
}

const rounded = (value: number) => Number(value.toPrecision(4))

function networkBytes(): number {
  const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)
  return lines.reduce((sum, line) => sum + Number(line.split(':')[1]?.trim().split(/\s+/)[0] ?? 0), 0)
}
