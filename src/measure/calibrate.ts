/** What this machine can do before any server runs, and who else uses it. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Busy, busyText } from '../host/busy.ts'
import { machineCpu, usageOf, watchBusiest } from '../host/processes.ts'

export interface Calibration {
  /** CPU that others used while nothing ran, in cores. */
  idleBaselineCores: number
  /** Seconds that were waited for the machine to become quiet. */
  waitedSeconds: number
  /** Others used more than a run can bear; null: they did not. */
  busy: Busy | null
  /** Writing and syncing one 8 KiB block on the disk that holds the data. */
  fsyncUs: { p50: number; p99: number; samples: number }
}

/** Cores that others use: with less a machine is quiet, above the second it is busy, and trials will be called noisy. */
const quietCores = 0.05
const busyCores = 0.1
/** Of what others use, the chief of them. */
const chiefShare = 0.2
const fsyncSamples = 60
const blockBytes = 8192

/** Waits at most so long for a quiet machine, and says so. `workers` are processes of ours beside this one. */
export async function calibrate(
  dataDirectory: string,
  { idleSeconds = 1, patienceSeconds = 0, workers = [] as number[], report = (_text: string) => {} } = {},
): Promise<Calibration> {
  const fsyncUs = probeFsync(join(dataDirectory, `fsync-probe-${process.pid}`))
  const startMs = performance.now()
  for (let waitedSeconds = 0; ; waitedSeconds = (performance.now() - startMs) / 1000) {
    const { cores, chiefly } = await watchOthers(idleSeconds, workers)
    if (cores > quietCores && waitedSeconds + idleSeconds < patienceSeconds) {
      if (waitedSeconds === 0) report(`waiting for a quiet machine, ${patienceSeconds} s at most: ${busyText({ cores, chiefly })}`)
      continue
    }
    return { idleBaselineCores: cores, waitedSeconds, busy: cores > busyCores ? { cores, chiefly } : null, fsyncUs }
  }
}

async function watchOthers(seconds: number, workers: number[]): Promise<Busy> {
  const ownSeconds = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6 + usageOf(workers).cpuSeconds
  }
  const busiest = watchBusiest([process.pid, process.ppid, ...workers])
  const before = { machine: machineCpu().busySeconds, own: ownSeconds(), atMs: performance.now() }
  await sleep(seconds * 1000)
  const used = Math.max(0, machineCpu().busySeconds - before.machine - (ownSeconds() - before.own))
  return { cores: used / ((performance.now() - before.atMs) / 1000), chiefly: busiest(used * chiefShare) }
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
