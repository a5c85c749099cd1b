/** Ends the processes and removes the directories of runs whose owner is provably gone. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { killQuietly, processIds, workingDirectory } from '../host/processes.ts'
import { lockState } from './lock.ts'
import { isGone, isGoneUnlocked, type Owner, ownerOf } from './owner.ts'
import { existingDataParents, existingLockDirectories } from './places.ts'

const keptForMs = 30 * 24 * 3600_000

/**
 * Servers die with their owner (parent-death signal), but children of one that was paused just then stay stopped: they are known by their
 * working directory.
 */
export function sweepProcesses(base?: string): void {
  for (const parent of existingDataParents(base)) {
    for (const pid of process.platform === 'linux' ? processIds() : []) {
      const run = runOf(parent, pid)
      if (run !== undefined && isAbandoned(parent, run)) killQuietly(pid)
    }
    for (const name of readdirSync(parent).filter((each) => each.startsWith('run-')))
      if (isAbandoned(parent, name)) rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 5 })
  }
  for (const directory of existingLockDirectories()) for (const name of readdirSync(directory)) removeLock(directory, name)
}

/** Last, and only where it is no longer needed to prove that its owner is gone: something of it may lie where we do not look now. */
function removeLock(directory: string, name: string): void {
  const path = join(directory, name)
  if (lockState(path) !== 'free') return
  const owner = ownerOf(name)
  if (owner === undefined || isGoneUnlocked(owner) || Date.now() - statSync(path).mtimeMs > keptForMs) rmSync(path, { force: true })
}

/** The run in whose directory a process works. A process of a container may work in another directory of the same name. */
function runOf(parent: string, pid: number): string | undefined {
  const directory = workingDirectory(pid)
  if (directory?.startsWith(`${parent}/run-`) !== true) return undefined
  const [run = ''] = directory.slice(parent.length + 1).split('/')
  try {
    if (statSync(`/proc/${pid}/cwd`).dev !== statSync(parent).dev) return undefined
    const there = directory.endsWith(' (deleted)') || statSync(`/proc/${pid}/cwd`).ino === statSync(directory).ino
    return there ? run.replace(/ \(deleted\)$/, '') : undefined
  } catch {
    return undefined // It has just ended.
  }
}

function isAbandoned(parent: string, run: string): boolean {
  if (!existsSync(join(parent, run))) return true
  try {
    return isGone(JSON.parse(readFileSync(join(parent, run, 'owner.json'), 'utf8')) as Owner)
  } catch {
    return false // Without an owner file it may be a directory that is just being made.
  }
}
