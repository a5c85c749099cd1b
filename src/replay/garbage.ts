/** Collection of garbage between trials, so that none of it falls into one. */
import { getHeapStatistics } from 'node:v8'

/** Below it no collection of the old generation is near: a full one would only take time. */
const grownBytes = 24 * 2 ** 20
let keptBytes = 0

/** Collects where the heap has grown since the last time; does nothing where the process was not started with --expose-gc. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined || getHeapStatistics().used_heap_size < keptBytes + grownBytes) return
  globalThis.gc()
  keptBytes = getHeapStatistics().used_heap_size
}
