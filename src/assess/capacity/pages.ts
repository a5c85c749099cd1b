/** Pages that an operation touches. */
import type { PhysicalModel } from '../../families/model.ts'
import { rowBytes } from '../../families/sizes.ts'
import { entityOf, type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { pageBytes } from '../demand/popularity.ts'

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
