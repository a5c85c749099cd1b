/** How many servers of a size carry a need, and what they cost: numbers in, numbers out, for one month. */
import type { Topology } from '../engines/engine.ts'
import { type BlockStorage, bytesPerBilledGb, type Shape } from './prices.ts'

/** What must be carried, at peak and with one member lost. */
export interface Need {
  /** All work in multiples of today's average load on a bench-sized server; of a ring with its replication. */
  load: number
  /** The part of it that replicas may answer, and the writes, which they repeat at `replicaWork`. */
  offloadable: number
  writes: number
  replicaWork: number
  /** Multiples that one bench-sized server carries. */
  carried: number
  /** Throughput gained by each doubling of the cores, as a share of two. */
  doubling: number
  /** A cloud vCPU over a core of the bench. */
  host: number
  /** One copy, reserve for bloat or compaction included. */
  bytes: number
  hotBytes: number
  /** Share of a server's memory that caches data. */
  cacheShare: number
  /** Pages read per second, if none were cached. */
  pagesPerSecond: number
  /** Writes of the disk per second, one copy. */
  writesPerSecond: number
  writtenBytesPerSecond: number
  networkBytesPerSecond: number
  /** In which of the middle path there are as many bytes: what is hot changes as tables grow. */
  month: number
}
export interface Fleet {
  /** Shards, or servers of a ring that share the work. */
  parts: number
  /** Of each part; 1 in a ring. */
  members: number
  nodes: number
}
/** Facts of the machine that was measured on, and of what is bought. */
export interface Terms {
  topology: Topology
  memoryBound: boolean
  benchCpus: number
  /** Disk is planned to this share. */
  diskFill: number
  /** Share of the pages that is read from disk where this share of the bytes is cached. */
  missAt: (cachedShare: number, month: number) => number
  block: BlockStorage
  /** Of the cheapest server: coordinators need no better. 0: nobody knows. */
  leastUsdPerHour: number
  networkBytesPerSecond: (shape: Shape) => number
}

export const bounds = ['CPU', 'memory', 'disk', 'I/O', 'network'] as const
/** The resource that asks for most. */
export type Bound = (typeof bounds)[number]
const gib = 2 ** 30
const headroomOfIo = 1.2
/** A volume of memory that is full stops taking writes. */
const memoryFill = 0.75
export const hoursPerMonth = 730.5

/** One bench-sized server's multiple on this shape: (2e)^log₂(vCPUs ÷ bench cores). */
export function carriedBy(
  shape: Pick<Shape, 'vcpus'>,
  { carried, doubling, host }: Pick<Need, 'carried' | 'doubling' | 'host'>,
  benchCpus: number,
): number {
  return carried * (2 * doubling) ** Math.log2(shape.vcpus / benchCpus) * host
}

/** What each resource of a fleet does over what it can, in the order of `bounds`. */
export function usesOf(shape: Shape, { parts, members }: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): number[] {
  const { memoryBound, topology, block } = terms
  const asks = asksOf(shape, need, terms)
  const io = ioPerNode(need, terms, shape.memoryGib * gib * need.cacheShare, parts, copiesInPart(topology))
  return [
    busiestOf(need, members) / carriedBy(shape, need, terms.benchCpus) / parts,
    asks.memory / parts,
    asks.disk / parts,
    memoryBound || shape.localDiskGib !== undefined ? 0 : io / block.mostIops,
    asks.network / parts,
  ]
}

/** What asks for most of a fleet. */
export function boundOf(shape: Shape, fleet: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): Bound {
  const uses = usesOf(shape, fleet, need, terms)
  return bounds[uses.indexOf(Math.max(...uses))] as Bound
}

/** A ring's servers share the work of all copies; elsewhere each member of a part does that of its own. */
export const copiesInPart = ({ kind, copies }: Topology) => (kind === 'ring' ? copies : 1)

/** Load of the busiest member with one of `members` lost: two leave the primary alone, three leave one replica for what may be old. */
function busiestOf(need: Need, members: number): number {
  const { load, offloadable, writes, replicaWork } = need
  const spare = members - 2
  return spare < 1 || offloadable === 0 ? load : Math.max(load - offloadable, writes * replicaWork + offloadable / spare)
}

/** Parts that each resource but the CPU asks for, fractions included. */
function asksOf(shape: Shape, need: Need, { topology, memoryBound, diskFill, block, networkBytesPerSecond }: Terms) {
  const copies = copiesInPart(topology)
  const memory = shape.memoryGib * gib
  const disk = shape.localDiskGib === undefined ? block.mostGb * bytesPerBilledGb : shape.localDiskGib * gib
  return {
    memory: memoryBound ? (need.bytes * copies) / (memory * memoryFill) : (need.hotBytes * copies) / (memory * need.cacheShare),
    disk: memoryBound ? 0 : (need.bytes * copies) / (disk * diskFill),
    network: (need.networkBytesPerSecond * copies) / networkBytesPerSecond(shape),
  }
}

/** Parts that also do what is asked of the disks, of at least `least` that all else asks for. */
function partsForIo(shape: Shape, need: Need, terms: Terms, least: number): number {
  // No price list says what a disk in the server does: it is taken to do it all.
  if (shape.localDiskGib !== undefined) return least
  const cache = shape.memoryGib * gib * need.cacheShare
  const copies = copiesInPart(terms.topology)
  // More parts cache more and share what is left: what each disk does falls with their number.
  const isEnough = (parts: number) => ioPerNode(need, terms, cache, parts, copies) <= terms.block.mostIops
  if (isEnough(least)) return least
  let [short, parts] = [least, 2 * least]
  for (; !isEnough(parts) && parts < mostParts; parts *= 2) short = parts
  while (parts - short > 1) {
    const middle = Math.floor((short + parts) / 2)
    if (isEnough(middle)) parts = middle
    else short = middle
  }
  return parts
}

/** Whether a fleet of this shape does what is asked, with one member lost; where `hot`, with the working set in memory, too. */
export function carries(shape: Shape, { parts, members }: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms, hot: boolean): boolean {
  const { memory, disk, network } = asksOf(shape, need, terms)
  const cpu = busiestOf(need, members) / carriedBy(shape, need, terms.benchCpus)
  return Math.max(cpu, disk, network, hot || terms.memoryBound ? memory : 0) <= parts && partsForIo(shape, need, terms, parts) === parts
}

const mostParts = 1e6

/** A ring goes on with one server less; elsewhere each part has its members. */
export function nodesOf({ parts, members }: Pick<Fleet, 'parts' | 'members'>, topology: Topology): number {
  return topology.kind === 'ring' ? Math.max(topology.copies, parts + 1) : parts * members
}

/** `shape` -1: none has a price. */
export interface Choice extends Pick<Fleet, 'parts' | 'members'> {
  shape: number
  usdPerMonth: number
}

/** Copies and replicas for reads that may be old: as many however many copies are asked for, so that more copies never cost less. */
const mostMembersOfPart = 5

export const leastMembers = ({ kind, copies }: Topology) => (kind === 'ring' ? 1 : copies)

/** As many replicas as a plan may have. */
export function mostMembers(need: Need, topology: Topology): number {
  const least = leastMembers(topology)
  return topology.kind === 'ring' || need.offloadable === 0 ? least : Math.max(least, mostMembersOfPart)
}

/** The cheapest of the shapes that have a price. A greater need never costs less: every fleet that carries it carries the smaller one, too. */
export function cheapest(shapes: readonly Shape[], need: Need, terms: Terms): Choice {
  const best: Choice = { shape: -1, parts: 0, members: 0, usdPerMonth: Number.POSITIVE_INFINITY }
  let vcpus = 0
  let carried = 0
  for (let at = 0; at < shapes.length; at++) {
    const shape = shapes[at] as Shape
    // Shapes of one size carry the same; they stand together.
    if (shape.vcpus !== vcpus) carried = carriedBy(shape, need, terms.benchCpus)
    vcpus = shape.vcpus
    improve(best, at, shape, carried, need, terms, terms.topology.sharded)
  }
  if (best.shape >= 0 || terms.topology.sharded) return best
  // More than one server carries, and the product divides nothing: the application must, over servers of the largest kind.
  const largest = [...shapes].sort((a, b) => (b.usdPerHour ?? 0) - (a.usdPerHour ?? 0))[0]
  if (largest !== undefined) improve(best, shapes.indexOf(largest), largest, carriedBy(largest, need, terms.benchCpus), need, terms, true)
  return best
}

function improve(best: Choice, at: number, shape: Shape, carried: number, need: Need, terms: Terms, divisible: boolean): void {
  const { topology } = terms
  const { usdPerHour } = shape
  if (usdPerHour === null) return
  const usdPerServer = usdPerHour * hoursPerMonth
  candidate.parts = 1
  candidate.members = leastMembers(topology)
  // The fewest servers that there can be cost more already: most of the larger shapes end here.
  if (nodesOf(candidate, topology) * usdPerServer >= best.usdPerMonth) return
  const membersAtMost = mostMembers(need, topology)
  const { memory, disk, network } = asksOf(shape, need, terms)
  const beside = Math.max(1, memory, disk, network)
  for (let members = leastMembers(topology); members <= membersAtMost; members++) {
    const atLeast = Math.ceil(Math.max(busiestOf(need, members) / carried, beside))
    candidate.parts = atLeast
    candidate.members = members
    if (nodesOf(candidate, topology) * usdPerServer >= best.usdPerMonth) continue
    const needed = partsForIo(shape, need, terms, atLeast)
    const most = divisible && shape.shardable !== false ? mostParts : 1
    for (let parts = needed; parts <= most; parts++) {
      candidate.parts = parts
      candidate.nodes = nodesOf(candidate, topology)
      // The servers alone cost more already: so does everything larger.
      if (candidate.nodes * usdPerServer >= best.usdPerMonth) break
      const lines = linesOf(shape, candidate, need, terms, usdPerHour)
      const usdPerMonth = lines.servers + lines.storage + lines.provisionedIo
      // More parts than needed may cost less: they cache more, and need less of the disk. Where that costs nothing, they only cost.
      const isLast = lines.provisionedIo === 0
      if (usdPerMonth >= best.usdPerMonth) {
        if (isLast) break
        continue
      }
      best.shape = at
      best.parts = parts
      best.members = members
      best.usdPerMonth = usdPerMonth
      if (isLast) break
    }
  }
}

/** The fleet under trial: millions are tried. */
const candidate: Fleet = { parts: 0, members: 0, nodes: 0 }

/** Reads and writes of one member's disk per second, with headroom. */
function ioPerNode(need: Need, terms: Terms, cache: number, parts: number, copies: number): number {
  return ((missesOf(need, terms, cache, parts, copies) + need.writesPerSecond * copies) / parts) * headroomOfIo
}

/** Pages read from disk per second, by all parts. */
function missesOf(need: Need, { missAt, memoryBound }: Terms, cache: number, parts: number, copies: number): number {
  return memoryBound ? 0 : need.pagesPerSecond * missAt(Math.min(1, (parts * cache) / Math.max(1, need.bytes * copies)), need.month)
}

/** Read at a time; a volume's throughput is charged beside its I/O. */
const pageBytes = 8192

/** Servers beside the parts. */
export const coordinatorsOf = (parts: number, { coordinators }: Topology) => (parts > 1 ? (coordinators?.nodes ?? 0) : 0)

export interface Lines {
  /** Coordinators included. */
  servers: number
  storage: number
  /** Beyond what comes with the volume. */
  provisionedIo: number
}

/** USD a month, before the region's factor. */
export function linesOf(shape: Shape, fleet: Pick<Fleet, 'parts' | 'nodes'>, need: Need, terms: Terms, usdPerHour: number): Lines {
  const { block, memoryBound, topology } = terms
  const coordinators = coordinatorsOf(fleet.parts, topology)
  const servers = (fleet.nodes * usdPerHour + coordinators * terms.leastUsdPerHour) * hoursPerMonth
  const beside = coordinators * smallestVolumeGb * block.usdPerGbMonth
  if (shape.localDiskGib !== undefined) return { servers, storage: beside, provisionedIo: 0 }
  const copies = copiesInPart(topology)
  const cache = shape.memoryGib * gib * need.cacheShare
  const io = ioPerNode(need, terms, cache, fleet.parts, copies)
  const moved = (need.writtenBytesPerSecond * copies + missesOf(need, terms, cache, fleet.parts, copies) * pageBytes) / fleet.parts
  return {
    servers,
    storage: fleet.nodes * volumeGb(fleet, need, terms) * block.usdPerGbMonth + beside,
    provisionedIo:
      fleet.nodes *
      (Math.max(0, io - block.freeIops) * block.usdPerIopsMonth +
        (memoryBound ? 0 : Math.max(0, moved / 2 ** 20 - block.freeMbPerSecond) * block.usdPerMbPerSecondMonth)),
  }
}

/** Nobody buys a volume that the log alone fills. */
const smallestVolumeGb = 20

/** Of one member. */
export function volumeGb(fleet: Pick<Fleet, 'parts'>, need: Need, { topology, diskFill }: Terms): number {
  const onDisk = (need.bytes * copiesInPart(topology)) / fleet.parts
  return Math.max(smallestVolumeGb, onDisk / diskFill / bytesPerBilledGb)
}
