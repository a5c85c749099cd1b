/** Services that were not measured: what their requests and their storage cost today; nobody knows here what their servers carry. */
import { rowBytes } from '../../families/sizes.ts'
import type { Result } from '../../result/result.ts'
import { productionRows } from '../capacity/calls.ts'
import { bytesPerBilledGb, type Catalogue } from './prices.ts'
import { requestCost } from './requests.ts'

/** Priced today for one copy of the values; null: no such price. */
export interface Unmeasured {
  service: string
  provider: string
  requestsUsdPerMonth: number | null
  storageUsdPerMonth: number | null
  /** Beside it: how many of them is not known here. */
  needsServers: boolean
}

export function unmeasuredOf(result: Result, catalogues: readonly Catalogue[]): Unmeasured[] {
  const { scenario } = result
  const rows = productionRows(result)
  const gigabytes = scenario.entities.reduce((sum, entity) => sum + entity.count * rowBytes(entity), 0) / bytesPerBilledGb
  return catalogues.flatMap(({ provider, managed }) =>
    managed
      .filter((offer) => offer.engines.length === 0)
      .map(({ service, requests, shapes, storageUsdPerGbMonth }) => ({
        service,
        provider,
        requestsUsdPerMonth: requests === undefined ? null : requestCost(scenario, (operation) => rows.get(operation.name) ?? 1, requests),
        storageUsdPerMonth: storageUsdPerGbMonth === null ? null : gigabytes * storageUsdPerGbMonth,
        needsServers: shapes.length > 0,
      })),
  )
}
