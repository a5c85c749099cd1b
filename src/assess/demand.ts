/** What production will ask for, month by month: rows and rates, from the growth that the scenario states. */
import { type Entity, entityOf, type Operation, type Scenario, writesOf } from '../scenario/scenario.ts'
import { monthMs } from '../scenario/units.ts'
import { assumed, derived, type Figure, given, productOf } from './figure.ts'

/** A stated growth is a wish: it is drawn between these shares of itself. */
const growthSpread = { low: 0.5, high: 1.5 }
const defaultHorizonMonths = 36
const mostSampled = 9

export class Demand {
  readonly scenario: Scenario
  /** Months 0 (now) to `months` (the horizon). */
  readonly months: number
  /** Those that costs are drawn for: ten at most, the first and the last among them; what lies between lies on a straight line. */
  readonly sampledMonths: number[]
  readonly peak: Figure<'multiple'>
  readonly #figures = new Map<string, Figure>()

  constructor(scenario: Scenario) {
    this.scenario = scenario
    const { horizonMs, peak } = scenario.requirements
    this.months = horizonMs === null ? defaultHorizonMonths : Math.max(1, Math.round(horizonMs / monthMs))
    const step = Math.ceil(this.months / mostSampled)
    this.sampledMonths = Array.from({ length: this.months + 1 }, (_, month) => month).filter((month) => month % step === 0 || month === this.months)
    this.peak = given('demand.peak', 'multiple', peak, 'stated', 'requirements.peak')
  }

  rows(entity: Entity, month: number): Figure<'rows'> {
    const path = `demand.${entity.name}.rows@${month}`
    return this.#once(path, () => {
      if (entity.owner !== null) {
        const owner = this.rows(entityOf(this.scenario, entity.owner.entity), month)
        const mean = given(`demand.${entity.name}.perOwner`, 'ratio', entity.owner.mean, 'stated', `entities.${entity.name}.per_owner`)
        return productOf(path, 'rows', 'rows of the owner × perOwner', [owner, mean])
      }
      const count = given(`demand.${entity.name}.count`, 'rows', entity.count, 'stated', `entities.${entity.name}.count`)
      const stock = derived(
        `demand.${entity.name}.stock@${month}`,
        'rows',
        `count × (1 + growth)^${month}`,
        [count, this.#growth(entity)],
        (rows, growth) => rows * (1 + growth) ** month,
      )
      const kept = this.#kept(entity, month)
      if (kept === null) return { ...stock, path }
      return derived(path, 'rows', 'min(stock, max(count, kept))', [stock, count, kept], (grown, now, held) => Math.min(grown, Math.max(now, held)))
    })
  }

  /** Average over the day. */
  rate(operation: Operation, month: number): Figure<'operations/s'> {
    const path = `demand.${operation.name}.rate@${month}`
    return this.#once(path, () => {
      const now = given(`demand.${operation.name}.rate`, 'operations/s', operation.ratePerSecond, 'stated', `operations.${operation.name}.rate`)
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
    return this.#once(path, () => {
      const rate = this.rate(operation, month)
      return operation.scales
        ? productOf(path, 'operations/s', 'rate × peak', [rate, this.peak])
        : productOf(path, 'operations/s', 'rate (scales: false)', [rate])
    })
  }

  /** At most what was inserted during the time that rows are kept; null where nothing is inserted or all is kept. */
  #kept(entity: Entity, month: number): Figure<'rows'> | null {
    const keptMs = entity.ttlMs ?? entity.retentionMs
    if (keptMs === null) return null
    const inserts = this.scenario.operations.flatMap((operation) => {
      const share = writesOf(operation).reduce(
        (sum, write) =>
          write.entity !== entity.name ? sum : write.kind === 'insert' ? sum + 1 : write.kind === 'put' ? sum + (1 - write.existingShare) : sum,
        0,
      )
      return share === 0 ? [] : [{ operation, share }]
    })
    const [first] = inserts
    if (first === undefined) return null
    const perSecond = given(
      `demand.${entity.name}.insertRate`,
      'rows/s',
      inserts.reduce((sum, { operation, share }) => sum + operation.ratePerSecond * share, 0),
      'stated',
      `rates of ${inserts.map(({ operation }) => operation.name).join(', ')}`,
    )
    const months = keptMs / monthMs
    return derived(
      `demand.${entity.name}.kept@${month}`,
      'rows',
      `inserts of the last ${Number(months.toPrecision(3))} months before month ${month}, growing`,
      [perSecond, this.#loadGrowth(first.operation)],
      (rate, growth) => {
        const perMonth = (rate * monthMs) / 1000
        const log = Math.log1p(growth)
        // ∫ of perMonth·e^(log·t) over the last `months`.
        return log < 1e-9 ? perMonth * months : (perMonth * Math.exp(log * month) * -Math.expm1(-log * months)) / log
      },
    )
  }

  #growth(entity: Entity): Figure<'ratio'> {
    return this.#growthFigure(entity.name, entity.growthPerMonth, `entities.${entity.name}.growth`)
  }

  /** The load follows the rows unless the scenario says otherwise: then one draw moves both. */
  #loadGrowth(operation: Operation): Figure<'ratio'> {
    const entity = entityOf(this.scenario, operation.entity)
    const owner = entity.owner === null ? entity : entityOf(this.scenario, entity.owner.entity)
    return operation.loadGrowthPerMonth === owner.growthPerMonth
      ? this.#growth(owner)
      : this.#growthFigure(`load.${operation.name}`, operation.loadGrowthPerMonth, `operations.${operation.name}.load_growth`)
  }

  #growthFigure(name: string, perMonth: number, source: string): Figure<'ratio'> {
    return this.#once(`demand.${name}.growth`, () =>
      given(
        `demand.${name}.growth`,
        'ratio',
        assumed(perMonth * growthSpread.low, perMonth, perMonth * growthSpread.high),
        'stated',
        `${source}, a month; half to one and a half of it is assumed`,
      ),
    )
  }

  #once<U extends Figure['unit']>(path: string, make: () => Figure<U>): Figure<U> {
    const known = this.#figures.get(path) as Figure<U> | undefined
    if (known !== undefined) return known
    const made = make()
    this.#figures.set(path, made)
    return made
  }
}
