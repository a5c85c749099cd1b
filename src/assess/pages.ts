/** Pages that an operation touches, and how many of them a cache of a given size leaves to the disk. */
import type { PhysicalModel } from '../model/model.ts'
import { rowBytes } from '../model/sizes.ts'
import { entityOf, type Operation, type Scenario, writesOf } from '../scenario/scenario.ts'
import { drawsOfTop } from './storage.ts'

const pageBytes = 8192
const curvePoints = 64

/**
 * Pages of one call beside the upper levels of its indexes, which are cached: one for each scattered row, the bytes of rows that lie
 * together in whole pages, one for each index that a write changes.
 */
export function pagesOf(operation: Operation, model: PhysicalModel, scenario: Scenario, rows: number): number {
  const steps = model.accesses.find((access) => access.operation === operation.name)?.steps ?? []
  const entity = entityOf(scenario, operation.entity)
  const together = Math.ceil((rows * rowBytes(entity)) / pageBytes)
  const requests = steps.reduce((sum, step) => sum + step.requests, 0)
  if (writesOf(operation).length > 0) {
    const indexes = steps.reduce((sum, step) => sum + (model.stores.find((store) => store.name === step.store)?.indexes.length ?? 0), 0)
    return Math.max(1, requests) + indexes
  }
  const scattered = steps.some((step) => {
    const index = model.stores.find((store) => store.name === step.store)?.indexes.find((each) => each.name === step.index)
    return index !== undefined && index.include.length === 0
  })
  return operation.kind === 'get' ? Math.max(1, steps.length) : Math.max(requests, scattered ? rows : together)
}

/** Share of the page reads that miss where this share of the bytes is cached, the most drawn rows first: from the operations' own skews. */
export function missCurve(scenario: Scenario, pagesPerSecond: Map<string, number>): (cachedShare: number) => number {
  const reads = scenario.operations.filter((operation) => (pagesPerSecond.get(operation.name) ?? 0) > 0)
  const total = reads.reduce((sum, operation) => sum + (pagesPerSecond.get(operation.name) as number), 0)
  const points = Array.from({ length: curvePoints + 1 }, (_, point) => {
    const share = point / curvePoints
    if (total === 0) return 0
    return reads.reduce((sum, operation) => {
      const { count, owner } = entityOf(scenario, operation.entity)
      const rows = owner === null ? count : entityOf(scenario, owner.entity).count
      return sum + ((pagesPerSecond.get(operation.name) as number) / total) * (1 - drawsOfTop(operation.pick.skew, rows, rows * share))
    }, 0)
  })
  return (cachedShare) => {
    const at = Math.min(1, Math.max(0, cachedShare)) * curvePoints
    const before = Math.min(curvePoints - 1, Math.floor(at))
    const [a, b] = [points[before] as number, points[before + 1] as number]
    return a + (b - a) * (at - before)
  }
}
