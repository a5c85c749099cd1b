/** What the end-to-end tests share: the real command in a process of its own, its result, and what it must not leave behind. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../../src/engines/engine.ts'
import { processIds, processTree, workingDirectory } from '../../src/host/processes.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { type Instance, isUnobtainable, type Order } from '../../src/provision/provision.ts'
import { containerRuntime, ownerLabel } from '../../src/provision/runtime.ts'
import type { Result } from '../../src/result/result.ts'
import { shortLived } from '../differential/short-lived.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const launcher = join(root, 'bin/dbtrial.mjs')
export const small = join(root, 'test/e2e/small.yaml')
export const parent = `/var/tmp/dbtrial-${process.getuid?.()}`

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'dbtrial-e2e-'))
}

export function dbtrial(...arguments_: string[]): Promise<Ended> {
  return dbtrialWith({}, ...arguments_)
}

export function dbtrialWith(environment: Record<string, string>, ...arguments_: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, CI: 'true', ...environment }
    execFile(process.execPath, [launcher, ...arguments_], { maxBuffer: 1 << 27, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr })
    })
  })
}

/** Runs it and calls `act` once, when what it says on stderr matches. */
export async function dbtrialUntil(pattern: RegExp, act: (pid: number) => void, ...arguments_: string[]): Promise<Ended & { acted: boolean }> {
  const child = spawn(process.execPath, [launcher, ...arguments_], { env: { ...process.env, CI: 'true' }, detached: true })
  const ended = { code: null as number | null, stdout: '', stderr: '', acted: false }
  child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => {
    ended.stderr += data.toString()
    if (ended.acted || !pattern.test(ended.stderr)) return
    ended.acted = true
    act(child.pid as number)
  })
  ended.code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return ended
}

/** A server of a test as a process of this machine; throws where there is none to be had. */
export async function startLocally(engine: Engine, directory: string): Promise<Instance> {
  const started = await local.start(orderOf(shortLived(engine), directory))
  if (isUnobtainable(started)) throw new Error(started.tried.join())
  return started
}

export function orderOf(engine: Engine, directory: string, report: (text: string) => void = () => {}): Order {
  return {
    engine,
    candidate: engine.name,
    owner: thisProcess(),
    limits: { cpus: 1, memoryBytes: 2 ** 30 },
    durability: 'fsync',
    cores: [0],
    directory,
    signal: new AbortController().signal,
    report,
  }
}

/** The result of the only run of a scenario below a directory. */
export function resultIn(out: string, scenario: string): { directory: string; result: Result } {
  const names = readdirSync(join(out, scenario))
  if (names.length !== 1) throw new Error(`expected one run in ${out}, found ${names.length}`)
  const directory = join(out, scenario, names[0] as string)
  return { directory, result: JSON.parse(readFileSync(join(directory, 'result.json'), 'utf8')) as Result }
}

/** Words parted by blanks; empty for a process that ended, which may happen while it is read. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Processes of a tree whose command line matches. */
export function matching(pid: number, pattern: RegExp): number[] {
  return processTree(pid).filter((each) => pattern.test(commandLine(each)))
}

/** Everything of dbtrial that is still there: server processes, data, guards, containers, volumes. */
export async function leftovers(): Promise<string[]> {
  const found: string[] = []
  for (const pid of processIds()) {
    if (workingDirectory(pid)?.startsWith(`${parent}/run-`)) found.push(`process ${pid}`)
  }
  if (existsSync(parent)) found.push(...readdirSync(parent).filter((name) => !name.startsWith(`run-${process.pid}-`)))
  const runtime = await containerRuntime().catch(() => null)
  if (runtime !== null) {
    const filters = { label: [ownerLabel] }
    found.push(...(await runtime.docker.listContainers({ all: true, filters })).map((each) => `container ${each.Names[0]}`))
    found.push(...((await runtime.docker.listVolumes({ filters })).Volumes ?? []).map((each) => `volume ${each.Name}`))
    found.push(...(await runtime.docker.listNetworks({ filters })).map((each) => `network ${each.Name}`))
  }
  return found
}

/** Guards need a moment after their owner is gone. */
export async function leftoversWithin(ms: number): Promise<string[]> {
  for (const end = Date.now() + ms; ; ) {
    const found = await leftovers()
    if (found.length === 0 || Date.now() > end) return found
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** A file system of its own with so much room. */
export class SmallDisk implements Disposable {
  readonly path: string
  readonly #image: string

  constructor(megabytes: number) {
    const base = mkdtempSync('/var/tmp/dbtrial-disk-')
    chmodSync(base, 0o755) // Servers run as another user.
    this.#image = join(base, 'image')
    this.path = join(base, 'disk')
    mkdirSync(this.path)
    asRoot('truncate', '-s', `${megabytes}M`, this.#image)
    asRoot('mkfs.ext4', '-q', '-m', '0', this.#image)
    asRoot('mount', '-o', 'loop', this.#image, this.path)
    asRoot('chmod', '777', this.path)
  }

  /** Leaves no room. */
  fill(): void {
    try {
      writeFileSync(join(this.path, 'filler'), Buffer.alloc(1 << 26))
    } catch {
      // That is the point.
    }
  }

  [Symbol.dispose]() {
    asRoot('umount', this.path)
    rmSync(join(this.path, '..'), { recursive: true, force: true })
  }
}

function asRoot(program: string, ...arguments_: string[]): void {
  const command = process.getuid?.() === 0 ? [program, ...arguments_] : ['sudo', '-n', program, ...arguments_]
  execFileSync(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
}
