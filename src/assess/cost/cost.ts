/** What a plan costs: one path of fleets of a catalogue, month by month, with every line. */
import { secondsPerMonth } from '../../scenario/units.ts'
import { isReadOperation } from '../capacity/calls.ts'
import type { Demand } from '../demand/demand.ts'
import { diskBytesOf } from '../demand/need.ts'
import { assumed, derived, derivedFrom, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import type { CapacityPlan } from '../fleet/capacity-plan.ts'
import { isAffordable, usdOf } from '../fleet/cheapest.ts'
import { choiceOf, encodeChoice, fleetText } from '../fleet/choice.ts'
import { readsAcrossZones } from '../fleet/plan-assumptions.ts'
import { fitsLeast } from '../fleet/plan-facts.ts'
import { type Purchases, purchasesOf } from '../fleet/purchases.ts'
import { type Need, nodesOf, type Terms } from '../fleet/supply.ts'
import { undominated } from '../fleet/undominated.ts'
import { billOf, type CostLine, type Source } from './bill.ts'
import { hoursPerMonth, linesOf } from './fleet-cost.ts'
import { archivedRowsOf, archiveOf, backupOf, logBytesPerSecond } from './kept.ts'
import { type Labour, labourOf } from './labour.ts'
import { type BlockStorage, bytesPerBilledGb, type Catalogue, type Shape } from './prices.ts'

export interface CostPlan {
  block: BlockStorage
  /** Of the catalogue's servers, those that another one does not beat in everything. */
  shapes: Shape[]
  /** What is bought, and when: one path for all draws. */
  purchases: Purchases
  /** The fleet that the path has then, for `choiceOf`. */
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
  /** Of rows that left the tables; null: none does. */
  archivedRows(month: number): Figure<'USD/month'> | null
  /** All lines of that fleet, times the region's factor. */
  total(month: number): Figure<'USD/month'>
  /** The same for the cheapest fleet that carries each draw, as if its numbers had been known: what moves it is asked of this one. */
  needed(month: number): Figure<'USD/month'>
  /** 1 where a fleet that carries the draw is within the budget in that month, else 0; null: there is no budget. */
  affordable(month: number): Figure<'ratio'> | null
  /** What a region without a price list of its own adds; null: it has one. */
  regionExtra(month: number): Figure<'USD/month'> | null
  /** Of those who run it; on no bill. */
  labour(month: number): Labour
  /** The total where servers are bound to a term of so many years; null: nothing is published. */
  committed(month: number, years: 1 | 3): { total: Figure<'USD/month'>; source: Source } | null
  /** All of these with what they rest on. */
  bill(month: number): CostLine[]
  horizon: Figure<'USD'>
  /** Of the twelve months of a year, from 1 on, without what changes cost once. */
  year(year: number): Figure<'USD'>
  perMillionOperations: Figure<'USD/million operations'>
}
const regionFactor = assumed(1, 1.1, 1.2)
/** Nobody knows what a change takes before it was tried. */
const migrationEffort = assumed(0.5, 1, 2)

/** Servers of a catalogue that the product can run on; none where it prices none, or no disks for them. */
export const pricedShapes = ({ facts }: CapacityPlan, { instances, blockStorage }: Catalogue): Shape[] =>
  blockStorage === undefined
    ? []
    : undominated(
        instances.filter(
          (shape) => shape.usdPerHour !== null && (shape.localDiskGib === undefined || facts.topology.localDisk) && fitsLeast(shape, facts),
        ),
      )

/** null where the catalogue has no priced servers for this product, or no disks for them; or no fleet of it carries any draw of today. */
export function costOf(plan: CapacityPlan, catalogue: Catalogue, demand: Demand, seed: number, draws?: number): CostPlan | null {
  const { blockStorage } = catalogue
  if (blockStorage === undefined) return null
  const shapes = pricedShapes(plan, catalogue)
  const purchases = shapes.length === 0 ? null : purchasesOf(plan, shapes, blockStorage, demand, seed, draws)
  return purchases === null ? null : new Cost(plan, catalogue, demand, { block: blockStorage, shapes, purchases })
}

type Month = Figure<'USD/month'>

class Cost implements CostPlan {
  readonly block: BlockStorage
  readonly shapes: Shape[]
  readonly purchases: Purchases
  readonly #plan: CapacityPlan
  readonly #catalogue: Catalogue
  readonly #demand: Demand
  readonly #name: string
  readonly #terms: Terms
  /** The scenario wants regions, and this catalogue is of none of them. */
  readonly #isElsewhere: boolean
  readonly #region: Figure<'ratio'>
  readonly #across = readsAcrossZones()
  readonly #memo = new FigureMemo()
  // Drawn once, told once: the same figures whenever they are asked for.
  readonly #bills = new Map<number, CostLine[]>()

  constructor(plan: CapacityPlan, catalogue: Catalogue, demand: Demand, bought: Pick<CostPlan, 'block' | 'shapes' | 'purchases'>) {
    this.#plan = plan
    this.#catalogue = catalogue
    this.#demand = demand
    this.#name = plan.candidate
    this.block = bought.block
    this.shapes = bought.shapes
    this.purchases = bought.purchases
    this.#terms = plan.terms(bought.block, bought.shapes)
    const { regions } = demand.scenario.requirements
    this.#isElsewhere = regions.length > 0 && !regions.includes(catalogue.region)
    this.#region = given(
      `cost.regionFactor`,
      'ratio',
      this.#isElsewhere ? regionFactor : 1,
      this.#isElsewhere ? 'assumed' : 'vendor',
      this.#isElsewhere ? `${regions.join(', ')} priced as ${catalogue.region} × 1.0–1.2` : `${catalogue.source}, ${catalogue.region}`,
    )
  }

  choice(month: number): Figure<'ratio'> {
    return this.#memo.once(`cost.${this.#name}.choice@${month}`, (path) => {
      const bought = encodeChoice(this.purchases.fleet(month))
      // Its inputs are what it was chosen by, over all draws: none of them has another fleet.
      const figure = derivedFrom(
        path,
        'ratio',
        `one fleet for all draws, bought to carry ${percentOf(this.purchases.target)} of them`,
        this.#plan.needFigures(month),
        () => bought,
      )
      return { ...figure, display: (value: number) => fleetText(choiceOf(value), this.shapes) }
    })
  }

  #cheapestChoice(month: number): Figure<'ratio'> {
    const path = `cost.${this.#name}.cheapest`
    return this.#memo.once(`${path}@${month}`, () => this.#plan.choice(month, this.shapes, this.block, path))
  }

  lines(month: number) {
    const once = (what: string, make: () => Month) => this.#memo.once(`cost.${this.#name}.${what}@${month}`, make)
    return {
      servers: this.#line('servers', month),
      storage: this.#line('storage', month),
      provisionedIo: this.#line('provisionedIo', month),
      shards: this.#line('shards', month),
      backup: once('backup', () => backupOf(this.#plan, this.#catalogue, month)),
      archive: once('archive', () => archiveOf(this.#plan, this.#catalogue, this.#demand, month)),
      transfer: once('transfer', () => this.#transfer(month)),
    }
  }

  archivedRows(month: number): Month | null {
    const figure = archivedRowsOf(this.#plan, this.#catalogue, this.#demand, month)
    return figure === null ? null : this.#memo.once(figure.path, () => figure)
  }

  /** All that lies in object storage but copies of the data. */
  #objects(month: number): Month {
    const [{ archive }, archivedRows] = [this.lines(month), this.archivedRows(month)]
    if (archivedRows === null) return archive
    return this.#memo.once(`cost.${this.#name}.objects@${month}`, (path) => sumOf(path, 'USD/month', [archive, archivedRows]))
  }

  #line(what: keyof typeof lineFormulas, month: number): Month {
    // What is bought has room until the next look.
    return this.#fleetLine(`cost.${this.#name}.${what}@${month}`, what, month, () => this.choice(month), this.purchases.stage(month).until)
  }

  /** `filledBy`: the month whose data its volumes hold. */
  #fleetLine(path: string, what: keyof typeof lineFormulas, month: number, choice: () => Figure<'ratio'>, filledBy: number): Month {
    return this.#memo.once(path, () => {
      const plan = this.#plan
      const inputs = [...plan.needFigures(month), choice(), diskBytesOf(plan.needFigures(filledBy))]
      const need = {} as Need
      return derivedFrom(path, 'USD/month', lineFormulas[what], inputs, (values) => {
        const fleet = choiceOf(values[inputs.length - 2] as number)
        const shape = this.shapes[fleet.shape] as Shape
        plan.needOf(values, need).bytes = values[inputs.length - 1] as number
        const nodes = nodesOf(fleet, plan.facts.topology)
        const each = linesOf(shape, { ...fleet, nodes }, need, this.#terms, shape.usdPerHour as number)
        return what === 'infrastructure' ? each.servers + each.storage + each.provisionedIo + each.shards : each[what]
      })
    })
  }

  total(month: number): Month {
    return this.#totalOf(`cost.${this.#name}.total@${month}`, month, 1, this.#line('infrastructure', month))
  }

  needed(month: number): Month {
    const path = `cost.${this.#name}.neededInfrastructure@${month}`
    // What each draw would need is of its own month.
    const infrastructure = this.#fleetLine(path, 'infrastructure', month, () => this.#cheapestChoice(month), month)
    return this.#totalOf(`cost.${this.#name}.needed@${month}`, month, 1, infrastructure)
  }

  /** `servers`: share of their price that is paid. */
  #totalOf(path: string, month: number, servers: number, infrastructure: Month): Month {
    return this.#memo.once(path, () => {
      const own = this.lines(month)
      const share = servers === 1 ? '' : ` × ${servers}`
      return derivedFrom(
        path,
        'USD/month',
        `(servers${share} + storage + provisionedIo + shards + backup + ${this.archivedRows(month) === null ? 'archive' : 'objects'} + transfer) × regionFactor`,
        [own.servers, infrastructure, own.backup, this.#objects(month), own.transfer, this.#region],
        (values) => {
          const [server, all, kept, archived, moved, factor] = values as [number, number, number, number, number, number]
          return (all - server * (1 - servers) + kept + archived + moved) * factor
        },
      )
    })
  }

  regionExtra(month: number): Month | null {
    if (!this.#isElsewhere) return null
    return this.#memo.once(`cost.${this.#name}.regionExtra@${month}`, (path) =>
      derived(path, 'USD/month', 'total − total ÷ regionFactor', [this.total(month), this.#region], (usd, factor) => usd - usd / factor),
    )
  }

  labour(month: number): Labour {
    return labourOf(this.#name, month, this.#plan.facts.topology, this.choice(month), this.#demand.scenario)
  }

  committed(month: number, years: 1 | 3): { total: Month; source: Source } | null {
    const { terms, sources, source } = this.#catalogue
    const term = terms.filter((each) => each.years === years).sort((a, b) => a.ofOnDemand - b.ofOnDemand)[0]
    if (term === undefined) return null
    const listed = term.source === undefined ? undefined : sources[term.source]
    const path = `cost.${this.#name}.committed${years}@${month}`
    return {
      total: this.#totalOf(path, month, term.ofOnDemand, this.#line('infrastructure', month)),
      source: { from: `servers × ${term.ofOnDemand}, as ${term.what}: ${listed?.from ?? source}`, date: listed?.date ?? null },
    }
  }

  bill(month: number): CostLine[] {
    const made = this.#bills.get(month) ?? billOf(this, this.#catalogue, this.#plan.facts.topology.localDisk, month)
    this.#bills.set(month, made)
    return made
  }

  get horizon(): Figure<'USD'> {
    const { months } = this.#demand
    const { changes } = this.purchases
    const migrationUsd = changes.reduce((sum, { usd }) => sum + usd, 0)
    const effort = given(
      'plan.migrationEffort',
      'ratio',
      migrationEffort,
      'assumed',
      'of the hours and the double servers that a change is planned with',
    )
    const told = this.#toldMonths(0, months)
    return this.#memo.once(`cost.${this.#name}.horizon`, (path) =>
      derivedFrom(
        path,
        'USD',
        `sum of ${months} months, straight between months ${told.join(', ')}, and ${changes.length} changes of ${Math.round(migrationUsd)} USD in all × migrationEffort`,
        [...told.map((month) => this.total(month)), effort],
        (values) => sumBetween(told, values) + migrationUsd * (values[told.length] as number),
      ),
    )
  }

  year(year: number): Figure<'USD'> {
    const told = this.#toldMonths(12 * (year - 1), 12 * year)
    return this.#memo.once(`cost.${this.#name}.year${year}`, (path) =>
      derivedFrom(
        path,
        'USD',
        `sum of 12 months, straight between months ${told.join(', ')}`,
        told.map((month) => this.total(month)),
        (values) => sumBetween(told, values),
      ),
    )
  }

  /** A price leaps where the fleet changes: on either side of it lies a month of its own. */
  #toldMonths(from: number, until: number): number[] {
    const leaps = this.purchases.changes.flatMap(({ month }) => [month - 1, month])
    return [...new Set([from, ...this.#demand.sampledMonths, ...leaps, until])]
      .filter((month) => month >= from && month <= until)
      .sort((a, b) => a - b)
  }

  get perMillionOperations(): Figure<'USD/million operations'> {
    return this.#memo.once(`cost.${this.#name}.perMillionOperations`, (path) => {
      const rates = this.#plan.operations.map((operation) => this.#demand.rate(operation, 0))
      return derived(
        path,
        'USD/million operations',
        'total of month 0 ÷ (averageRate × seconds of a month ÷ 10⁶)',
        [this.total(0), sumOf(`cost.${this.#name}.averageRate`, 'operations/s', rates)],
        (usd, rate) => usd / Math.max(1e-12, (rate * secondsPerMonth) / 1e6),
      )
    })
  }

  affordable(month: number): Figure<'ratio'> | null {
    const most = this.#demand.scenario.requirements.budgetUsdPerMonth
    return most === null ? null : this.#memo.once(`cost.${this.#name}.affordable@${month}`, (path) => this.#affordableOf(path, month, most))
  }

  #affordableOf(path: string, month: number, most: number): Figure<'ratio'> {
    const { fleet, suffices, stage } = this.purchases
    const own = this.lines(month)
    const needs = this.#plan.needFigures(month)
    const inputs = [...needs, own.backup, this.#objects(month), own.transfer, this.#region, diskBytesOf(this.#plan.needFigures(stage(month).until))]
    const need = {} as Need
    const bought = fleet(month)
    let likely = bought.shape
    return derivedFrom(path, 'ratio', `1 where a fleet that carries it costs at most ${most} USD a month`, inputs, (values) => {
      const [kept, archived, moved, factor, bytes] = values.slice(needs.length) as [number, number, number, number, number]
      const left = most / factor - kept - archived - moved
      this.#plan.needOf(values, need).bytes = bytes
      if (suffices(bought, need) && usdOf(this.shapes[bought.shape] as Shape, bought, need, this.#terms) <= left) return 1
      const found = isAffordable(this.shapes, need, this.#terms, left, likely)
      likely = found.shape
      return found.within ? 1 : 0
    })
  }

  /** Each copy beyond the first is in another zone, and both directions are charged: a ring sends values, all others their log. */
  #transfer(month: number): Month {
    const { topology } = this.#plan.facts
    const perByte = ((this.#catalogue.transferUsdPerGb?.betweenZones ?? 0) * 2 * secondsPerMonth) / bytesPerBilledGb
    return derived(
      `cost.${this.#name}.transfer@${month}`,
      'USD/month',
      `(readPayload × readsAcrossZones + ${topology.kind === 'ring' ? 'writtenPayload' : 'max(writtenPayload, log)'} × ${topology.copies - 1}) × seconds of a month × 2 × price between zones`,
      [this.#payload('read', month), this.#across, this.#payload('written', month), logBytesPerSecond(this.#plan, this.#demand, month)],
      (read, share, written, log) => (read * share + (topology.kind === 'ring' ? written : Math.max(written, log)) * (topology.copies - 1)) * perByte,
    )
  }

  #payload(which: 'read' | 'written', month: number): Figure<'bytes/s'> {
    return sumOf(
      `cost.${this.#name}.${which}Payload@${month}`,
      'bytes/s',
      this.#plan.operations
        .filter((operation) => isReadOperation(operation) === (which === 'read'))
        .map((operation) =>
          productOf(`cost.${this.#name}.${operation.name}.payload@${month}`, 'bytes/s', 'rate × payload', [
            this.#demand.rate(operation, month),
            this.#plan.payload(operation),
          ]),
        ),
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

const percentOf = (share: number) => `${Number((share * 100).toPrecision(3))} %`

const lineFormulas = {
  infrastructure: 'servers + storage + provisionedIo + shards',
  servers: `nodes × price an hour × ${hoursPerMonth} h, and what stands beside the parts`,
  storage: 'nodes × volume that is as full as diskFill at the next look × price of block storage',
  provisionedIo: 'I/O and throughput beyond what comes with the volume',
  shards: 'labour of each shard beside the first, and of dividing where the product does not',
}
