/** A container's use of the machine straight from its control group: cheap enough for four times a second, which the engine's API is not. */
import { existsSync, readFileSync } from 'node:fs'
import type { Usage } from './processes.ts'

const root = '/sys/fs/cgroup'

/** null where the kernel shows this process no such group: another machine's engine, or a nested one. */
export function watchContainer(id: string): (() => Usage) | null {
  const unified = [`${root}/system.slice/docker-${id}.scope`, `${root}/docker/${id}`].find((path) => existsSync(`${path}/cpu.stat`))
  if (unified !== undefined) return () => unifiedUsage(unified)
  const own = (controller: string) => `${root}/${controller}/docker/${id}`
  return existsSync(`${own('cpuacct')}/cpuacct.usage`) ? () => usageByController(own) : null
}

/** Whether that process of this machine belongs to that container. */
export const isInContainer = (pid: number, id: string) => read(`/proc/${pid}/cgroup`).includes(id)

function unifiedUsage(path: string): Usage {
  const usage = {
    cpuSeconds: numberOf(read(`${path}/cpu.stat`), /^usage_usec (\d+)/m) / 1e6,
    residentBytes: Number(read(`${path}/memory.current`)) - numberOf(read(`${path}/memory.stat`), /^inactive_file (\d+)/m),
  }
  const [cpu, memory, disk] = ['cpu', 'memory', 'io'].map((resource) => read(`${path}/${resource}.pressure`)) as [string, string, string]
  const stalled = { cpuSeconds: stalledSeconds(cpu), memorySeconds: stalledSeconds(memory), diskSeconds: stalledSeconds(disk) }
  return cpu === '' ? usage : { ...usage, stalled }
}

/** Pressure-stall information: since the group was made. */
export const stalledSeconds = (pressure: string) => numberOf(pressure, /^some .*\btotal=(\d+)/m) / 1e6

/** Version 1: a tree of groups for each controller. */
function usageByController(own: (controller: string) => string): Usage {
  return {
    cpuSeconds: Number(read(`${own('cpuacct')}/cpuacct.usage`)) / 1e9,
    residentBytes:
      Number(read(`${own('memory')}/memory.usage_in_bytes`)) - numberOf(read(`${own('memory')}/memory.stat`), /^total_inactive_file (\d+)/m),
  }
}

const numberOf = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // The container has just ended.
  }
}
