/** The container engine of this machine, through testcontainers: Docker, or Podman where its socket answers. */
import type { ContainerRuntimeClient } from 'testcontainers'
import { isGone, ownerOf } from './owner.ts'

export const ownerLabel = 'dbtrial.owner'

export interface Runtime {
  client: ContainerRuntimeClient
  docker: ContainerRuntimeClient['container']['dockerode']
  name: string
  /** What the engine says it can enforce. */
  enforces: { cpuset: boolean; memory: boolean; swap: boolean }
}

/** @throws Error with one sentence where no engine answers, or only a remote one. */
export async function containerRuntime(): Promise<Runtime> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  let client: ContainerRuntimeClient
  try {
    client = await getContainerRuntimeClient()
  } catch (error) {
    throw new Error('no container engine answers on its socket', { cause: error })
  }
  const docker = client.container.dockerode
  if ((docker.modem as { socketPath?: string }).socketPath === undefined) throw new Error('the container engine is on another machine')
  const info = (await docker.info()) as { Name?: string; ServerVersion?: string; CPUSet?: boolean; MemoryLimit?: boolean; SwapLimit?: boolean }
  return {
    client,
    docker,
    name: `container engine ${info.ServerVersion ?? 'unknown'}`,
    enforces: { cpuset: info.CPUSet === true, memory: info.MemoryLimit === true, swap: info.SwapLimit === true },
  }
}

/** Removes containers, volumes and networks that carry our label and whose owner is provably gone. */
export async function sweepContainers(): Promise<void> {
  const { docker } = await containerRuntime()
  const filters = { label: [ownerLabel] }
  const abandoned = (labels: Record<string, string> | undefined) => {
    const owner = ownerOf(labels?.[ownerLabel] ?? '')
    return owner !== undefined && isGone(owner)
  }
  for (const each of await docker.listContainers({ all: true, filters }))
    if (abandoned(each.Labels)) await docker.getContainer(each.Id).remove({ force: true, v: true }).catch(ignoreGone)
  for (const each of (await docker.listVolumes({ filters })).Volumes ?? [])
    if (abandoned(each.Labels)) await docker.getVolume(each.Name).remove({ force: true }).catch(ignoreGone)
  for (const each of await docker.listNetworks({ filters })) if (abandoned(each.Labels)) await docker.getNetwork(each.Id).remove().catch(ignoreGone)
}

/** Somebody else removed it, or is removing it. */
export function ignoreGone(error: unknown): void {
  const { statusCode } = error as { statusCode?: number }
  if (statusCode !== 404 && statusCode !== 409) throw error
}
