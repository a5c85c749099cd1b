/** Collection of garbage between trials, so that none of it falls into one. */
import { getHeapStatistics } from 'node:v8'

/** Grown by less, no collection of the old generation is near: a full one takes a second where a run holds its references, and changes nothing. */
const grownBytes = 24 * 2 ** 20
const grownShare = 1 / 8
let keptBytes = 0

/** Collects young garbage, and old where the heap has grown since the last time; does nothing where the process was not started with --expose-gc. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) return
  if (getHeapStatistics().used_heap_size < keptBytes + Math.max(grownBytes, grownShare * keptBytes)) return void globalThis.gc({ type: 'minor' })
  globalThis.gc()
  keptBytes = getHeapStatistics().used_heap_size
}
