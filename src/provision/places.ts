/** Where caches and data directories live: directories of our own, which nobody else made or may change. */
import { accessSync, chmodSync, constants, existsSync, lstatSync, mkdirSync, statfsSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf, TrialError } from '../errors.ts'

const tmpfsMagic = 0x01021994
const ramfsMagic = 0x858458f6

export const isRoot = process.getuid?.() === 0
/** Servers refuse to run as root: as root they run as `nobody`, which every system has. */
export const serverUser = isRoot ? { uid: 65534, gid: 65534 } : undefined
/** Of directories above a server's own: its user passes through, and nobody looks in. */
export const passageMode = serverUser === undefined ? 0o700 : 0o711

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
  makeDirectory(directory, 0o755)
  return directory
}

/** With its parents, level by level: Node's own way never ends where the system says of a directory that is there that it is not. */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && existsSync(path)) return
    if (code !== 'ENOENT' || existsSync(dirname(path)) || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    mkdirSync(path, { mode })
  }
}

/** The directory that holds the data of this user's runs. `base`: the place that the user chose. */
export function dataParent(base?: string): string {
  const tried: string[] = []
  for (const directory of dataParents(base)) {
    try {
      makeOwnDirectory(directory, passageMode)
      accessSync(directory, constants.W_OK)
      const { type } = statfsSync(directory)
      if (type !== tmpfsMagic && type !== ramfsMagic) return directory
      tried.push(`${directory} is in memory`)
    } catch (error) {
      tried.push(`${directory}: ${messageOf(error)}`)
    }
  }
  throw new TrialError('no-data-directory', `no directory on a real disk can be written: ${tried.join('; ')}`, {
    hint: 'give a directory on a disk with --data',
  })
}

/** The same, where they are there and ours: nothing is made. */
export function existingDataParents(base?: string): string[] {
  return dataParents(base).filter(isOurs)
}

/** Where the locks of this user's processes lie: beside the data of the usual place. */
export function lockDirectory(): string {
  const directory = locksBeside(dataParent())
  makeOwnDirectory(directory, 0o700)
  return directory
}

export function existingLockDirectories(): string[] {
  return dataParents().map(locksBeside).filter(isOurs)
}

const locksBeside = (parent: string) => `${parent}.locks`
const isOurs = (directory: string) => existsSync(directory) && whyNotOurs(directory) === null

/** @throws TrialError where somebody else was faster. */
function makeOwnDirectory(directory: string, mode: number): void {
  makeDirectory(directory, mode)
  const stranger = whyNotOurs(directory)
  if (stranger !== null) throw new TrialError('not-ours', stranger)
  chmodSync(directory, mode)
}

function dataParents(base?: string): string[] {
  const places = base === undefined ? ['/var/tmp', homeDirectory(), process.cwd()] : [base]
  return places.map((place) => join(place, `dbtrial-${process.getuid?.() ?? 0}`))
}

/** Who is first to make a directory of a name that everybody knows may keep the right to change it, or make it a way to another one. */
function whyNotOurs(directory: string): string | null {
  const facts = lstatSync(directory)
  if (facts.isSymbolicLink()) return 'it is a symbolic link'
  if (!facts.isDirectory()) return 'it is no directory'
  if (process.getuid !== undefined && facts.uid !== process.getuid()) return `it belongs to user ${facts.uid}`
  return (facts.mode & 0o022) === 0 ? null : 'others may write to it'
}
