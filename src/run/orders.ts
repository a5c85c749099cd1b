/** What a run orders of its candidates, and what all of them share. */
import type { Dataset } from '../data/dataset.ts'
import type { ClientKind } from '../engines/engine.ts'
import type { PauseWatch } from '../host/pause-watch.ts'
import type { HostSpeed } from '../host/speed.ts'
import type { WorkerPool } from '../replay/pool.ts'
import type { TrialResult } from '../result/result.ts'
import type { TrialPlan } from './plan.ts'

/** What is replayed. */
export interface ReplayOrder {
  loop: 'open' | 'closed'
  /** Open loop: load over the scenario's average. */
  multiple: number | null
  /** Closed loop, or the connections of an open one. */
  concurrency: number
  warmUpSeconds: number
  seconds: number
  repeat: number
  /** By operation, in place of the scenario's rates. */
  ratesPerSecond?: number[]
  /** In place of the plan's. */
  client?: ClientKind
  /** In place of the candidate's own: the operations that all candidates can do. */
  mix?: 'common'
}
export interface TrialOrder extends ReplayOrder {
  phase: TrialResult['phase']
}

export interface RunContext {
  dataset: Dataset
  plan: TrialPlan
  pool: WorkerPool
  signal: AbortSignal
  /** Those that the harness has to itself; null: it is bound to none. */
  harnessCores: () => number[] | null
  /** Watches the server's cores; null: nothing does. */
  pauses: () => PauseWatch | null
  /** The disk that holds the servers' data; null where it cannot be named. */
  device: string | null
  /** null: nobody times the server's cores. */
  hostSpeed: () => HostSpeed | null
  /** By all trials so far of all candidates. */
  fullSpeedUs: () => number | null
  /** 1, or one more for each time that the run was resumed. */
  start: number
  /** Disjoint row numbers for a trial; the same for every candidate. */
  blockOf: (label: string) => number
  /** What the laws of the operations draw, once it was needed; the same for every candidate. */
  laws: Map<string, Uint32Array>
  /** Operations that every candidate can do. */
  commonMix: () => Set<number>
}

/** The same trial in every run of one plan, which gives all of a phase the same rates, or by their repeat. */
export function labelOf(order: Pick<TrialOrder, 'phase' | 'loop' | 'multiple' | 'concurrency' | 'repeat' | 'client' | 'mix'>): string {
  return `${order.phase} ${order.client ?? ''}${order.mix ?? ''} ${order.loop} ${order.multiple ?? order.concurrency} ${order.repeat}`
}
