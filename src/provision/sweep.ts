/** Ends the processes and removes the directories of runs whose owner is provably gone. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { dataParent } from './directories.ts'
import { isGone, type Owner } from './owner.ts'
import { killQuietly, processIds, workingDirectory } from './processes.ts'

/**
 * Servers die with their owner (parent-death signal), but children of one that was paused just then stay stopped: they are known by their
 * working directory.
 */
export function sweepProcesses(base?: string): void {
  const parent = dataParent(base)
  for (const pid of process.platform === 'linux' ? processIds() : []) {
    const run = runOf(parent, pid)
    if (run !== undefined && isAbandoned(parent, run)) killQuietly(pid)
  }
  for (const name of readdirSync(parent)) {
    if (name.startsWith('run-') && isAbandoned(parent, name)) rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 5 })
  }
}

/** The run in whose directory a process works. */
function runOf(parent: string, pid: number): string | undefined {
  const directory = workingDirectory(pid)
  return directory?.startsWith(`${parent}/run-`)
    ? directory
        .slice(parent.length + 1)
        .split('/')[0]
        ?.replace(/ \(deleted\)$/, '')
    : undefined
}

function isAbandoned(parent: string, run: string): boolean {
  if (!existsSync(join(parent, run))) return true
  try {
    return isGone(JSON.parse(readFileSync(join(parent, run, 'owner.json'), 'utf8')) as Owner)
  } catch {
    return false // Without an owner file it may be a directory that is just being made.
  }
}
