/** Whose something is: the process that made it, told apart from every other one, also after a reboot, in another container or on another machine. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { startTicks } from '../host/processes.ts'
import { holdLock, lockState } from './lock.ts'
import { existingLockDirectories, lockDirectory } from './places.ts'

/** The number that the kernel gives to its first PID namespace; all others follow. */
const firstPidNamespace = 4026531836

const short = (text: string) => createHash('sha256').update(text.trim()).digest('hex').slice(0, 8)
/** None of them changes while this process lives. */
const machine = short(firstOf(['/etc/machine-id', '/var/lib/dbus/machine-id']) ?? hostname())
const boot = short(firstOf(['/proc/sys/kernel/random/boot_id']) ?? 'unknown')
const pidNamespace = namespaceNumber() - firstPidNamespace

export interface Owner {
  /** Of the machine: a shared server may hold what others made. Containers of one image share it. */
  machine: string
  boot: string
  /** Counted from the kernel's first: 0 outside of containers. */
  pidNamespace: number
  pid: number
  startTicks: number
}

let locked = false

/** From its first use on this process holds the lock of this owner. */
export function thisProcess(): Owner {
  const owner = { machine, boot, pidNamespace, pid: process.pid, startTicks: startTicks(process.pid) ?? 0 }
  if (!locked) {
    locked = true
    holdLockOf(owner)
  }
  return owner
}

/**
 * Only when it is proved. A lock proves it either way, across containers and reboots; without one a process is judged by those who see it: in
 * its own PID namespace. Whatever else there is may well live.
 */
export function isGone(owner: Owner): boolean {
  for (const directory of existingLockDirectories()) {
    const state = lockState(join(directory, ownerText(owner)))
    if (state !== 'missing') return state === 'free'
  }
  return isGoneUnlocked(owner)
}

/** Where no lock tells. */
export function isGoneUnlocked(owner: Owner): boolean {
  if (owner.machine !== machine) return false
  // A container's machine is that of its image, which runs on other machines, too.
  if (owner.boot !== boot) return owner.pidNamespace === 0
  return owner.pidNamespace === pidNamespace && !isRunning(owner)
}

/** As labels, file names and namespaces carry it. */
export function ownerText(owner: Owner): string {
  const numbers = [owner.pidNamespace, owner.pid, owner.startTicks].map((each) => each.toString(36))
  return [owner.machine, owner.boot, ...numbers].join('_')
}

export function ownerOf(text: string): Owner | undefined {
  const parts = /^([0-9a-f]{8})_([0-9a-f]{8})_([0-9a-z]+)_([0-9a-z]+)_([0-9a-z]+)$/.exec(text)
  if (parts === null) return undefined
  const [, on = '', since = '', ...numbers] = parts
  const [space = 0, pid = 0, ticks = 0] = numbers.map((each) => Number.parseInt(each, 36))
  return { machine: on, boot: since, pidNamespace: space, pid, startTicks: ticks }
}

function holdLockOf(owner: Owner): void {
  try {
    const path = join(lockDirectory(), ownerText(owner))
    const held = holdLock(path)
    // Others judge by a lock that they find: one that is not held must not be found.
    if (!held && lockState(path) !== 'held') rmSync(path, { force: true })
    process.on('exit', () => rmSync(path, { force: true }))
  } catch {
    // Nowhere to keep it: those who see this process judge it by that.
  }
}

function isRunning({ pid, startTicks: since }: Owner): boolean {
  const ticks = startTicks(pid)
  if (ticks !== undefined) return ticks === since
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH' // It is there, and hidden from us.
  }
}

function namespaceNumber(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0])
  } catch {
    return firstPidNamespace // This system has one.
  }
}

function firstOf(paths: string[]): string | undefined {
  for (const path of paths.filter((each) => existsSync(each))) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text.trim() !== '') return text
    } catch {
      // It is closed to us.
    }
  }
  return undefined
}
