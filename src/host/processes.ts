/** Processes as Linux shows them under /proc: trees, CPU time, bytes, pausing a whole tree. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { promisify } from 'node:util'

const ticksPerSecond = 100 // USER_HZ is 100 on every Linux that Node runs on

export interface Usage {
  /** CPU seconds that the server's processes used since their start. */
  cpuSeconds: number
  residentBytes: number
  /** Seconds in which some of its threads waited for a core, for memory or for a disk, as the kernel tells of a control group; absent: it does not. */
  stalled?: { cpuSeconds: number; memorySeconds: number; diskSeconds: number }
}
interface Stat {
  pid: number
  parent: number
  cpuTicks: number
  startTicks: number
}

/** Of a process or a thread, as the kernel's file shows them from the state on; undefined: it has ended. */
function fieldsOf(path: string): number[] | undefined {
  try {
    const text = readFileSync(path, 'latin1')
    // The name stands in parentheses and may itself contain some.
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
  } catch {
    return undefined
  }
}

function statOf(pid: number): Stat | undefined {
  const fields = fieldsOf(`/proc/${pid}/stat`)
  if (fields === undefined) return undefined
  return {
    pid,
    parent: fields[1] as number,
    cpuTicks: (fields[11] as number) + (fields[12] as number) + (fields[13] as number) + (fields[14] as number),
    startTicks: fields[19] as number,
  }
}

/** Of a thread, by the path of its `stat`; undefined: it has ended. */
export function cpuSecondsOfThread(path: string): number | undefined {
  const fields = fieldsOf(path)
  return fields === undefined ? undefined : ((fields[11] as number) + (fields[12] as number)) / ticksPerSecond
}

/** Ticks after boot at which a process started: with its pid its identity. */
export function startTicks(pid: number): number | undefined {
  return statOf(pid)?.startTicks
}

export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** The process and all its descendants. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const pid of processIds()) {
    const stat = statOf(pid)
    if (stat !== undefined) children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat.pid])
  }
  const tree = [root]
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i] as number) ?? []))
  return tree
}

/** Signals a whole tree, reading it again until nothing new appears. */
export function signalTree(root: number, signal: NodeJS.Signals): void {
  const done = new Set<number>()
  for (let round = 0; round < 20; round++) {
    const fresh = processTree(root).filter((pid) => !done.has(pid))
    if (fresh.length === 0) return
    for (const pid of fresh) {
      done.add(pid)
      try {
        process.kill(pid, signal)
      } catch {
        // It ended between reading and signalling.
      }
    }
  }
}

/** Kills every process whose working directory lies there. */
export function killWorkingIn(directory: string): void {
  for (const pid of processIds()) {
    const at = workingDirectory(pid)
    if (at === directory || at?.startsWith(`${directory}/`)) killQuietly(pid)
  }
}

export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined // It ended, or belongs to somebody else.
  }
}

export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Already gone.
  }
}

/** Whether every thread of the tree has come to a stop: a signal is delivered later than it is sent. */
export function isTreeStopped(root: number): boolean {
  return processTree(root).every((pid) => {
    try {
      return readdirSync(`/proc/${pid}/task`).every((task) => /\) [TtZX] /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1')))
    } catch {
      return true // It ended.
    }
  })
}

/** CPU time includes that of children which ended and were waited for. */
export function usageOf(processes: number[]): Usage {
  const usage: Usage = { cpuSeconds: 0, residentBytes: 0 }
  for (const pid of processes) {
    const stat = statOf(pid)
    if (stat === undefined) continue
    usage.cpuSeconds += stat.cpuTicks / ticksPerSecond
    try {
      usage.residentBytes += Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096
    } catch {
      // It has just ended.
    }
  }
  return usage
}

const listAgainAfter = 8

/** Usage of a tree whose processes are listed now and every eighth time: listing costs more than reading. */
export function watchTree(root: number): () => Usage {
  let tree = processTree(root)
  let asked = 0
  return () => {
    if (++asked % listAgainAfter === 0) tree = processTree(root)
    return usageOf(tree)
  }
}

/** Seconds that the cores were busy since boot, all together and by their numbers; what the host took away counts, and is told by itself. */
export function machineCpu(): { busySeconds: number; byCore: number[]; stolenByCore: number[] } {
  const byCore: number[] = []
  const stolenByCore: number[] = []
  let busySeconds = 0
  for (const line of readFileSync('/proc/stat', 'latin1').split('\n')) {
    const [, core, times] = /^cpu(\d*) +(.*)/.exec(line) ?? []
    if (core === undefined || times === undefined) break
    const ticks = times.split(' ').slice(0, 8).map(Number)
    const busy = ticks.reduce((sum, each) => sum + each, 0) - (ticks[3] as number) - (ticks[4] as number)
    if (core === '') busySeconds = busy / ticksPerSecond
    else {
      byCore[Number(core)] = busy / ticksPerSecond
      stolenByCore[Number(core)] = (ticks[7] as number) / ticksPerSecond
    }
  }
  return { busySeconds, byCore, stolenByCore }
}

/** The process that uses most CPU between two calls; null where none of them uses so much. */
export function watchBusiest(except: number[]): (minSeconds: number) => { command: string; pid: number } | null {
  const ticksOf = () => new Map(processIds().map((pid) => [pid, statOf(pid)?.cpuTicks ?? 0]))
  const before = ticksOf()
  return (minSeconds) => {
    let [most, busiest] = [minSeconds * ticksPerSecond, 0]
    for (const [pid, ticks] of ticksOf()) {
      const used = ticks - (before.get(pid) ?? 0)
      if (used > most && !except.includes(pid)) [most, busiest] = [used, pid]
    }
    return busiest === 0 ? null : { command: commandOf(busiest), pid: busiest }
  }
}

function commandOf(pid: number): string {
  try {
    // Many programs name their main thread; what was started says more. A thread of the kernel was not.
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return program === '' ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : basename(program)
  } catch {
    return 'a process that has ended'
  }
}

/** The lowest: above every thread that has none, below all that the kernel needs to run in time. */
const realTimePriority = '1'

/** Puts the main thread of a process before all that have no real-time priority; null, or what forbids it. What its runtime does beside it may wait. */
export async function putFirst(pid: number): Promise<string | null> {
  try {
    await promisify(execFile)('chrt', ['--reset-on-fork', '--fifo', '--pid', realTimePriority, String(pid)])
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'chrt of util-linux is missing' : 'no permission for real-time priority'
  }
}

/** Binds all threads of a process to cores; false where `taskset` is missing or refuses. */
export async function bindToCores(pid: number, cores: number[]): Promise<boolean> {
  try {
    await promisify(execFile)('taskset', ['-a', '-p', '-c', cores.join(','), String(pid)])
    return true
  } catch {
    return false
  }
}
