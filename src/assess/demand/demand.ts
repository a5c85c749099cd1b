/** What production will ask for, month by month: rows and rates, from the growth that the scenario states. */
import { newestShare } from '../../families/sizes.ts'
import { tiersOf } from '../../scenario/ages.ts'
import { type Entity, entityOf, type Operation, type PickLaw, renewsLife, rootOf, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { monthMs, secondsPerMonth } from '../../scenario/units.ts'
import { assumed, derived, derivedFrom, type Figure, given, productOf, sumOf } from '../figures/figure.ts'
import { FigureMemo } from '../figures/figure-memo.ts'
import { middleOf } from '../figures/simulate.ts'
import { agedIn } from './ages.ts'

/** A stated growth, or peak, is a wish: it is drawn between these shares of itself. */
const growthSpread = assumed(0.5, 1, 1.5)
const peakSpread = assumed(0.8, 1, 1.25)
const defaultHorizonMonths = 36
const maxRows = 1e18
const mostPerSecond = 1e12
const maxSampled = 9
const dayMs = 86_400_000
/** What is told of every plan. */
const aYear = 12

export class Demand {
  readonly scenario: Scenario
  /** Months 0 (now) to `months` (the horizon). */
  readonly months: number
  /** Those that costs are drawn for: eleven at most, the first, the twelfth and the last among them; what lies between lies on a straight line. */
  readonly sampledMonths: number[]
  readonly peak: Figure<'multiple'>
  readonly #memo = new FigureMemo()

  constructor(scenario: Scenario) {
    this.scenario = scenario
    const { horizonMs, peak } = scenario.requirements
    this.months = horizonMs === null ? defaultHorizonMonths : Math.max(1, Math.round(horizonMs / monthMs))
    const step = Math.ceil(this.months / maxSampled)
    this.sampledMonths = Array.from({ length: this.months + 1 }, (_, month) => month).filter(
      (month) => month % step === 0 || month === aYear || month === this.months,
    )
    this.peak = productOf('demand.peak', 'multiple', 'statedPeak × peakSpread', [
      given('demand.statedPeak', 'multiple', peak, 'stated', 'requirements.peak'),
      given('demand.peakSpread', 'ratio', peakSpread, 'assumed', 'how far a peak lies from what was stated'),
    ])
  }

  /** What grows beyond all that could be bought, as a sentence; null: nothing does. Fleets without end would be counted for it. */
  beyond(): string | null {
    const times = (growth: number) => (1 + growth * growthSpread.high) ** this.months
    const rows = this.scenario.entities.find((entity) => entity.count * times(entity.growthPerMonth) > maxRows)
    if (rows !== undefined)
      return `${rows.name} would have more than 10¹⁸ rows within ${this.months} months: plan with a smaller growth or a shorter horizon`
    const calls = this.scenario.operations.find((operation) => operation.ratePerSecond * times(operation.loadGrowthPerMonth) > mostPerSecond)
    return calls === undefined
      ? null
      : `${calls.name} would be called more than 10¹² times a second within ${this.months} months: plan with a smaller growth or a shorter horizon`
  }

  /** In the tables. */
  rows(entity: Entity, month: number): Figure<'rows'> {
    const { archiveAfterMs } = entity
    if (archiveAfterMs === undefined) return this.all(entity, month)
    return this.#memo.once(`demand.${entity.name}.inTables@${month}`, (path) =>
      productOf(path, 'rows', 'rows × newest', [this.all(entity, month), this.newest(entity, archiveAfterMs, month)]),
    )
  }

  /** With those that are archived. */
  all(entity: Entity, month: number): Figure<'rows'> {
    const path = `demand.${entity.name}.rows@${month}`
    return this.#memo.once(path, () => {
      if (entity.owner !== null) {
        const owner = this.rows(entityOf(this.scenario, entity.owner.entity), month)
        const mean = given(`demand.${entity.name}.perOwner`, 'ratio', entity.owner.mean, 'stated', `entities.${entity.name}.per_owner`)
        const drift = this.linesDrift(entity, month)
        return drift === null
          ? productOf(path, 'rows', 'rows of the owner × perOwner', [owner, mean])
          : productOf(path, 'rows', 'rows of the owner × perOwner × linesDrift', [owner, mean, drift])
      }
      const count = given(`demand.${entity.name}.count`, 'rows', entity.count, 'stated', `entities.${entity.name}.count`)
      const stock = this.#stock(entity, count, month)
      const kept = this.#kept(entity, month)
      if (kept === null) return { ...stock, path }
      return derived(path, 'rows', 'min(stock, max(count, kept))', [stock, count, kept], (grown, now, held) => Math.min(grown, Math.max(now, held)))
    })
  }

  /** Those that lie in object storage; null: none of this entity ever does. */
  archived(entity: Entity, month: number): Figure<'rows'> | null {
    if (entity.archiveAfterMs === undefined) return null
    return this.#memo.once(`demand.${entity.name}.archived@${month}`, (path) =>
      derived(path, 'rows', 'rows − inTables', [this.all(entity, month), this.rows(entity, month)], (all, inTables) => Math.max(0, all - inTables)),
    )
  }

  /** Of the rows of a month, archived ones included, those that are no older than this. */
  newest(entity: Entity, spanMs: number, month: number): Figure<'share'> {
    const days = Number((spanMs / dayMs).toPrecision(3))
    return this.#memo.once(`demand.${entity.name}.newest${days}d@${month}`, (path) =>
      derived(path, 'share', `no older than ${days} days, by the ages that follow the growth until then`, [this.all(entity, month)], (rows) =>
        newestShare(agedIn(entity, month, rows), spanMs),
      ),
    )
  }

  /** Which rows an operation asks for in a month: a tier of so many days has the rows that are so new by then, every number at its middle. */
  pick(operation: Operation, month: number): PickLaw {
    const { skew } = operation.pick
    if (skew.kind !== 'tiers') return skew
    const owner = rootOf(this.scenario, entityOf(this.scenario, operation.entity))
    const within = (spanMs: number) => middleOf(this.newest(owner, spanMs, month))
    const { archiveAfterMs } = owner
    if (archiveAfterMs === undefined) return tiersOf(skew.tiers, within)
    const inTables = within(archiveAfterMs)
    const { tiers } = tiersOf(skew.tiers, (spanMs) => Math.min(1, within(spanMs) / inTables))
    // What would be asked of the archive is taken to be asked of the tables.
    const found = tiers.reduce((sum, { rowShare, pickShare }) => sum + (rowShare > 0 ? pickShare : 0), 0)
    return { kind: 'tiers', tiers: tiers.map((tier) => ({ ...tier, pickShare: tier.rowShare > 0 && found > 0 ? tier.pickShare / found : 0 })) }
  }

  /** How many times the rows of an owner are by then what they are now, where owned rows grow otherwise than their owners; null: they do not. */
  linesDrift(owned: Entity, month: number): Figure<'ratio'> | null {
    const owner = rootOf(this.scenario, owned)
    if (owned.growthPerMonth === owner.growthPerMonth) return null
    const path = `demand.${owned.name}.linesDrift@${month}`
    return this.#memo.once(path, () =>
      derived(
        path,
        'ratio',
        `((1 + growth) ÷ (1 + growth of ${owner.name}))^${month}`,
        [this.#growth(owned), this.#growth(owner)],
        (own, owners) => ((1 + own) / (1 + owners)) ** month,
      ),
    )
  }

  /** Average over the day. */
  rate(operation: Operation, month: number): Figure<'operations/s'> {
    const path = `demand.${operation.name}.rate@${month}`
    return this.#memo.once(path, () => {
      const now = given(`demand.${operation.name}.rate`, 'operations/s', operation.ratePerSecond, 'stated', `operations.${operation.name}.rate`)
      // A scheduled job reads more as its table grows; it does not run more often for that.
      if (this.#isScheduled(operation)) return productOf(path, 'operations/s', 'rate (scales: false)', [now])
      return derived(
        path,
        'operations/s',
        `rate × (1 + growth)^${month}`,
        [now, this.#loadGrowth(operation)],
        (rate, growth) => rate * (1 + growth) ** month,
      )
    })
  }

  /** At peak; scheduled jobs do not follow it. */
  peakRate(operation: Operation, month: number): Figure<'operations/s'> {
    const path = `demand.${operation.name}.peakRate@${month}`
    return this.#memo.once(path, () => {
      const rate = this.rate(operation, month)
      return operation.scales
        ? productOf(path, 'operations/s', 'rate × peak', [rate, this.peak])
        : productOf(path, 'operations/s', 'rate (scales: false)', [rate])
    })
  }

  /** What is there grows as stated; what operations insert beyond that, because their rate grows faster, comes on top. */
  #stock(entity: Entity, count: Figure<'rows'>, month: number): Figure<'rows'> {
    const growth = this.#growth(entity)
    const faster = this.#inserts(entity).filter(({ operation }) => this.#loadGrowth(operation) !== growth)
    const path = `demand.${entity.name}.stock@${month}`
    if (faster.length === 0)
      return derived(path, 'rows', `count × (1 + growth)^${month}`, [count, growth], (rows, share) => rows * (1 + share) ** month)
    const inputs = faster.flatMap(({ operation }) => [this.rate(operation, 0), this.#loadGrowth(operation)])
    const names = faster.map(({ operation }) => operation.name).join(', ')
    return derivedFrom(
      path,
      'rows',
      `count × (1 + growth)^${month} + what ${names} inserts in ${month} months beyond that growth`,
      [count, growth, ...inputs],
      ([rows, share, ...others]) => {
        const own = monthsOf(share as number, month)
        const added = faster.reduce(
          (sum, each, at) => sum + (others[2 * at] as number) * each.share * secondsPerMonth * (monthsOf(others[2 * at + 1] as number, month) - own),
          0,
        )
        return (rows as number) * (1 + (share as number)) ** month + Math.max(0, added)
      },
    )
  }

  /** Operations that add rows to an entity, with the rows that a call adds. */
  #inserts(entity: Entity): { operation: Operation; share: number }[] {
    return this.scenario.operations.flatMap((operation) => {
      const share = writesOf(operation).reduce(
        (sum, write) =>
          write.entity !== entity.name ? sum : write.kind === 'insert' ? sum + 1 : write.kind === 'put' ? sum + (1 - write.existingShare) : sum,
        0,
      )
      return share === 0 ? [] : [{ operation, share }]
    })
  }

  /** At most what was inserted during the time that rows are kept; null where nothing is inserted, all is kept, or rows that are touched live on. */
  #kept(entity: Entity, month: number): Figure<'rows'> | null {
    const keptMs = entity.ttlMs ?? entity.retentionMs
    if (keptMs === null || this.scenario.operations.some((operation) => writesOf(operation).some((write) => renewsLife(entity, write)))) return null
    const inserts = this.#inserts(entity)
    if (inserts.length === 0) return null
    const months = keptMs / monthMs
    const last = `the last ${Number(months.toPrecision(3))} months before month ${month}`
    return sumOf(
      `demand.${entity.name}.kept@${month}`,
      'rows',
      inserts.map(({ operation, share }) => {
        const path = `demand.${entity.name}.kept.${operation.name}@${month}`
        const rate = this.rate(operation, 0)
        if (this.#isScheduled(operation)) return productOf(path, 'rows', `rows inserted in ${last}`, [rate], share * secondsPerMonth * months)
        return derived(
          path,
          'rows',
          `rows inserted in ${last}, growing`,
          [rate, this.#loadGrowth(operation)],
          (perSecond, growth) => perSecond * share * secondsPerMonth * (1 + growth) ** month * -monthsOf(growth, -months),
        )
      }),
    )
  }

  /** Unless the scenario gives it a growth of its own. */
  #isScheduled(operation: Operation): boolean {
    return !operation.scales && operation.loadGrowthPerMonth === entityOf(this.scenario, operation.entity).growthPerMonth
  }

  #growth(entity: Entity): Figure<'ratio'> {
    return this.#growthFigure(entity.name, entity.growthPerMonth, `entities.${entity.name}.growth`)
  }

  /** The load follows the rows unless the scenario says otherwise: then one draw moves both. */
  #loadGrowth(operation: Operation): Figure<'ratio'> {
    const entity = entityOf(this.scenario, operation.entity)
    const owner = rootOf(this.scenario, entity)
    return operation.loadGrowthPerMonth === owner.growthPerMonth
      ? this.#growth(owner)
      : this.#growthFigure(`load.${operation.name}`, operation.loadGrowthPerMonth, `operations.${operation.name}.load_growth`)
  }

  #growthFigure(name: string, perMonth: number, source: string): Figure<'ratio'> {
    return this.#memo.once(`demand.${name}.growth`, () =>
      productOf(`demand.${name}.growth`, 'ratio', 'statedGrowth × growthSpread', [
        given(`demand.${name}.statedGrowth`, 'ratio', perMonth, 'stated', `${source}, a month`),
        given(`demand.${name}.growthSpread`, 'ratio', growthSpread, 'assumed', 'how far a growth lies from what was stated'),
      ]),
    )
  }
}

/** ∫ of (1 + growth)^t over so many months from now; of months before now, below zero: as many as they weigh. */
function monthsOf(growth: number, months: number): number {
  const log = Math.log1p(growth)
  return Math.abs(log) < 1e-9 ? months : Math.expm1(log * months) / log
}
