/** Where caches and data directories live, who owns them, and the sweep of what a killed run left. */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { TrialError } from '../errors.ts'
import { killQuietly, startTicks } from './processes.ts'

const tmpfsMagic = 0x01021994
const ramfsMagic = 0x858458f6

export const isRoot = process.getuid?.() === 0
/** Servers refuse to run as root: as root they run as `nobody`, which every system has. */
export const serverUser = isRoot ? { uid: 65534, gid: 65534 } : undefined

/** The user's cache; root's home is closed to the servers' user, so root uses the system's. */
export function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME ?? (isRoot ? '/var/cache' : join(homedir(), '.cache'))
  const directory = join(base, 'dbtrial')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  return directory
}

/** A directory on a real disk for this run's servers, locked by this process. */
export function makeRunDirectory(): string {
  const parent = dataParent()
  sweep(parent)
  const directory = join(parent, `run-${process.pid}-${Date.now().toString(36)}`)
  mkdirSync(directory, { mode: 0o755 })
  writeFileSync(join(directory, 'owner.json'), JSON.stringify({ pid: process.pid, startTicks: startTicks(process.pid) }))
  return directory
}

function dataParent(): string {
  const tried: string[] = []
  for (const base of ['/var/tmp', homedir(), process.cwd()]) {
    const directory = join(base, `dbtrial-${process.getuid?.() ?? 0}`)
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 })
      chmodSync(directory, 0o755)
      accessSync(directory, constants.W_OK)
      const { type } = statfsSync(directory)
      if (type !== tmpfsMagic && type !== ramfsMagic) return directory
      tried.push(`${directory} is in memory`)
    } catch (error) {
      tried.push(`${directory}: ${(error as Error).message}`)
    }
  }
  throw new TrialError('no-data-directory', `no directory on a real disk can be written: ${tried.join('; ')}`, {
    hint: 'make /var/tmp writable, or run from a directory on a disk',
  })
}

/**
 * Ends the servers and removes the data of runs whose owner is provably gone. Servers die with their owner (parent-death signal), but
 * children of one that was paused just then stay stopped: they are known by their working directory.
 */
function sweep(parent: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const run = runOf(parent, pid)
    if (run !== undefined && isAbandoned(parent, run)) killQuietly(Number(pid))
  }
  for (const name of readdirSync(parent)) {
    if (name.startsWith('run-') && isAbandoned(parent, name)) rmSync(join(parent, name), { recursive: true, force: true })
  }
}

/** The run in whose directory a process works. */
function runOf(parent: string, pid: string): string | undefined {
  try {
    const directory = readlinkSync(`/proc/${pid}/cwd`)
    return directory.startsWith(`${parent}/run-`)
      ? directory
          .slice(parent.length + 1)
          .split('/')[0]
          ?.replace(/ \(deleted\)$/, '')
      : undefined
  } catch {
    return undefined // It ended, or belongs to somebody else.
  }
}

function isAbandoned(parent: string, run: string): boolean {
  if (!existsSync(join(parent, run))) return true
  try {
    const owner = JSON.parse(readFileSync(join(parent, run, 'owner.json'), 'utf8')) as { pid: number; startTicks: number }
    return startTicks(owner.pid) !== owner.startTicks
  } catch {
    return false // Without an owner file it may be a directory that is just being made.
  }
}
