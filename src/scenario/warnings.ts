/** What is no error in a scenario, and yet hardly meant. */
import { newestShare } from '../families/sizes.ts'
import { archivedReads } from './archived.ts'
import { type Problem, shown } from './problems.ts'
import { regions } from './regions.ts'
import { type Entity, renewsLife, type Scenario, writesOf } from './scenario.ts'
import { acrossTenants } from './tenants.ts'
import { monthMs } from './units.ts'

export function warningsOf(scenario: Scenario): Problem[] {
  return [...flows(scenario), ...strangeRegions(scenario), ...strays(scenario), ...archived(scenario)]
}

/** No error: who administers an application may read the rows of all. */
function strays(scenario: Scenario): Problem[] {
  return scenario.operations.flatMap((operation) => {
    const why = acrossTenants(scenario, operation)
    return why === null
      ? []
      : [{ path: ['operations', operation.name], message: `${operation.name} is not bound to one tenant: ${why}`, atKey: true }]
  })
}

/** No error: what is asked for so seldom may be brought back by hand. */
function archived(scenario: Scenario): Problem[] {
  return scenario.operations.flatMap((operation) => {
    const read = archivedReads(scenario, operation)
    return read?.isCertain !== true
      ? []
      : [
          {
            path: ['operations', operation.name],
            message: `${operation.name} ${read.what}: what was archived lies in object storage, where it is not found`,
            atKey: true,
          },
        ]
  })
}

/** No error: providers open regions faster than this list grows. */
function strangeRegions({ requirements }: Scenario): Problem[] {
  return requirements.regions.flatMap((name, index) =>
    regions.includes(name)
      ? []
      : [
          {
            path: ['requirements', 'regions', index],
            message: `${shown(name)} is no region of a provider that is known here: it is priced as any other`,
            meant: { name, known: regions },
          },
        ],
  )
}

/** Where inserts per month and growth plus removals differ by more than 2×. */
function flows(scenario: Scenario): Problem[] {
  const perMonth = monthMs / 1000
  return scenario.entities.flatMap((entity) => {
    if (entity.owner !== null) return []
    let inserts = 0
    let deletes = 0
    let isTouched = false
    for (const operation of scenario.operations) {
      for (const write of writesOf(operation)) {
        if (write.entity !== entity.name) continue
        if (write.kind === 'insert') inserts += operation.ratePerSecond * perMonth
        if (write.kind === 'put') inserts += operation.ratePerSecond * (1 - write.existingShare) * perMonth
        if (renewsLife(entity, write)) isTouched = true
        if (write.kind === 'delete') deletes += operation.ratePerSecond * perMonth
      }
    }
    if (inserts === 0) return []
    const growth = entity.count * entity.growthPerMonth
    const expiry = entity.ttlMs !== null ? entity.count / (entity.ttlMs / monthMs) : entity.retentionMs === null ? 0 : retiredPerMonth(entity)
    const flow = growth + deletes + expiry
    // Rows that are touched live longer than their ttl, nobody knows how long.
    const min = isTouched ? flow - expiry : flow
    if (flow > 0 && inserts / flow <= 2 && min / inserts <= 2) return []
    const text = (value: number) => (value >= 1e6 ? `${(value / 1e6).toPrecision(3)}M` : `${Math.round(value)}`)
    return [
      {
        path: ['entities', entity.name],
        message: `operations insert ${text(inserts)} rows a month, growth, deletes and expiry take ${text(flow)}: one of them is off by more than 2×`,
        atKey: true,
      },
    ]
  })
}

/** Rows that reach the retention age in a month: those of the oldest month, where the age distribution reaches that far. */
function retiredPerMonth(entity: Entity): number {
  if (entity.ageMs < (entity.retentionMs ?? 0)) return 0
  const younger = newestShare(entity, entity.ageMs - monthMs)
  return entity.count * (1 - younger)
}
