/** Servers in containers: the same commands as `local`, inside a pinned image, under cpuset and memory limits that the kernel enforces. */
import { posix } from 'node:path'
import type { Command, ServerContext, ServerImage, ServerSpec } from '../engines/engine.ts'
import { messageOf, TrialError } from '../errors.ts'
import { newAccount } from './account.ts'
import { addressOf, ContainerInstance, confined, home, user, volume, whenExited } from './container-instance.ts'
import { type FoundImage, findImage, presentImage } from './images.ts'
import { ownerText } from './owner.ts'
import type { Instance, Order, Provisioner } from './provision.ts'
import { whenReady } from './readiness.ts'
import { containerRuntime, ignoreGone, ownerLabel, type Runtime, sweepContainers } from './runtime.ts'
import { makeSecurity, securedBy } from './security.ts'

const serverLabel = 'dbtrial.server'
const engineFix = 'start Docker or Podman (as root on Debian: docker/engine.sh), and let this user reach its socket'

export const container: Provisioner = {
  kind: 'container',
  sweep: sweepContainers,
  async probe({ name, pooler, server: { image } }) {
    const runtime = await containerRuntime().catch((error: unknown) => messageOf(error))
    if (typeof runtime === 'string') return { usable: 'no', what: runtime, fix: engineFix }
    const there = await presentImage(runtime, image)
    if (there !== null) return { usable: 'yes', what: `${there}, in ${runtime.name}`, fix: null }
    const ways = waysTo(image, pooler ?? name)
    return image.image === null
      ? { usable: 'no', what: 'no published image holds all of it', fix: ways }
      : { usable: 'later', what: `${image.image}, to be pulled`, fix: ways }
  },
  async start(order) {
    let runtime: Runtime
    try {
      runtime = await containerRuntime()
    } catch (error) {
      return {
        unobtainable: true,
        tried: [messageOf(error)],
        mend: engineFix,
      }
    }
    let image: FoundImage
    const { server } = order.engine
    try {
      image = await findImage(
        runtime,
        server.image,
        posix.join('/opt/server', (server.package?.home ?? '').replace(/^package\/?/, '')),
        order.report,
        order.signal,
      )
    } catch (error) {
      if (order.signal.aborted) throw error
      return {
        unobtainable: true,
        tried: [messageOf(error)],
        mend: waysTo(server.image, order.engine.pooler ?? order.engine.name),
      }
    }
    // The image that is built here where no registry is reached holds the package that `local` runs.
    if (order.secured === true && server.package?.withoutTls === true && image.reason !== null && server.image.offline?.home === undefined)
      return {
        unobtainable: true,
        tried: [image.reason, `security is on, and the server in ${image.name} was built without TLS`],
        mend: 'reach an image registry',
      }
    return await launch(order, runtime, image)
  },
}

/** How an image that is missing comes to be there. */
function waysTo({ image, offline }: ServerImage, built: string): string {
  const ways = [
    image === null ? [] : 'reach an image registry',
    offline === null ? [] : `build the image on this machine: docker/offline/build.sh ${built}`,
  ].flat()
  return ways.join(', or ')
}

async function launch(order: Order, runtime: Runtime, image: FoundImage): Promise<Instance> {
  const context = await contextOf(order, image)
  /** Of its volume and its network, too. */
  const serverName = `dbtrial-${order.engine.name}-${ownerText(order.owner)}-${Date.now().toString(36)}`
  const labels = { [ownerLabel]: ownerText(order.owner), [serverLabel]: serverName, 'dbtrial.candidate': order.candidate.slice(0, 60) }
  const remove = () => removeServer(runtime, serverName)
  const prepared = await preparedContainer(order, context, image, serverName, labels)
  await runtime.docker.createNetwork({ Name: serverName, Labels: labels })
  const started = await prepared.start().catch(async (error: unknown) => {
    await remove() // One that was made and could not be started.
    throw new TrialError('container-failed', `${order.engine.name}'s container did not start: ${messageOf(error)}`, { hint: 'run dbtrial doctor' })
  })
  const raw = runtime.docker.getContainer(started.getId())
  const exited = whenExited(raw)
  try {
    const { user: name, password, port } = context
    const endpoint = { ...(await addressOf(raw, port)), user: name, password, ...securedBy(context), namespace: order.engine.namespace }
    const version = await whenReady(order.engine, endpoint, exited, order.signal, order.readyWithinMs)
    return new ContainerInstance({ order, context, raw, runtime, image, endpoint, version, exited, remove, serverName, labels })
  } catch (error) {
    await remove()
    throw error
  }
}

async function contextOf(order: Order, image: FoundImage): Promise<ServerContext> {
  const [port, ...spare] = order.engine.server.ports
  return {
    home: image.home,
    address: '0.0.0.0',
    directory: home,
    dataDirectory: `${volume}/data`,
    port: port as number,
    spare,
    ...newAccount(order.engine),
    limits: order.limits,
    durability: order.durability,
    ...(order.secured === true ? { security: await makeSecurity(order.directory) } : {}),
  }
}

type Labels = Record<string, string>

async function preparedContainer(order: Order, context: ServerContext, image: FoundImage, serverName: string, labels: Labels) {
  const { GenericContainer } = await import('testcontainers')
  const { server } = order.engine
  /** testcontainers knows no cpuset, no swap limit, no labelled volumes and no binding to the loopback address: these are set on what it sends. */
  class ServerContainer extends GenericContainer {
    constructor() {
      super(image.digest === null ? image.name : `${image.name.replace(/:[^:/]+$/, '')}@${image.digest}`)
      this.createOpts = { ...this.createOpts, ...createOptions(context.port, server.stopSignal) }
      this.hostConfig = { ...this.hostConfig, ...hostConfigOf(order, context.port, serverName, labels) }
    }
  }
  const [program, ...arguments_] = startScript(server, context)
  return new ServerContainer()
    .withNetworkMode(serverName) // No other container reaches it.
    .withEntrypoint([program as string])
    .withCommand(arguments_)
    .withLabels(labels)
    .withAutoCleanup(false) // Our own reaper needs no image.
    .withCopyContentToContainer(server.files(context).map(({ name, text }) => ({ content: text, target: `${home}/${name}`, mode: 0o600 })))
    .withWaitStrategy({
      waitUntilReady: async () => {},
      withStartupTimeout() {
        return this
      },
      isStartupTimeoutSet: () => true,
      getStartupTimeout: () => 0,
    })
}

const hostConfigOf = ({ limits: { memoryBytes } }: Order, port: number, serverName: string, labels: Labels) => ({
  ...confined('CHOWN', 'DAC_OVERRIDE', 'SETUID', 'SETGID'),
  Memory: memoryBytes,
  ShmSize: Math.floor(memoryBytes / 4), // Parallel queries share memory through it; it counts as memory.
  MemorySwap: memoryBytes, // Memory and swap together: none is left for swap.
  PortBindings: { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
  Mounts: [{ Type: 'volume' as const, Source: serverName, Target: volume, VolumeOptions: { Labels: labels } as never }],
})

/** The container of a server, whatever state it is in, its volume and its network. */
async function removeServer({ docker }: Runtime, serverName: string): Promise<void> {
  for (const { Id } of await docker.listContainers({ all: true, filters: { label: [`${serverLabel}=${serverName}`] } }))
    await docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreGone)
  await docker.getVolume(serverName).remove({ force: true }).catch(ignoreGone)
  await docker.getNetwork(serverName).remove().catch(ignoreGone)
}

type CreateOptions = Parameters<Runtime['docker']['createContainer']>[0]

function createOptions(port: number, stopSignal: string): CreateOptions {
  return { User: '0', WorkingDir: '/', ExposedPorts: { [`${port}/tcp`]: {} }, StopSignal: stopSignal }
}

/** Gives the volume to `nobody`, refuses one in memory, prepares it and becomes the server. */
function startScript(server: ServerSpec, context: ServerContext): string[] {
  const first = server.prepare(context)
  const quoted = (command: Command) => [command.program, ...command.arguments].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const lines = [
    'set -e',
    `case "$(stat -f -c %T ${volume})" in tmpfs|ramfs) echo "the volume is in memory, not on a disk" >&2; exit 9;; esac`,
    `chown -R ${user} ${home}`,
    `cd ${home}`,
    `if setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"`,
    `elif command -v gosu >/dev/null; then as="gosu ${user}"; else as="su-exec ${user}"; fi`,
    `export HOME=${home}`,
    // A restart finds the data that is there.
    ...(first === null ? [] : [`[ -e ${context.dataDirectory} ] || $as ${quoted(first)} >/dev/null`]),
    `exec $as ${quoted(server.start(context))}`,
  ]
  return ['sh', '-c', lines.join('\n')]
}
