/** The disk that holds the servers' data: bytes and flushes, whoever caused them (kernel documentation: admin-guide/iostats). */
import { readdirSync, readFileSync, statSync } from 'node:fs'

export interface DiskUse {
  readBytes: number
  writtenBytes: number
  /** Flush requests that were completed; 0 before Linux 5.5, which does not count them. */
  syncs: number
}

const sectorBytes = 512

/** The whole disk under a path, as /proc/diskstats names it; null where there is none (network file systems, overlays). */
export function deviceOf(path: string): string | null {
  try {
    const { dev } = statSync(path)
    // Linux' encoding of a device number: 12 bits of major, 20 of minor.
    const [major, minor] = [Math.floor(dev / 256) % 4096, (dev % 256) + Math.floor(dev / 1048576) * 256]
    const name = lines().find((fields) => Number(fields[0]) === major && Number(fields[1]) === minor)?.[2]
    // Flushes are counted for the whole disk, not for its partitions.
    return name === undefined ? null : (readdirSync('/sys/block').find((disk) => name === disk || name.startsWith(disk)) ?? name)
  } catch {
    return null
  }
}

/** Since the machine started. */
export function diskUse(device: string): DiskUse | null {
  const fields = lines()
    .find((each) => each[2] === device)
    ?.map(Number)
  if (fields === undefined) return null
  return { readBytes: (fields[5] as number) * sectorBytes, writtenBytes: (fields[9] as number) * sectorBytes, syncs: fields[18] ?? 0 }
}

function lines(): string[][] {
  return readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
}
