/** A server's container while it runs: sampled, bound to cores, paused, killed and started again, with snapshots of its volume. */
import { connect } from 'node:net'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command, Endpoint, ServerContext } from '../engines/engine.ts'
import { messageOf, TrialError } from '../errors.ts'
import { isInContainer, watchContainer } from '../host/cgroup.ts'
import { processTree } from '../host/processes.ts'
import type { FoundImage } from './images.ts'
import type { Exit, Instance, Order } from './provision.ts'
import { whenReady } from './readiness.ts'
import { ignoreGone, type Runtime } from './runtime.ts'

/** `nobody`, which every image has: no server runs as root. */
export const user = '65534:65534'
export const home = '/dbtrial'
export const volume = `${home}/store`
const lastLines = 20
const reachWithinMs = 1000
const maxPauses = 10
const freezeAgainMs = 100
/** Some servers have hundreds of threads, others a process for each connection. */
const maxProcesses = 4096
/** Nobody in it becomes more than he is, and the start keeps what it needs to give files away and to become `nobody`. */
export const confined = (...capabilities: string[]) => ({
  CapDrop: ['ALL'],
  CapAdd: capabilities,
  SecurityOpt: ['no-new-privileges'],
  PidsLimit: maxProcesses,
})

type Raw = ReturnType<Runtime['docker']['getContainer']>

/** The part of the engine's statistics that is read; those of cgroup v1 and v2 differ. */
interface Statistics {
  cpu_stats: { cpu_usage: { total_usage: number } }
  memory_stats: { usage?: number; stats?: Record<string, number> }
  blkio_stats?: { io_service_bytes_recursive?: { op: string; value: number }[] | null }
}

export class ContainerInstance implements Instance {
  readonly kind = 'container'
  endpoint: Endpoint
  readonly version: string
  readonly origin: string
  readonly image: NonNullable<Instance['image']>
  readonly cores: number[]
  exited: Promise<Exit>
  readonly administer?: (arguments_: string[]) => Promise<string>
  enforced: Instance['enforced']
  readonly #order: Order
  readonly #raw: Raw
  readonly #runtime: Runtime
  readonly #remove: () => Promise<void>
  readonly #serverName: string
  readonly #labels: Record<string, string>

  constructor(made: {
    order: Order
    context: ServerContext
    raw: Raw
    runtime: Runtime
    image: FoundImage
    endpoint: Endpoint
    version: string
    exited: Promise<Exit>
    remove: () => Promise<void>
    serverName: string
    labels: Record<string, string>
  }) {
    this.#serverName = made.serverName
    this.#labels = made.labels
    const { image, order, runtime } = made
    this.endpoint = made.endpoint
    this.version = made.version
    this.image = { name: image.name, id: image.id, digest: image.digest }
    const direct = made.endpoint.host === '127.0.0.1' ? 'through the published port' : 'straight to its address'
    this.origin = `${image.name}, ${direct}${image.reason === null ? '' : `; ${image.reason}`}`
    this.cores = order.cores
    this.exited = made.exited
    this.enforced = { cpu: 'configured', memory: runtime.enforces.memory && runtime.enforces.swap ? 'cgroup' : 'configured' }
    this.#order = order
    this.#raw = made.raw
    this.#runtime = runtime
    this.#remove = made.remove
    const { administer } = order.engine.server
    if (administer !== undefined) this.administer = (arguments_) => this.#execute(administer(made.context, arguments_))
  }

  async confine() {
    await this.#raw.update({ CpusetCpus: this.cores.join(',') })
    const { HostConfig } = await this.#raw.inspect()
    if (this.#runtime.enforces.cpuset && HostConfig.CpusetCpus === this.cores.join(',')) this.enforced = { ...this.enforced, cpu: 'cpuset' }
  }

  async release() {
    await this.#raw.update({ CpusetCpus: `0-${cpus().length - 1}` })
  }

  async sample() {
    const now = this.watch()()
    if (now !== null) return now
    // The engine answers with what it collects once a second, up to a second later: only where its groups are out of sight.
    const stats = (await this.#raw.stats({ stream: false, 'one-shot': true } as never)) as unknown as Statistics
    const { usage = 0, stats: memory = {} } = stats.memory_stats
    return {
      cpuSeconds: stats.cpu_stats.cpu_usage.total_usage / 1e9,
      // The page cache that the kernel may take back does not count.
      residentBytes: usage - (memory.total_inactive_file ?? memory.inactive_file ?? 0),
    }
  }

  watch() {
    return watchContainer(this.#raw.id) ?? (() => null)
  }

  async processes() {
    const { State } = await this.#raw.inspect()
    // The engine may count the processes of another machine: ours knows which group each of its own is in.
    return isInContainer(State.Pid, this.#raw.id) ? processTree(State.Pid) : []
  }

  /** The engine gives a freeze up that does not catch all threads in time, and thaws those that it caught: a server at work is asked again. */
  async pause() {
    for (let tried = 1; !(await this.#isPaused()); tried++) {
      try {
        await this.#raw.pause()
      } catch (error) {
        if (tried === maxPauses || !/unable to freeze/.test(messageOf(error))) throw error
        await sleep(freezeAgainMs)
      }
    }
  }

  async resume() {
    if (await this.#isPaused()) await this.#raw.unpause()
  }

  async kill() {
    await this.resume()
    await this.#raw.kill().catch(ignoreGone)
    await this.exited
  }

  async snapshot() {
    // Half a copy is none, and would take the server's room.
    await this.#inVolume(
      `rm -rf ${volume}/snapshot && cp -a --reflink=auto ${volume}/data ${volume}/snapshot || { rm -rf ${volume}/snapshot; exit 1; }`,
    )
  }

  async restore() {
    await this.kill()
    await this.#inVolume(`rm -rf ${volume}/data && cp -a --reflink=auto ${volume}/snapshot ${volume}/data`)
    await this.restart()
  }

  /** Runs beside the server, which is paused or has ended: inside it nothing runs then. */
  async #inVolume(script: string): Promise<void> {
    const { docker } = this.#runtime
    const beside = await docker.createContainer({
      Image: this.image.id,
      Entrypoint: ['sh', '-c', script],
      Cmd: [],
      User: '0',
      Labels: this.#labels,
      HostConfig: {
        ...confined('CHOWN', 'DAC_OVERRIDE', 'FOWNER'),
        NetworkMode: 'none',
        Mounts: [{ Type: 'volume', Source: this.#serverName, Target: volume }],
      },
    })
    try {
      await beside.start()
      const { StatusCode } = (await beside.wait()) as { StatusCode: number }
      if (StatusCode !== 0)
        throw new TrialError('snapshot-failed', `copying the data in the volume ended with ${StatusCode}`, {
          hint: 'is there room for a second copy of the data?',
        })
    } finally {
      await beside.remove({ force: true })
    }
  }

  /** Its address may be another one afterwards. */
  async restart() {
    await this.#raw.start()
    this.exited = whenExited(this.#raw)
    this.endpoint = { ...this.endpoint, ...(await addressOf(this.#raw, this.#order.engine.server.ports[0] as number)) }
    await whenReady(this.#order.engine, this.endpoint, this.exited, this.#order.signal)
  }

  async [Symbol.asyncDispose]() {
    await this.#remove()
  }

  async #isPaused(): Promise<boolean> {
    return (await this.#raw.inspect()).State.Paused
  }

  async #execute(command: Command): Promise<string> {
    const { output, exitCode } = await this.#runtime.client.container.exec(this.#raw, [command.program, ...command.arguments], { user, log: false })
    if (exitCode !== 0) {
      throw new TrialError('server-command-failed', `${command.program} failed in the container: ${output.trim().split('\n')[0] ?? ''}`)
    }
    return output
  }
}

/** Straight to the container where its address is reached (no proxy in between), else through the published port of the loopback address. */
export async function addressOf(raw: Raw, port: number): Promise<Pick<Endpoint, 'host' | 'port'>> {
  const { NetworkSettings: network } = await raw.inspect()
  const address = Object.values(network.Networks ?? {})[0]?.IPAddress
  if (address && (await isReached(address, port))) return { host: address, port }
  const published = network.Ports?.[`${port}/tcp`]?.[0]?.HostPort
  if (published === undefined)
    throw new TrialError('container-unreachable', "the container's port is reached neither directly nor on the loopback address")
  return { host: '127.0.0.1', port: Number(published) }
}

/** A refusal is an answer too: the server is just not up yet. */
function isReached(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const done = (reached: boolean) => {
      socket.destroy()
      resolve(reached)
    }
    socket.setTimeout(reachWithinMs, () => done(false))
    socket.on('connect', () => done(true))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'))
  })
}

export async function whenExited(raw: Raw): Promise<Exit> {
  try {
    const { StatusCode: code } = (await raw.wait()) as { StatusCode: number }
    const [{ State: state }, log] = await Promise.all([raw.inspect(), raw.logs({ stdout: true, stderr: true, tail: lastLines })])
    const words = state.OOMKilled ? 'killed by the kernel: it used more memory than its limit' : plain(log)
    return { code, signal: null, lastWords: words }
  } catch (error) {
    return { code: null, signal: null, lastWords: `its container is gone: ${messageOf(error)}` }
  }
}

/** Without the eight bytes before each frame of a multiplexed stream. */
function plain(log: Buffer): string {
  const parts: string[] = []
  for (let at = 0; at + 8 <= log.length; ) {
    const length = log.readUInt32BE(at + 4)
    parts.push(log.toString('utf8', at + 8, at + 8 + length))
    at += 8 + length
  }
  return parts.join('').trim()
}
