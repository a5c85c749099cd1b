/** Where caches and data directories live, and who owns them. */
import { accessSync, chmodSync, constants, mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { TrialError } from '../errors.ts'
import { thisProcess } from './owner.ts'

const tmpfsMagic = 0x01021994
const ramfsMagic = 0x858458f6

export const isRoot = process.getuid?.() === 0
/** Servers refuse to run as root: as root they run as `nobody`, which every system has. */
export const serverUser = isRoot ? { uid: 65534, gid: 65534 } : undefined

/** A user without an entry and without HOME has none; the system's temporary place stands in. */
export function homeDirectory(): string {
  try {
    return homedir()
  } catch {
    return tmpdir()
  }
}

/** The user's cache; root's home is closed to the servers' user, so root uses the system's. */
export function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME || (isRoot ? '/var/cache' : join(homeDirectory(), '.cache'))
  const directory = join(base, 'dbtrial')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  return directory
}

/** A directory on a real disk for this run's servers, locked by this process. */
export function makeRunDirectory(base?: string): string {
  const directory = join(dataParent(base), `run-${process.pid}-${Date.now().toString(36)}`)
  mkdirSync(directory, { mode: 0o755 })
  writeFileSync(join(directory, 'owner.json'), JSON.stringify(thisProcess()))
  return directory
}

/** `base`: the place that the user chose. */
export function dataParent(base?: string): string {
  const tried: string[] = []
  for (const place of base === undefined ? ['/var/tmp', homeDirectory(), process.cwd()] : [base]) {
    const directory = join(place, `dbtrial-${process.getuid?.() ?? 0}`)
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
    hint: 'give a directory on a disk with --data',
  })
}
