/** Locks on files that die with their holder, however it ends, and that are seen from every PID namespace of the machine. */
import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, openSync } from 'node:fs'

/** `unknown`: this system has no `flock`, or the file cannot be locked. */
export type LockState = 'held' | 'free' | 'missing' | 'unknown'

/** Makes the file and locks it until this process ends; false where that cannot be done. */
export function holdLock(path: string): boolean {
  for (let attempt = 0; attempt < 3; attempt++) {
    const file = openSync(path, 'a+', 0o600)
    // A lock belongs to the open file, not to the process that asked for it: it stays with us when `flock` ends. No child inherits the file.
    // Whoever swept may have removed the file between its making and its locking.
    if (flock('-x', file) === 'free' && fstatSync(file).nlink > 0) return true
    closeSync(file)
  }
  return false
}

export function lockState(path: string): LockState {
  let file: number
  try {
    file = openSync(path, 'r+')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unknown'
  }
  try {
    return flock('-s', file)
  } finally {
    closeSync(file)
  }
}

/** Node itself cannot lock files. `free` means that we have the lock now, until the file is closed. */
function flock(kind: '-s' | '-x', file: number): 'held' | 'free' | 'unknown' {
  const { status } = spawnSync('flock', [kind, '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] })
  return status === 0 ? 'free' : status === 1 ? 'held' : 'unknown'
}
