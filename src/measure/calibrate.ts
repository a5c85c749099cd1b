/** What this machine and this harness can do before any server runs: idle baseline, fsync, ceiling of the executor. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { machineCpu } from '../provision/processes.ts'

export interface Calibration {
  /** CPU that others used while nothing ran, in cores. */
  idleBaselineCores: number
  /** Writing and syncing one 8 KiB block on the disk that holds the data. */
  fsyncUs: { p50: number; p99: number; samples: number }
}

const fsyncSamples = 60
const blockBytes = 8192

export async function calibrate(dataDirectory: string, idleSeconds = 1): Promise<Calibration> {
  const fsyncUs = probeFsync(join(dataDirectory, `fsync-probe-${process.pid}`))
  const before = { machine: machineCpu().busySeconds, own: ownCpuSeconds(), at: performance.now() }
  await sleep(idleSeconds * 1000)
  const seconds = (performance.now() - before.at) / 1000
  const others = machineCpu().busySeconds - before.machine - (ownCpuSeconds() - before.own)
  return { idleBaselineCores: Math.max(0, others / seconds), fsyncUs }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Microseconds of writing and syncing one block. */
export function probeFsync(path: string): Calibration['fsyncUs'] {
  const file = openSync(path, 'w')
  const block = Buffer.alloc(blockBytes, 1)
  const times: number[] = []
  try {
    for (let i = 0; i < fsyncSamples; i++) {
      const start = performance.now()
      writeSync(file, block, 0, blockBytes, i * blockBytes)
      fdatasyncSync(file)
      times.push((performance.now() - start) * 1000)
    }
  } finally {
    closeSync(file)
    rmSync(path)
  }
  times.sort((a, b) => a - b)
  return { p50: Math.round(times[fsyncSamples >> 1] as number), p99: Math.round(times[fsyncSamples - 1] as number), samples: fsyncSamples }
}
