/** What is kept beside the servers: full copies and what changed since, and the log that brings one up to the last minute. */

import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import type { Entity } from '../../scenario/scenario.ts'
import { isReadOperation } from '../capacity/calls.ts'
import type { Demand } from '../demand/demand.ts'
import { assumed, derived, derivedFrom, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import { bytesPerBilledGb, type Catalogue } from './prices.ts'

/** Full copies kept, incremental ones included. */
export const backupCopies = assumed(1, 1.5, 3)
/** Of the bytes that writes make a disk write: the rest are pages of tables and indexes. */
const logShare = assumed(0.25, 0.5, 1)
/** Of the log that brings a copy up to the last minute. */
export const logDays = assumed(3, 7, 14)
const daySeconds = 86_400
const dayMs = daySeconds * 1000

/** Nobody copies what is lost with its server and found elsewhere, or not needed any more. */
export const isKept = ({ durability }: Pick<CapacityPlan, 'durability'>) => durability !== 'volatile'
const nothingKept = (path: string) =>
  given(path, 'USD/month', 0, 'derived', 'nothing is kept: its rows live as long as their server (durability volatile)')

/** Volumes are kept as snapshots. Products that run on disks of the server itself are not: they copy files to object storage. */
export function backupOf(plan: CapacityPlan, catalogue: Catalogue, month: number): Figure<'USD/month'> {
  const path = `cost.${plan.candidate}.backup@${month}`
  if (!isKept(plan)) return nothingKept(path)
  const snapshots = catalogue.snapshotUsdPerGbMonth
  const asSnapshots = snapshots !== undefined && !plan.facts.topology.localDisk
  const usdPerGbMonth = asSnapshots ? snapshots : (catalogue.objectStorageUsdPerGbMonth ?? 0)
  return derived(
    path,
    'USD/month',
    `bytes ÷ 2³⁰ × backupCopies × ${usdPerGbMonth}, the price of ${asSnapshots ? 'snapshots' : 'object storage'}`,
    [plan.storage.bytes(month), given('cost.backupCopies', 'ratio', backupCopies, 'assumed', 'full copies kept, incremental ones included')],
    (bytes, n) => (bytes / bytesPerBilledGb) * n * usdPerGbMonth,
  )
}

/** At average load, of one copy. */
export function logBytesPerSecond(plan: CapacityPlan, demand: Demand, month: number): Figure<'bytes/s'> {
  const name = plan.candidate
  const written = sumOf(
    `cost.${name}.averageWritten@${month}`,
    'bytes/s',
    plan.operations
      .filter((operation) => !isReadOperation(operation))
      .map((operation) =>
        productOf(`cost.${name}.${operation.name}.averageWritten@${month}`, 'bytes/s', 'rate × written', [
          demand.rate(operation, month),
          plan.work.written.get(operation.name) as Figure,
        ]),
      ),
  )
  const share = given('plan.logShare', 'share', logShare, 'assumed', 'of the bytes that writes make a disk write, those of the log')
  return productOf(`cost.${name}.log@${month}`, 'bytes/s', 'averageWritten × logShare', [written, share])
}

/** Of rows that were archived, over what their values take: compressed files, or plain text. */
const archivedSize = assumed(0.25, 0.5, 1)

/** Of one entity, with the rows that it owns; null: none of it is archived. */
export function archivedBytes(demand: Demand, entity: Entity, month: number): Figure<'bytes'> | null {
  const rows = demand.archived(entity, month)
  if (rows === null) return null
  const { scenario } = demand
  const bytes = rowBytes(entity) + ownedBytes(scenario, entity)
  const size = given('plan.archivedSize', 'ratio', archivedSize, 'assumed', 'bytes of archived rows, over what their values take')
  return productOf(`demand.${entity.name}.archivedBytes@${month}`, 'bytes', `archived × archivedSize × ${Math.round(bytes)} B`, [rows, size], bytes)
}

/** Rows that left the tables; null: none does. Requests, bringing rows back and what moves them there are priced nowhere. */
export function archivedRowsOf(plan: CapacityPlan, catalogue: Catalogue, demand: Demand, month: number): Figure<'USD/month'> | null {
  const bytes = demand.scenario.entities.flatMap((entity) =>
    plan.storage.entities.includes(entity.name) ? (archivedBytes(demand, entity, month) ?? []) : [],
  )
  if (bytes.length === 0) return null
  const price = catalogue.objectStorageUsdPerGbMonth
  return derivedFrom(
    `cost.${plan.candidate}.archivedRows@${month}`,
    'USD/month',
    price === undefined ? 'no price of object storage is known: not counted' : `archivedBytes ÷ 2³⁰ × ${price}, the price of object storage`,
    bytes,
    (values) => (values.reduce((sum, each) => sum + each, 0) / bytesPerBilledGb) * (price ?? 0),
  )
}

/** Nothing where backups of every day lose no more than is allowed. */
export function archiveOf(plan: CapacityPlan, catalogue: Catalogue, demand: Demand, month: number): Figure<'USD/month'> {
  const path = `cost.${plan.candidate}.archive@${month}`
  if (!isKept(plan)) return nothingKept(path)
  const { rpoMs } = demand.scenario.requirements
  const { topology } = plan.facts
  if (rpoMs === null || rpoMs >= dayMs)
    return given(path, 'USD/month', 0, 'derived', 'no log is archived: daily backups lose no more than is allowed')
  const logs = topology.kind === 'ring' ? topology.copies : 1
  return derived(
    path,
    'USD/month',
    `log × ${logs === 1 ? '' : `${logs} copies × `}86,400 s × logDays ÷ 2³⁰ × price of object storage, for a recovery point of ${rpoMs / 1000} s`,
    [logBytesPerSecond(plan, demand, month), given('plan.logDays', 'ratio', logDays, 'assumed', 'days of the log that are kept')],
    (log, days) => ((log * logs * daySeconds * days) / bytesPerBilledGb) * (catalogue.objectStorageUsdPerGbMonth ?? 0),
  )
}
