/** What a fleet of some shape carries: numbers in, numbers out, for one month. */
import type { Topology } from '../../engines/engine.ts'
import { type BlockStorage, bytesPerBilledGb, type Shape } from '../cost/prices.ts'

/** What must be carried, at peak and with one member lost. */
export interface Need {
  /** All work in multiples of today's average load on a bench-sized server; of a ring with its replication. */
  load: number
  /** The part of it that every shard must do, because its calls do not say which. */
  crossing: number
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
  /** One copy; on disk with its reserve for bloat or compaction. */
  dataBytes: number
  bytes: number
  hotBytes: number
  /** Bytes that are as hot as the law of the picks says, over what it says. */
  hotSpread: number
  /** Of a server's memory taken whatever its size, and the share of the rest that caches data. */
  fixedMemoryBytes: number
  cacheOfRest: number
  /** Pages read per second, if none were cached. */
  pagesPerSecond: number
  /** Writes of the disk per second, one copy. */
  writesPerSecond: number
  writtenBytesPerSecond: number
  networkBytesPerSecond: number
  /** Shares that disks, and stores in memory, are planned to, and the I/O that a disk is bought for over what is asked. */
  diskFill: number
  memoryFill: number
  ioHeadroom: number
  /** Labour: of each shard beside the first, and of dividing in the application what the product does not divide. */
  usdPerShard: number
  usdToDivide: number
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
  /** What uses more cores than these: null: everything. */
  commandThreads: number | null
  /** Whether it can be divided at all, by itself or by the application. */
  divisible: boolean
  benchCpus: number
  /** Share of the pages that is read from disk where this share of the bytes is cached. */
  missAt: (cachedShare: number, month: number) => number
  block: BlockStorage
  /** Of the cheapest server: coordinators need no better. 0: nobody knows. */
  minUsdPerHour: number
  networkBytesPerSecond: (shape: Shape) => number
}

export const bounds = ['load', 'memory', 'disk', 'I/O', 'network'] as const
/** The resource that asks for most. */
export type Bound = (typeof bounds)[number]
const gib = 2 ** 30

/** One bench-sized server's multiple on this shape: (2e)^log₂(cores ÷ bench cores), of the cores that run commands. */
export function carriedBy(
  shape: Pick<Shape, 'vcpus'>,
  { carried, doubling, host }: Pick<Need, 'carried' | 'doubling' | 'host'>,
  { benchCpus, commandThreads }: Pick<Terms, 'benchCpus' | 'commandThreads'>,
): number {
  const used = (cpus: number) => (commandThreads === null ? cpus : Math.min(cpus, commandThreads))
  return carried * (2 * doubling) ** Math.log2(used(shape.vcpus) / used(benchCpus)) * host
}

/** Bytes of data that one server of this shape caches. */
export const cacheOf = (shape: Pick<Shape, 'memoryGib'>, { fixedMemoryBytes, cacheOfRest }: Pick<Need, 'fixedMemoryBytes' | 'cacheOfRest'>) =>
  Math.max(0, shape.memoryGib * gib - fixedMemoryBytes) * cacheOfRest

/** What each resource of a fleet does over what it can, in the order of `bounds`. */
export function usesOf(shape: Shape, { parts, members }: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): number[] {
  const io = hasVolume(shape, terms) ? ioPerNode(need, terms, cacheOf(shape, need), parts) / iopsOf(shape, terms) : 0
  return [
    busiestShare(need, members, parts) / carriedBy(shape, need, terms),
    memoryAsk(shape, need, terms) / parts,
    diskAsk(shape, need, terms) / parts,
    io,
    networkAsk(shape, need, terms) / parts,
  ]
}

/** What asks for most of a fleet. */
export function boundOf(shape: Shape, fleet: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): Bound {
  const uses = usesOf(shape, fleet, need, terms)
  return bounds[uses.indexOf(Math.max(...uses))] as Bound
}

/** What a volume does at most, and no more than servers of this size sustain to theirs. */
export const iopsOf = ({ volumeIops }: Pick<Shape, 'volumeIops'>, { block }: Pick<Terms, 'block'>) =>
  volumeIops === undefined ? block.mostIops : Math.min(block.mostIops, volumeIops)

/** No price list says what a disk in the server does: it is taken to do it all. */
const hasVolume = (shape: Shape, { memoryBound }: Terms) => !memoryBound && shape.localDiskGib === undefined

/** A ring's servers share the work of all copies; elsewhere each member of a part does that of its own. */
export const copiesInPart = ({ kind, copies }: Topology) => (kind === 'ring' ? copies : 1)

/** Load of the busiest member with one of `members` lost: two leave the primary alone, three leave one replica for what may be old. */
export function busiestOf(need: Need, members: number): number {
  const { load, offloadable, writes, replicaWork } = need
  const spare = members - 2
  return spare < 1 || offloadable === 0 ? load : Math.max(load - offloadable, writes * replicaWork + offloadable / spare)
}

export const crossingShare = ({ crossing, load }: Need) => (load > 0 ? Math.min(1, crossing / load) : 0)

/** Of one part of several: every one does all that crosses, each its part of the rest. */
function busiestShare(need: Need, members: number, parts: number): number {
  const x = crossingShare(need)
  return busiestOf(need, members) * (x + (1 - x) / parts)
}

/** Parts that the CPU asks for, fractions included; Infinity where what crosses alone is too much for one. */
function partsForCpu(need: Need, members: number, carried: number): number {
  const busiest = busiestOf(need, members)
  if (busiest <= carried) return busiest / carried
  const crossing = busiest * crossingShare(need)
  return crossing >= carried ? Number.POSITIVE_INFINITY : (busiest - crossing) / (carried - crossing)
}

/** Parts that the memory asks for, fractions included: all data of a store in memory; elsewhere what is not cached is read from disks. */
function memoryAsk(shape: Shape, need: Need, { topology, memoryBound }: Terms): number {
  const cache = Math.max(1, cacheOf(shape, need))
  return memoryBound ? (need.bytes * copiesInPart(topology)) / (cache * need.memoryFill) : (need.hotBytes * copiesInPart(topology)) / cache
}

function diskAsk(shape: Shape, need: Need, { topology, memoryBound, block }: Terms): number {
  const disk = shape.localDiskGib === undefined ? block.mostGb * bytesPerBilledGb : shape.localDiskGib * gib
  return memoryBound ? 0 : (need.bytes * copiesInPart(topology)) / (disk * need.diskFill)
}

const networkAsk = (shape: Shape, need: Need, { topology, networkBytesPerSecond }: Terms) =>
  (need.networkBytesPerSecond * copiesInPart(topology)) / networkBytesPerSecond(shape)

/** The next number of parts that the product can be divided into; a ring has as many servers in each zone, and there is one for each copy. */
export function wholeParts(parts: number, { kind, copies, fewestShards }: Topology): number {
  if (kind === 'ring') return copies * Math.ceil((Math.ceil(parts) + 1) / copies) - 1
  return parts <= 1 ? 1 : Math.max(fewestShards, Math.ceil(parts))
}

/** Parts that everything but I/O asks for: no fewer carry it. */
export function minParts({ parts, carried }: Ask, members: number, need: Need, { topology }: Terms): number {
  const least = Math.max(1, partsForCpu(need, members, carried), parts)
  return Number.isFinite(least) ? wholeParts(least, topology) : least
}

/** Of at least so many parts the fewest that do the I/O, too: more parts cache more and share what is left, so that each disk does less. */
export function partsForIo({ cache, maxIo, mostIops }: Ask, need: Need, terms: Terms, least: number): number {
  if (maxIo <= mostIops * least || ioPerNode(need, terms, cache, least) <= mostIops) return least
  return wholeParts(
    fewest(least, (parts) => ioPerNode(need, terms, cache, parts) <= mostIops),
    terms.topology,
  )
}

const maxParts = 1e6

/** The smallest whole number from `least` on for which `holds`, which goes on to hold once it does: by doubling, then by halves. */
export function fewest(least: number, holds: (parts: number) => boolean): number {
  if (holds(least)) return least
  if (!(least < maxParts)) return Number.POSITIVE_INFINITY
  let [short, enough] = [least, 2 * least]
  while (!holds(enough)) {
    if (enough > maxParts) return Number.POSITIVE_INFINITY
    short = enough
    enough *= 2
  }
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2)
    if (holds(middle)) enough = middle
    else short = middle
  }
  return enough
}

const full = 1 + 1e-9

/** What a need asks of servers of one shape, however many parts and members there are. */
export interface Ask {
  /** That memory, disk and network ask for, fractions included. */
  parts: number
  carried: number
  cache: number
  /** Of all disks, if nothing were cached; 0 where there are none. */
  maxIo: number
  /** That one server's disks do. */
  mostIops: number
}

export function askOf(shape: Shape, need: Need, terms: Terms): Ask {
  return {
    parts: Math.max(memoryAsk(shape, need, terms), diskAsk(shape, need, terms), networkAsk(shape, need, terms)),
    carried: carriedBy(shape, need, terms),
    cache: cacheOf(shape, need),
    maxIo: hasVolume(shape, terms) ? ioOf(need.pagesPerSecond, need, terms, 1) * full : 0,
    mostIops: iopsOf(shape, terms),
  }
}

/** Whether a fleet does what is asked, with one member lost: as `usesOf`, but asked millions of times. */
export function meets(ask: Ask, { parts, members }: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): boolean {
  return (
    ask.parts <= parts * full &&
    busiestShare(need, members, parts) <= ask.carried * full &&
    // Where disks could do it without any cache nobody looks what is cached.
    (ask.maxIo <= ask.mostIops * parts || ioPerNode(need, terms, ask.cache, parts) <= ask.mostIops * full)
  )
}

export const carries = (shape: Shape, fleet: Pick<Fleet, 'parts' | 'members'>, need: Need, terms: Terms): boolean =>
  meets(askOf(shape, need, terms), fleet, need, terms)

/** A ring goes on with one server less; elsewhere each part has its members. */
export function nodesOf({ parts, members }: Pick<Fleet, 'parts' | 'members'>, topology: Topology): number {
  return topology.kind === 'ring' ? wholeParts(parts, topology) + 1 : parts * members
}

/** Copies and replicas for reads that may be old: as many however many copies are asked for, so that more copies never cost less. */
const maxMembersOfPart = 5

export const minMembers = ({ kind, copies }: Topology) => (kind === 'ring' ? 1 : copies)

/** As many members as a plan may give a part; where rows have one copy there is nothing that makes others. */
export function maxMembers(need: Need, topology: Topology): number {
  const least = minMembers(topology)
  return topology.kind === 'ring' || topology.copies === 1 || need.offloadable === 0 ? least : Math.max(least, maxMembersOfPart)
}

/** Reads and writes of one member's disk per second, with headroom. What is reserve is not data to cache. */
export const ioPerNode = (need: Need, terms: Terms, cache: number, parts: number) => ioOf(missesOf(need, terms, cache, parts), need, terms, parts)

/** The same where the pages read from disk are known. */
export const ioOf = (misses: number, { writesPerSecond, ioHeadroom }: Need, { topology }: Terms, parts: number) =>
  ((misses + writesPerSecond * copiesInPart(topology)) / parts) * ioHeadroom

/** Pages read from disk per second, by all parts. */
export function missesOf(need: Need, { missAt, memoryBound, topology }: Terms, cache: number, parts: number): number {
  return memoryBound
    ? 0
    : need.pagesPerSecond *
        missAt(cachedAsIf(Math.min(1, (parts * cache) / Math.max(1, need.dataBytes * copiesInPart(topology))), need.hotSpread), need.month)
}

/**
 * The share of the bytes that would have to be cached where the law of the picks holds, to miss as little as this share does where so many times
 * as much is hot: nothing is nothing, and all is all.
 */
export const cachedAsIf = (share: number, hotSpread: number) => share / (share + hotSpread * (1 - share))

/** Servers beside the parts, by what they are. */
export const besideOf = (fleet: Pick<Fleet, 'parts' | 'members'>, { beside }: Topology) => beside.filter((each) => isBeside(each, fleet))

/** Three members, or five, vote among themselves: a witness would make their number even. */
export const isBeside = ({ when, votes }: Topology['beside'][number], { parts, members }: Pick<Fleet, 'parts' | 'members'>) =>
  (when === 'always' || (when === 'divided') === parts > 1) && !(votes && members > 2 && members % 2 === 1)
