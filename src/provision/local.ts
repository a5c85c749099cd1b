/** Servers as plain processes of this machine: found on the PATH or fetched, pinned to cores, tied to our life. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, chownSync, constants, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Command, Endpoint, Engine, ServerContext, ServerSpec } from '../engines/engine.ts'
import { messageOf, TrialError } from '../errors.ts'
import { serverUser } from './directories.ts'
import { FetchFailure, fetchPackage } from './fetch.ts'
import { bindToCores, isTreeStopped, killQuietly, processTree, signalTree, usageOf } from './processes.ts'
import type { Exit, Instance, Order, Provisioner, Unobtainable } from './provision.ts'

const run = promisify(execFile)
const readyWithinMs = 120_000
const stopWithinMs = 20_000
const lastLines = 4000

export const local: Provisioner = {
  kind: 'local',
  async start(order) {
    const found = await findPrograms(order)
    if ('unobtainable' in found) return found
    const directory = join(order.directory, `${order.candidate}-${Date.now().toString(36)}`)
    mkdirSync(directory, { recursive: true })
    const [port, ...spare] = await freePorts(1 + order.engine.server.sparePorts)
    const context: ServerContext = {
      home: found.home,
      dataDirectory: join(directory, 'data'),
      port: port as number,
      spare,
      limits: order.limits,
      durability: order.durability,
    }
    const { server } = order.engine
    for (const file of server.files(context)) writeFileSync(join(directory, file.name), file.text)
    if (serverUser !== undefined)
      for (const path of [directory, ...server.files(context).map((file) => join(directory, file.name))])
        chownSync(path, serverUser.uid, serverUser.gid)
    const prepare = server.prepare(context)
    if (prepare !== null) await runAsServer(prepare, directory)
    return await launch(order, context, found.origin, directory)
  },
}

interface Found {
  home: string
  origin: string
}

async function findPrograms({ engine, report, signal }: Order): Promise<Found | Unobtainable> {
  const tried: string[] = []
  const { onPath, needs } = engine.server
  if (process.platform !== 'linux')
    return { unobtainable: true, tried: [`this is ${process.platform}`], mend: 'the local provisioner needs Linux: run dbtrial on a Linux machine' }
  if (onPath !== null) {
    const program = which(onPath.program)
    if (program === undefined) tried.push(`no ${onPath.program} on the PATH`)
    else {
      const version = await run(program, onPath.versionArguments).then(
        ({ stdout }) => stdout.split('\n')[0] as string,
        (error: unknown) => messageOf(error),
      )
      if (onPath.supported.test(version)) return { home: dirname(realpathSync(program)), origin: `${program} (${version})` }
      tried.push(`${program} is "${version}", supported is ${onPath.supportedText}`)
    }
  }
  for (const need of needs) {
    if (which(need.program) === undefined) return { unobtainable: true, tried: [...tried, `no ${need.program} on the PATH`], mend: need.hint }
  }
  const { package: wanted } = engine.server
  try {
    const home = await fetchPackage(wanted, report, signal)
    return { home, origin: `${wanted.manager} package ${wanted.name.replace('PLATFORM', `${process.platform}-${process.arch}`)} ${wanted.version}` }
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    return { unobtainable: true, tried: [...tried, error.message], mend: error.mend }
  }
}

export function which(program: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return undefined
}

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
  return which('taskset') === undefined
    ? tied
    : { program: 'taskset', arguments_: ['-c', `0-${cpus().length - 1}`, tied.program, ...tied.arguments_] }
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
      timeout: readyWithinMs,
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

async function launch(order: Order, context: ServerContext, origin: string, directory: string): Promise<Instance> {
  const command = order.engine.server.start(context)
  const { program, arguments_ } = asServer(command)
  const child = spawn(program, arguments_, {
    cwd: directory,
    env: environment(command, directory),
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
  const endpoint: Endpoint = { host: '127.0.0.1', port: context.port }
  try {
    const version = await whenReady(order.engine, endpoint, exited, order.signal)
    return new LocalInstance({ order, context, child, exited, endpoint, version, origin, directory })
  } catch (error) {
    await stop(child, exited, 'SIGKILL')
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

async function whenReady(engine: Engine, endpoint: Endpoint, exited: Promise<Exit>, signal: AbortSignal): Promise<string> {
  const deadline = Date.now() + readyWithinMs
  let gone: Exit | undefined
  void exited.then((exit) => (gone = exit))
  let last: unknown
  while (Date.now() < deadline) {
    signal.throwIfAborted()
    if (gone !== undefined) {
      throw new TrialError(
        'server-ended',
        `${engine.name} ended while it started (${gone.signal ?? `exit code ${gone.code}`}): ${gone.lastWords.split('\n').slice(-3).join(' · ')}`,
        {
          hint: 'the lines are the last ones the server wrote',
        },
      )
    }
    try {
      return await engine.ready(endpoint)
    } catch (error) {
      last = error
      await sleep(100)
    }
  }
  throw new TrialError('server-not-ready', `${engine.name} was not ready within ${readyWithinMs / 1000} s: ${messageOf(last)}`, {
    hint: "look at the machine's load and memory",
  })
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
  enforced: Instance['enforced'] = { cpu: 'configured', memory: 'configured' }
  readonly cores: number[]
  readonly dataDirectory: string
  readonly exited: Promise<Exit>
  readonly administer?: (arguments_: string[]) => Promise<string>
  readonly #child: ChildProcess
  readonly #directory: string
  readonly #server: ServerSpec

  constructor(made: {
    order: Order
    context: ServerContext
    child: ChildProcess
    exited: Promise<Exit>
    endpoint: Endpoint
    version: string
    origin: string
    directory: string
  }) {
    this.endpoint = made.endpoint
    this.version = made.version
    this.origin = made.origin
    this.cores = made.order.cores
    this.dataDirectory = made.context.dataDirectory
    this.exited = made.exited
    this.#child = made.child
    this.#directory = made.directory
    this.#server = made.order.engine.server
    const administer = this.#server.administer
    if (administer !== undefined) this.administer = (arguments_) => runAsServer(administer(made.context, arguments_), made.directory)
  }

  async confine() {
    // Each process of the tree: those forked before keep their own mask, later ones inherit.
    const bound = await Promise.all(processTree(this.#child.pid as number).map((pid) => bindToCores(pid, this.cores)))
    if (bound[0] === true) this.enforced = { ...this.enforced, cpu: 'cpuset' }
  }

  sample() {
    return usageOf(this.#child.pid as number)
  }

  async pause() {
    signalTree(this.#child.pid as number, 'SIGSTOP')
    for (let waited = 0; waited < 200 && !isTreeStopped(this.#child.pid as number); waited++) await sleep(5)
  }

  async resume() {
    signalTree(this.#child.pid as number, 'SIGCONT')
  }

  async kill() {
    await stop(this.#child, this.exited, 'SIGKILL')
  }

  async [Symbol.asyncDispose]() {
    await stop(this.#child, this.exited, this.#server.stopSignal)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
