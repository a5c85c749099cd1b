/** Whose something is: the process that made it, told apart from every other one, also after a reboot or on another machine. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { startTicks } from './processes.ts'

const short = (text: string) => createHash('sha256').update(text.trim()).digest('hex').slice(0, 8)
/** Neither changes while this process lives. */
const machine = short(firstOf(['/etc/machine-id', '/var/lib/dbus/machine-id']) ?? hostname())
const boot = short(firstOf(['/proc/sys/kernel/random/boot_id']) ?? 'unknown')

export interface Owner {
  /** Of the machine: a shared server may hold what others made. */
  machine: string
  boot: string
  pid: number
  startTicks: number
}

export function thisProcess(): Owner {
  return { machine, boot, pid: process.pid, startTicks: startTicks(process.pid) ?? 0 }
}

/** Only when it is certain: another machine's process may well live. */
export function isGone(owner: Owner): boolean {
  if (owner.machine !== machine) return false
  return owner.boot !== boot || startTicks(owner.pid) !== owner.startTicks
}

/** As labels, file names and namespaces carry it. */
export function ownerText(owner: Owner): string {
  return [owner.machine, owner.boot, owner.pid.toString(36), owner.startTicks.toString(36)].join('_')
}

export function ownerOf(text: string): Owner | undefined {
  const [, on = '', since = '', pid = '', ticks = ''] = /^([0-9a-f]{8})_([0-9a-f]{8})_([0-9a-z]+)_([0-9a-z]+)$/.exec(text) ?? []
  return on === '' ? undefined : { machine: on, boot: since, pid: Number.parseInt(pid, 36), startTicks: Number.parseInt(ticks, 36) }
}

function firstOf(paths: string[]): string | undefined {
  for (const path of paths) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text.trim() !== '') return text
    } catch {
      // Not on this system.
    }
  }
  return undefined
}
