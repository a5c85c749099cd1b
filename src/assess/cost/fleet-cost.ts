/** What a fleet costs a month, line by line, before the region's factor. */
import type { Topology } from '../../engines/engine.ts'
import { cacheOf, copiesInPart, type Fleet, ioOf, isBeside, missesOf, type Need, type Terms } from '../fleet/supply.ts'
import { bytesPerBilledGb, type Shape } from './prices.ts'

export const hoursPerMonth = 730.5
/** Nobody buys a volume that the log alone fills. */
const minVolumeGb = 20
/** Read at a time; a volume's throughput is charged beside its I/O. */
const pageBytes = 8192

export interface Lines {
  /** Those beside the parts included. */
  servers: number
  storage: number
  /** Beyond what comes with the volume. */
  provisionedIo: number
  /** Labour of running several parts, where one would need none. */
  shards: number
}

export function linesOf(shape: Shape, fleet: Fleet, need: Need, terms: Terms, usdPerHour: number): Lines {
  const { block, memoryBound, topology } = terms
  const beside = besideUsd(fleet, terms)
  const servers = fleet.nodes * usdPerHour * hoursPerMonth + beside.servers
  const shards = shardsUsd(fleet.parts, need, topology)
  if (shape.localDiskGib !== undefined) return { servers, storage: beside.storage, provisionedIo: 0, shards }
  const misses = missesOf(need, terms, cacheOf(shape, need), fleet.parts)
  const io = ioOf(misses, need, terms, fleet.parts)
  const moved = (need.writtenBytesPerSecond * copiesInPart(topology) + misses * pageBytes) / fleet.parts
  return {
    servers,
    storage: fleet.nodes * volumeGb(fleet, need, terms) * block.usdPerGbMonth + beside.storage,
    provisionedIo:
      fleet.nodes *
      (Math.max(0, io - block.freeIops) * block.usdPerIopsMonth +
        (memoryBound ? 0 : Math.max(0, moved / 2 ** 20 - block.freeMbPerSecond) * block.usdPerMbPerSecondMonth)),
    shards,
  }
}

/** Of what stands beside the parts: the cheapest servers with the smallest volumes do. */
export function besideUsd(fleet: Pick<Fleet, 'parts' | 'members'>, { block, topology, minUsdPerHour }: Terms): { servers: number; storage: number } {
  // Asked millions of times: nothing is made for it.
  let count = 0
  for (const each of topology.beside) if (isBeside(each, fleet)) count += each.nodes
  return { servers: count * minUsdPerHour * hoursPerMonth, storage: count * minVolumeGb * block.usdPerGbMonth }
}

/** A ring divides without being told; elsewhere each part is one more thing to watch, to upgrade and to move rows between. */
function shardsUsd(parts: number, { usdPerShard, usdToDivide }: Need, { kind, sharded }: Topology): number {
  return kind === 'ring' || parts < 2 ? 0 : (parts - 1) * usdPerShard + (sharded ? 0 : usdToDivide)
}

/** Of one member. */
export function volumeGb(fleet: Pick<Fleet, 'parts'>, need: Need, { topology }: Terms): number {
  const onDisk = (need.bytes * copiesInPart(topology)) / fleet.parts
  return Math.max(minVolumeGb, onDisk / need.diskFill / bytesPerBilledGb)
}
