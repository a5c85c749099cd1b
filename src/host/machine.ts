/** What about a machine decides how far its measurements can be trusted: cores, memory, disk, clock, limits, neighbours. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { probeFsync } from '../measure/calibrate.ts'
import { machineCpu } from './processes.ts'

export interface MachineFact {
  what: string
  found: string
  ok: boolean
  fix: string | null
}

const GiB = 2 ** 30
const watchMs = 1000
const minFiles = 4096
const minMemory = 4 * GiB
const minFree = 5 * GiB
/** Faster than any disk with a cache that survives a power cut answers. */
const suspiciousFsyncUs = 15
const slowFsyncUs = 10_000
const pauseNs = 1_000_000n
const maxPausedShare = 0.01
const maxNeighbourCores = 0.1

/** `directory`: where the servers' data would lie. Takes two seconds: one watches an idle machine, one a busy loop. */
export async function inspectMachine(directory: string): Promise<MachineFact[]> {
  return [coresFact(), memoryFact(), ...diskFacts(directory), filesFact(), await neighboursFact(), clockFact(), priorityFact()]
}

function coresFact(): MachineFact {
  const cores = availableParallelism()
  return {
    what: 'cores',
    found: `${cores} (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    ok: cores >= 2,
    fix: cores >= 2 ? null : 'with one core the server and the harness disturb each other: use a machine with two or more',
  }
}

function memoryFact(): MachineFact {
  const ok = totalmem() >= minMemory
  return {
    what: 'memory',
    found: `${(totalmem() / GiB).toFixed(1)} GiB, ${(freemem() / GiB).toFixed(1)} GiB free`,
    ok,
    fix: ok ? null : 'candidates stay started, paused: lower bench.limits.memory or run one at a time with --candidates',
  }
}

function diskFacts(directory: string): MachineFact[] {
  const { bavail, bsize } = statfsSync(directory)
  const free = bavail * bsize
  const { p50, p99 } = probeFsync(join(directory, `fsync-probe-${process.pid}`))
  const fix =
    p50 < suspiciousFsyncUs
      ? 'too fast for a disk: a durable write may not be durable here; use another disk with --data'
      : p50 > slowFsyncUs
        ? 'durable writes will be bound by this disk: use another one with --data'
        : null
  return [
    {
      what: 'disk',
      found: `${(free / GiB).toFixed(0)} GiB free in ${directory}`,
      ok: free >= minFree,
      fix: free >= minFree ? null : 'make room, or use another disk with --data',
    },
    { what: 'fsync of 8 KiB', found: `p50 ${p50} µs, p99 ${p99} µs`, ok: fix === null, fix },
  ]
}

function filesFact(): MachineFact {
  const [, soft = ''] = /Max open files\s+(\S+)/.exec(readText('/proc/self/limits')) ?? []
  const ok = soft === 'unlimited' || soft === '' || Number(soft) >= minFiles
  return { what: 'open files', found: soft === '' ? 'unknown' : soft, ok, fix: ok ? null : 'ulimit -n 65536' }
}

/** CPU that others use while we do nothing; where the machine is virtual, what the host takes away. */
async function neighboursFact(): Promise<MachineFact> {
  const before = { machine: machineCpu(), own: process.cpuUsage(), stolen: stolenSeconds() }
  await sleep(watchMs)
  const own = process.cpuUsage(before.own)
  const used = (machineCpu().busySeconds - before.machine.busySeconds - (own.user + own.system) / 1e6) / (watchMs / 1000)
  const stolen = stolenSeconds() - before.stolen
  const ok = used < maxNeighbourCores
  return {
    what: 'neighbours',
    found: `${Math.max(0, used).toFixed(2)} cores used by others, ${stolen.toFixed(2)} s stolen by the host, load ${loadavg()[0]?.toFixed(2)}`,
    ok,
    fix: ok ? null : 'stop what else runs here: trials beside it are marked noisy',
  }
}

/** A loop that only reads the clock: whatever it misses was taken from it. */
function clockFact(): MachineFact {
  const stolenBefore = stolenSeconds()
  const start = process.hrtime.bigint()
  const end = start + BigInt(watchMs) * 1_000_000n
  let last = start
  let paused = 0n
  let longest = 0n
  let smallest = 1_000_000_000n
  while (last < end) {
    const now = process.hrtime.bigint()
    const step = now - last
    if (step > 0n && step < smallest) smallest = step
    if (step > pauseNs) paused += step
    if (step > longest) longest = step
    last = now
  }
  const share = Number(paused) / Number(last - start)
  const source = readText('/sys/devices/system/clocksource/clocksource0/current_clocksource').trim()
  const ok = share < maxPausedShare && Number(smallest) < 10_000
  const taker = (stolenSeconds() - stolenBefore) * 1e9 > Number(paused) / 2 ? 'the host takes' : 'others on this machine take'
  return {
    what: 'clock',
    found: `${source === '' ? 'monotonic' : source}, steps of ${smallest} ns, longest pause of a busy loop ${(Number(longest) / 1e6).toFixed(1)} ms, ${(share * 100).toFixed(1)} % lost in pauses above 1 ms`,
    ok,
    fix: ok ? null : `${taker} the CPU away: percentiles above such pauses are the machine, not the database; use a quieter one`,
  }
}

/** Whether pauses of the host on a server's core can be told from the server's own work. */
function priorityFact(): MachineFact {
  const ok = spawnSync('chrt', ['--fifo', '1', 'true']).status === 0
  return {
    what: 'real-time priority',
    found: ok ? 'permitted: pauses of the host on the cores of a server are seen' : 'not permitted, or chrt of util-linux is missing',
    ok,
    fix: ok ? null : 'run as root or with CAP_SYS_NICE: else pauses of the host on the cores of a server are not seen',
  }
}

function stolenSeconds(): number {
  return Number((readText('/proc/stat').split('\n')[0] ?? '').trim().split(/\s+/)[8] ?? 0) / 100
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
