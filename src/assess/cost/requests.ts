/** What a service that bills by requests would charge for the scenario's calls: sizes rounded up to its units, one copy, no secondary index. */
import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import { type Entity, entityOf, type Operation, ownedBy, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { secondsPerMonth } from '../../scenario/units.ts'
import type { RequestPrices } from './prices.ts'

/** USD a month at today's average rates; `rowsRead`: rows in production that a call reads. */
export function requestCost(scenario: Scenario, rowsRead: (operation: Operation) => number, prices: RequestPrices): number {
  return scenario.operations.reduce((sum, operation) => {
    const { reads, writes } = unitsOf(scenario, operation, rowsRead(operation), prices)
    const usdPerCall = (reads * prices.usdPerMillionReads + writes * prices.usdPerMillionWrites) / 1e6
    return sum + operation.ratePerSecond * secondsPerMonth * usdPerCall
  }, 0)
}

/** Request units of one call. */
export function unitsOf(scenario: Scenario, operation: Operation, rows: number, prices: RequestPrices): { reads: number; writes: number } {
  const entity = entityOf(scenario, operation.entity)
  const written = writesOf(operation)
  if (written.length === 0) {
    const owned = operation.kind === 'get' ? ownedBytes(scenario, entity, operation.with) : 0
    const bytes = operation.kind === 'get' ? rowBytes(entity) + owned : rows * rowBytes(entity)
    const mayBeOld = operation.consistency === 'eventual' || operation.stalenessMs !== null
    return { reads: Math.max(1, Math.ceil(bytes / prices.readUnitBytes)) * (mayBeOld ? prices.eventualFactor : 1), writes: 0 }
  }
  const factor = operation.kind === 'transaction' ? prices.transactionFactor : 1
  const item = (of: Entity) => Math.ceil(rowBytes(of) / prices.writeUnitBytes)
  const writes = written.reduce((sum, write) => {
    const target = entityOf(scenario, write.entity)
    if (write.kind === 'insert')
      return (
        sum +
        item(target) +
        ownedBy(scenario, target.name).reduce((own, each) => own + (write.with.includes(each.name) ? perOwner(each) * item(each) : 0), 0)
      )
    const times = write.kind === 'update' && write.via !== null ? perOwner(entityOf(scenario, write.via.owned)) : 1
    return sum + times * item(target)
  }, 0)
  return { reads: 0, writes: writes * factor }
}

const perOwner = (owned: Entity) => owned.owner?.mean ?? 1
