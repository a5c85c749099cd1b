/** What a plan costs: the cheapest fleets of a catalogue month by month, with every line. */
import { secondsPerMonth } from '../scenario/units.ts'
import { billOf, type CostLine, type Source } from './bill.ts'
import { boughtIn } from './bought.ts'
import { isReadOperation } from './calls.ts'
import type { CapacityPlan } from './capacity-plan.ts'
import { choiceOf, encodeChoice } from './choice.ts'
import type { Demand } from './demand.ts'
import { assumed, derived, derivedFrom, type Figure, given, productOf, sumOf } from './figure.ts'
import { FigureMemo } from './figure-memo.ts'
import { hoursPerMonth, linesOf } from './fleet-cost.ts'
import { archiveOf, backupOf, logBytesPerSecond } from './kept.ts'
import { type Labour, labourOf } from './labour.ts'
import { fitsLeast } from './plan-facts.ts'
import { type BlockStorage, bytesPerBilledGb, type Catalogue, type Shape } from './prices.ts'
import { type Purchases, purchasesOf } from './purchases.ts'
import { type Need, nodesOf } from './supply.ts'
import { undominated } from './undominated.ts'

export interface CostPlan {
  block: BlockStorage
  /** Of the catalogue's servers, those that another one does not beat in everything. */
  shapes: Shape[]
  /** What is bought, and when: one path for all draws. */
  purchases: Purchases
  /** What each draw needs: the cheapest fleet that carries it. */
  choice(month: number): Figure<'ratio'>
  lines(month: number): {
    servers: Figure<'USD/month'>
    storage: Figure<'USD/month'>
    provisionedIo: Figure<'USD/month'>
    shards: Figure<'USD/month'>
    backup: Figure<'USD/month'>
    archive: Figure<'USD/month'>
    transfer: Figure<'USD/month'>
  }
  /** All lines, times the region's factor. */
  total(month: number): Figure<'USD/month'>
  /** Of those who run it; on no bill. */
  labour(month: number): Labour
  /** The total where servers are bound to a term of so many years; null: nothing is published. */
  committed(month: number, years: 1 | 3): { total: Figure<'USD/month'>; source: Source } | null
  /** All of these with what they rest on. */
  bill(month: number): CostLine[]
  /** The same for exactly the fleet that the path has then. */
  planned(month: number): Figure<'USD/month'>
  horizon: Figure<'USD'>
  perMillionOperations: Figure<'USD/million operations'>
}
const regionFactor = assumed(1, 1.1, 1.2)
/** Share of the reads that leave their zone. */
const readsAcrossZones = assumed(0, 0.5, 0.67)

/** Nobody knows what a change takes before it was tried. */
const migrationEffort = assumed(0.5, 1, 2)

/** null where the catalogue has no priced servers for this product, or no disks for them. */
export function costOf(plan: CapacityPlan, catalogue: Catalogue, demand: Demand, seed: number, draws?: number): CostPlan | null {
  const { blockStorage } = catalogue
  if (blockStorage === undefined) return null
  const name = plan.candidate
  const { topology } = plan.facts
  const shapes = undominated(
    catalogue.instances.filter(
      (shape) => shape.usdPerHour !== null && (shape.localDiskGib === undefined || topology.localDisk) && fitsLeast(shape, plan.facts),
    ),
  )
  if (shapes.length === 0) return null
  const terms = plan.terms(blockStorage, shapes)
  const { regions } = demand.scenario.requirements
  const elsewhere = regions.length > 0 && !regions.includes(catalogue.region)
  const region = given(
    `cost.regionFactor`,
    'ratio',
    elsewhere ? regionFactor : 1,
    elsewhere ? 'assumed' : 'vendor',
    elsewhere ? `${regions.join(', ')} priced as ${catalogue.region} × 1.0–1.2` : `${catalogue.source}, ${catalogue.region}`,
  )
  const memo = new FigureMemo()
  const purchases = purchasesOf(plan, shapes, blockStorage, demand, seed, draws)
  if (purchases === null) return null
  const choice = (month: number) => memo.once(`cost.${name}.choice@${month}`, () => plan.choice(month, shapes, blockStorage, `cost.${name}.choice`))
  const across = given(`cost.readsAcrossZones`, 'share', readsAcrossZones, 'assumed', 'share of the reads whose caller is in another zone')
  const line = (what: keyof typeof lineFormulas, month: number, path = `cost.${name}.${what}@${month}`, of = choice) =>
    memo.once(path, () => {
      const inputs = [...plan.needFigures(month), of(month)]
      const need = {} as Need
      return derivedFrom(path, 'USD/month', lineFormulas[what], inputs, (values) => {
        const fleet = choiceOf(values[inputs.length - 1] as number)
        const shape = shapes[fleet.shape] as Shape
        const each = linesOf(shape, { ...fleet, nodes: nodesOf(fleet, topology) }, plan.needOf(values, need), terms, shape.usdPerHour as number)
        return what === 'infrastructure' ? each.servers + each.storage + each.provisionedIo + each.shards : each[what]
      })
    })
  const lines = (month: number) => ({
    servers: line('servers', month),
    storage: line('storage', month),
    provisionedIo: line('provisionedIo', month),
    shards: line('shards', month),
    backup: memo.once(`cost.${name}.backup@${month}`, () => backupOf(plan, catalogue, month)),
    archive: memo.once(`cost.${name}.archive@${month}`, () => archiveOf(plan, catalogue, demand, month)),
    transfer: memo.once(`cost.${name}.transfer@${month}`, () => transferOf(month)),
  })
  const totalOf = (path: string, month: number, servers: number, infrastructure = line('infrastructure', month)) =>
    memo.once(path, () => {
      const own = lines(month)
      const share = servers === 1 ? '' : ` × ${servers}`
      return derivedFrom(
        path,
        'USD/month',
        `(servers${share} + storage + provisionedIo + shards + backup + archive + transfer) × regionFactor`,
        [own.servers, infrastructure, own.backup, own.archive, own.transfer, region],
        (values) => {
          const [server, all, kept, archived, moved, factor] = values as [number, number, number, number, number, number]
          return (all - server * (1 - servers) + kept + archived + moved) * factor
        },
      )
    })
  const total = (month: number) => totalOf(`cost.${name}.total@${month}`, month, 1)
  const bought = (month: number) =>
    memo.once(`cost.${name}.bought@${month}`, () =>
      given(`cost.${name}.bought@${month}`, 'ratio', encodeChoice(boughtIn(purchases, month)), 'derived', 'the fleet of the path'),
    )
  const planned = (month: number) =>
    totalOf(`cost.${name}.planned@${month}`, month, 1, line('infrastructure', month, `cost.${name}.plannedInfrastructure@${month}`, bought))
  const effort = given(
    'plan.migrationEffort',
    'ratio',
    migrationEffort,
    'assumed',
    'of the hours and the double servers that a change is planned with',
  )
  const migrationUsd = purchases.changes.reduce((sum, { usd }) => sum + usd, 0)
  const own = plan.operations
  const average = sumOf(
    `cost.${name}.averageRate`,
    'operations/s',
    own.map((operation) => demand.rate(operation, 0)),
  )
  const beside = {
    lines,
    labour: (month: number) => labourOf(name, month, topology, choice(month), demand.scenario),
    committed: (month: number, years: 1 | 3) => {
      const term = catalogue.terms.filter((each) => each.years === years).sort((a, b) => a.ofOnDemand - b.ofOnDemand)[0]
      if (term === undefined) return null
      const listed = term.source === undefined ? undefined : catalogue.sources[term.source]
      return {
        total: totalOf(`cost.${name}.committed${years}@${month}`, month, term.ofOnDemand),
        source: { from: `servers × ${term.ofOnDemand}, as ${term.what}: ${listed?.from ?? catalogue.source}`, date: listed?.date ?? null },
      }
    },
  }
  // Drawn once, told once: the same figures whenever they are asked for.
  const bills = new Map<number, CostLine[]>()
  const bill = (month: number) => {
    const made = bills.get(month) ?? billOf(beside, catalogue, topology.localDisk, month)
    bills.set(month, made)
    return made
  }
  return {
    ...beside,
    block: blockStorage,
    shapes,
    purchases,
    choice,
    total,
    bill,
    planned,
    horizon: derivedFrom(
      `cost.${name}.horizon`,
      'USD',
      `sum of ${demand.months} months, straight between months ${demand.sampledMonths.join(', ')}, and ${purchases.changes.length} changes of ${Math.round(migrationUsd)} USD in all × migrationEffort`,
      [...demand.sampledMonths.map(total), effort],
      (values) => sumBetween(demand.sampledMonths, values) + migrationUsd * (values[demand.sampledMonths.length] as number),
    ),
    perMillionOperations: derived(
      `cost.${name}.perMillionOperations`,
      'USD/million operations',
      'total of month 0 ÷ (averageRate × seconds of a month ÷ 10⁶)',
      [total(0), average],
      (usd, rate) => usd / Math.max(1e-12, (rate * secondsPerMonth) / 1e6),
    ),
  }

  /** Each copy beyond the first is in another zone, and both directions are charged: a ring sends values, all others their log. */
  function transferOf(month: number): Figure<'USD/month'> {
    const perByte = ((catalogue.transferUsdPerGb?.betweenZones ?? 0) * 2 * secondsPerMonth) / bytesPerBilledGb
    const sums = [true, false].map((reads) =>
      sumOf(
        `cost.${name}.${reads ? 'read' : 'written'}Payload@${month}`,
        'bytes/s',
        own
          .filter((operation) => isReadOperation(operation) === reads)
          .map((operation) =>
            productOf(`cost.${name}.${operation.name}.payload@${month}`, 'bytes/s', 'rate × payload', [
              demand.rate(operation, month),
              plan.payload(operation),
            ]),
          ),
      ),
    ) as [Figure<'bytes/s'>, Figure<'bytes/s'>]
    return derived(
      `cost.${name}.transfer@${month}`,
      'USD/month',
      `(readPayload × readsAcrossZones + ${topology.kind === 'ring' ? 'writtenPayload' : 'max(writtenPayload, log)'} × ${topology.copies - 1}) × seconds of a month × 2 × price between zones`,
      [sums[0], across, sums[1], logBytesPerSecond(plan, demand, month)],
      (read, share, written, log) => (read * share + (topology.kind === 'ring' ? written : Math.max(written, log)) * (topology.copies - 1)) * perByte,
    )
  }
}

/** Of every month but the last, on straight lines between those that are known. */
function sumBetween(months: readonly number[], values: readonly number[]): number {
  let sum = 0
  for (let at = 1; at < months.length; at++) {
    const [from, to] = [values[at - 1] as number, values[at] as number]
    const span = (months[at] as number) - (months[at - 1] as number)
    // span values from `from` on, each a span-th of the way further.
    sum += span * from + ((to - from) * (span - 1)) / 2
  }
  return sum
}

const lineFormulas = {
  infrastructure: 'servers + storage + provisionedIo + shards',
  servers: `nodes × price an hour × ${hoursPerMonth} h, and what stands beside the parts`,
  storage: 'nodes × volume ÷ 0.75 × price of block storage',
  provisionedIo: 'I/O and throughput beyond what comes with the volume',
  shards: 'labour of each shard beside the first, and of dividing where the product does not',
}
