/** What every plan takes for granted; each is a figure that `--explain` shows. */

import type { Shape } from '../cost/prices.ts'
import { assumed, given } from '../figures/figure.ts'

export const assumptions = {
  /** Of a volume, what data may fill before it is enlarged: a full one stops taking writes, and to enlarge takes hours. */
  diskFill: assumed(0.65, 0.75, 0.85),
  /** A store in memory that is full stops taking writes. */
  memoryFill: assumed(0.65, 0.75, 0.85),
  /** I/O that a disk is bought for, over what is asked on average at peak. */
  ioHeadroom: assumed(1.1, 1.2, 1.4),
  /** Bytes that are as hot as the law of the picks says, over what it says: keys follow no law to the letter. */
  hotSpread: assumed(0.5, 1, 1.5),
  /** A month that is short of servers, over what a month of the next larger fleet costs more. */
  shortfall: assumed(4, 9, 19),
  /**
   * Throughput of twice the cores, over twice that of one. Published tests of services by size: Alibaba Cloud, "ApsaraDB for MongoDB, test results"
   * (YCSB's load on dedicated servers: 6,553, 14,526, 35,437 and 60,078 a second on 2, 4, 8 and 16 cores, on shared ones 1.1 to 3.2 times for each
   * doubling); Instaclustr, "Significant performance improvements with Cassandra 2.1" (i2.xlarge to i2.2xlarge: reads and writes 1.85 times,
   * inserts 1.65 times).
   */
  doubling: assumed(0.75, 0.88, 1),
  /** Bytes of a row at production's count over those between two shares of one load: two points of a line tell nothing of how far it is off. */
  rowBytesSpread: assumed(0.9, 1, 1.15),
  /** What another start of a server would do over what one did: one tells nothing of the next. */
  startSpread: assumed(0.8, 1, 1.25),
  /** A month. */
  shardHours: assumed(2, 4, 8),
  divideHours: assumed(16, 40, 80),
  host: assumed(0.5, 0.85, 1.2),
  /** Cost of a call over rows that it touches: cost ∝ rows^e. */
  rowsExponent: assumed(0.8, 0.95, 1.1),
  /** Of the reads, what a working set answers from memory. */
  hotDraws: assumed(0.8, 0.9, 0.99),
  /** An hour of an engineer, with what comes on top of a salary. */
  engineerUsd: assumed(60, 100, 160),
  /** Milliseconds of a read from block storage. */
  diskReadMs: assumed(0.3, 0.8, 2),
  /**
   * Seconds that a hop between zones and back adds to a high percentile. Low: neighbours at their usual; high: the farthest pairs when they are
   * busy. AWS, "Fault Isolation Boundaries": zones are up to 100 km apart, replication between them takes single-digit milliseconds; FlashGrid
   * (2023) measured .5 to 1.5 ms by the pair of zones.
   */
  readsAcrossZones: assumed(0, 0.5, 0.67),
  zoneHopSeconds: assumed(0.0004, 0.001, 0.0025),
  /**
   * Seconds in which a volume over the network makes a write durable, at a high percentile. Amazon EBS User Guide: single-digit milliseconds
   * for general purpose volumes.
   */
  volumeFlushSeconds: assumed(0.0007, 0.0015, 0.006),
  /** A high percentile ∝ load^e: hardly at a small load, faster than it near the knee. */
  latencyExponent: assumed(0.3, 1, 2),
  /** Of a cloud server with so many vCPUs, sustained. */
  networkBytesPerSecondPerVcpu: 40e6,
} as const

/** An assumption that moves a price by a smaller share of it decides nothing. */
export const minEffect = 0.05

/** What its provider says that it sustains, or what is assumed. */
export const networkBytesPerSecond = ({ vcpus, networkMbitPerSecond }: Pick<Shape, 'vcpus' | 'networkMbitPerSecond'>) =>
  networkMbitPerSecond === undefined ? vcpus * assumptions.networkBytesPerSecondPerVcpu : (networkMbitPerSecond * 1e6) / 8

/** Bytes of a row at the count of production, over the slope between two shares of a load. */
export const rowBytesSpread = () =>
  given(
    'plan.rowBytesSpread',
    'ratio',
    assumptions.rowBytesSpread,
    'assumed',
    'bytes of a row at the count of production over the slope between two shares of a load: a line through two points has no residuals',
  )

/** What a caller in another zone waits for beside the server. */
export const zoneHop = () =>
  given('plan.zoneHop', 'seconds', assumptions.zoneHopSeconds, 'assumed', 'a hop to another zone and back, at a high percentile')

export const readsAcrossZones = () =>
  given('cost.readsAcrossZones', 'share', assumptions.readsAcrossZones, 'assumed', 'share of the reads whose caller is in another zone')
