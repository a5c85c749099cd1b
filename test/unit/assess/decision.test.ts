/** The plan and the verdict on saved results: golden, monotone, never NaN; and on degenerate ones. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { costOf, pricedShapes } from '../../../src/assess/cost/cost.ts'
import { type BlockStorage, type Catalogue, caveats, readPrices, type Shape } from '../../../src/assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../../../src/assess/decision/assume.ts'
import { criteriaOf } from '../../../src/assess/decision/criteria.ts'
import { type Decision, type DecisionOptions, decide, verdictOf } from '../../../src/assess/decision/decision.ts'
import { groupsOf, proposePolyglot } from '../../../src/assess/decision/polyglot.ts'
import { applyWhatIf, type WhatIf, weightsAsked } from '../../../src/assess/decision/what-if.ts'
import { Demand } from '../../../src/assess/demand/demand.ts'
import { explain } from '../../../src/assess/figures/explain.ts'
import { type Figure, type Given, reachable } from '../../../src/assess/figures/figure.ts'
import { middleOf, type Spread } from '../../../src/assess/figures/simulate.ts'
import { isPlan, planCapacity } from '../../../src/assess/fleet/capacity-plan.ts'
import { cheapest } from '../../../src/assess/fleet/cheapest.ts'
import { proposeShardKey } from '../../../src/assess/fleet/shard-key.ts'
import { carries } from '../../../src/assess/fleet/supply.ts'
import type { StepName } from '../../../src/assess/fleet/waterfall.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { narrowText } from '../../../src/report/forks.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { makeDocument } from '../../../src/report/report.ts'
import { type Result, readResult } from '../../../src/result/result.ts'
import { readScenario } from '../../../src/scenario/read.ts'
import { entityOf, type Operation } from '../../../src/scenario/scenario.ts'
import { decisionText } from '../../../src/terminal/decision.ts'

const golden = fileURLToPath(new URL('../../golden', import.meta.url))
const names = readdirSync(join(golden, 'results')).map((name) => name.replace('.json', ''))
const results = new Map(names.map((name) => [name, readResult(join(golden, 'results', `${name}.json`))]))
const options: DecisionOptions = { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') }
const decideOn = (result: Result, change: Partial<DecisionOptions> = {}) => decide(result, assess(result), { ...options, ...change })
const plans = (decision: Decision) => decision.candidates.flatMap(({ name, plan }) => (plan === null ? [] : [{ name, plan }]))
const ecommerce = results.get('ecommerce') as Result

test('a verdict alone is that of the whole decision', () => {
  const assessment = assess(ecommerce)
  expect(decide(ecommerce, assessment, options).decision).toMatchObject(verdictOf(ecommerce, assessment, options))
})

describe.each(names)('plan of %s', (name) => {
  const result = results.get(name) as Result
  const { decision } = decideOn(result)

  test('is the one that was looked at', async () => {
    await expect(`${decisionText(decision, result.startedAt)}\n`).toMatchFileSnapshot(join(golden, 'plans', `${name}.txt`))
  })

  test('has no number that is none, in itself or in its report', () => {
    expect(badNumbers(decision)).toEqual([])
    expect(toMarkdown(makeDocument(result, assess(result), decision, []))).not.toMatch(/\b(NaN|Infinity|undefined)\b/)
  })

  test('tells one story: the first number is what the fleet shown costs, in no draw of another one', () => {
    for (const { plan } of plans(decision)) {
      const { now, horizon } = plan.fleet
      expect(plan.usdPerMonth.now).toEqual(now.total)
      expect(plan.usdPerMonth.months[0]).toMatchObject(now.total)
      expect(plan.usdPerMonth.months.at(-1)).toMatchObject(horizon.total)
      for (const { total, lines, suffices, month } of [now, horizon]) {
        const billed = lines.filter((line) => line.billed)
        // Lines are of one fleet at one demand: they add up to the cent.
        const sumOf = (some: typeof lines) => some.reduce((sum, { usdPerMonth }) => sum + usdPerMonth.middle, 0)
        expect(sumOf(billed.filter((line) => line.name !== 'draws'))).toBeCloseTo(total.middle, 2)
        // What is told first is the median of the draws, and the bill comes to it.
        expect(sumOf(billed)).toBeCloseTo(total.p50, 2)
        // Servers are bought once for all draws.
        const servers = lines.find(({ name: line }) => line === 'servers')?.usdPerMonth
        expect(servers?.p10).toBe(servers?.p90)
        // Bought with headroom for the year: nine draws of ten.
        expect(suffices.find((each) => each.month === month)?.probability).toBeGreaterThanOrEqual(0.89)
      }
      // What moves most moves something.
      for (const { path, low, high } of plan.tornado) expect(Math.abs(high / low - 1), path).toBeGreaterThanOrEqual(0.0099)
      for (const { usd } of plan.triggers.slice(1)) expect(Number.isFinite(usd)).toBe(true)
      // No change is forced by what it leaves as short as it was.
      for (const { shortage, threshold } of plan.triggers)
        if (shortage !== null) {
          expect(shortage.before).toBeGreaterThan(1)
          expect(shortage.after).toBeLessThanOrEqual(1 + 1e-9)
          expect(threshold).toContain(`${Math.round(shortage.before * 100)} % of it would be asked, ${Math.round(shortage.after * 100)} % after`)
        }
    }
  })

  test('takes what is bought apart, from one core to whole servers', () => {
    for (const { name: candidate, plan } of plans(decision))
      for (const month of [plan.fleet.now, plan.fleet.horizon]) {
        const { steps, vcpus, until } = month.waterfall
        const of = (step: StepName) => steps.find((each) => each.name === step)?.factor as number
        const vcpusOf = options.catalogues.flatMap(({ instances }) => instances).find((shape) => shape.name === month.shape)?.vcpus as number
        expect(vcpus).toBe(month.servers * vcpusOf)
        expect(steps.reduce((product, { factor }) => product * factor, 1) / vcpus, candidate).toBeCloseTo(1, 6)
        expect(steps.at(-1)?.vcpus).toBeCloseTo(vcpus, 6)
        // What is bought is enough for the draws that it is bought for, and where the CPU decides no more than whole servers take.
        expect(of('whole')).toBeGreaterThanOrEqual(1 - 1e-9)
        // The small ones need less than the smallest servers.
        if (month.bound === 'load' && name === 'ecommerce') expect(of('whole')).toBeLessThan(2)
        expect(of('draws')).toBeGreaterThanOrEqual(1 - 1e-9)
        expect(of('host')).toBeCloseTo(1 / 0.85, 6)
        expect(until).toBeGreaterThan(month.month === 0 ? 0 : decision.months - 1)
        expect(of('peak')).toBeGreaterThan(1)
        expect(of('peak')).toBeLessThanOrEqual(result.scenario.requirements.peak)
      }
  })

  test('explains a price with a narrow range where what is needed has a wide one', () => {
    const markdown = toMarkdown(makeDocument(result, assess(result), decision, []))
    for (const { name: candidate, plan } of plans(decision)) {
      const [widest] = plan.tornado
      const { p10, p90 } = plan.fleet.horizon.total
      const isNarrow = widest !== undefined && Math.abs(widest.high - widest.low) > (4 / 3) * (p90 - p10)
      expect(narrowText(plan) !== null, candidate).toBe(isNarrow)
      if (isNarrow)
        expect(markdown).toMatch(/USD is narrower than what is uncertain, because servers are bought once a year for [\d.]+ % of the draws/)
    }
    for (const { candidate } of decision.forks) expect(decision.candidates.find(({ name: each }) => each === candidate)?.out).toBe(false)
  })

  test('has intervals that contain their middle', () => {
    for (const { plan } of plans(decision))
      for (const spread of [plan.carried, plan.usdToHorizon, ...plan.usdPerMonth.months, ...plan.triggers.map((each) => each.month)]) {
        expect(spread.p10).toBeLessThanOrEqual(spread.p50)
        expect(spread.p90).toBeGreaterThanOrEqual(spread.p50)
      }
  })

  test('buys one fleet, says how likely it suffices and what fails first, and changes it only where its path does', () => {
    for (const { plan } of plans(decision)) {
      const { now, horizon } = plan.fleet
      expect(now.suffices[0]?.month).toBe(0)
      expect(now.suffices.at(-1)?.month).toBe(decision.months)
      for (const { probability, resource } of [...now.suffices, ...horizon.suffices]) expect(resource === null).toBe(probability === 1)
      const bought = plan.triggers.filter((trigger) => trigger.planned !== null)
      for (const { planned } of bought) expect(planned).toBeLessThanOrEqual(decision.months)
      const isSame = now.shape === horizon.shape && now.servers === horizon.servers
      if (bought.length === 0) expect(isSame).toBe(true)
      if (!isSame) expect(bought.length).toBeGreaterThan(0)
      if (now.parts === 1 && horizon.parts > 1) expect(bought.map((trigger) => trigger.stage)).toContain('shards')
    }
  })

  test.each<[string, WhatIf, WhatIf]>([
    ['peak', { peak: '2x' }, { peak: '7x' }],
    ['growth', { growth: `${growing(result)}=1%/month` }, { growth: `${growing(result)}=9%/month` }],
  ])('more %s never costs less', (_, less, more) => {
    const [small, large] = [less, more].map((asked) => plans(decideOn(applyWhatIf(result, asked)).decision)) as [
      ReturnType<typeof plans>,
      ReturnType<typeof plans>,
    ]
    expect(small.length).toBeGreaterThan(0)
    for (const [at, { plan }] of small.entries())
      for (const [month, spread] of plan.usdPerMonth.months.entries()) expectNoLess(large[at]?.plan.usdPerMonth.months[month], spread)
  })

  test('more copies, and higher prices, never cost less', () => {
    const before = plans(decision)
    const copied = structuredClone(result)
    for (const candidate of copied.candidates) (candidate.traits as { plan: { topology: { copies: number } } }).plan.topology.copies++
    const dearer: Catalogue[] = options.catalogues.map((each) => ({
      ...each,
      instances: each.instances.map((shape) => ({ ...shape, usdPerHour: (shape.usdPerHour as number) * 1.3 })),
    }))
    for (const after of [plans(decideOn(copied).decision), plans(decideOn(result, { catalogues: dearer }).decision)])
      for (const [at, { plan }] of before.entries())
        for (const [month, spread] of plan.usdPerMonth.months.entries()) expectNoLess(after[at]?.plan.usdPerMonth.months[month], spread)
  })
})

test.each(results.get('ecommerce')?.candidates.map((candidate) => candidate.name) ?? [])('%s: the cheapest fleet carries any need', (name) => {
  const demand = new Demand(ecommerce.scenario)
  const candidate = ecommerce.candidates.find((each) => each.name === name) as Result['candidates'][number]
  const plan = planCapacity({ candidate, result: ecommerce, demand })
  if (!isPlan(plan)) return
  const prices = options.catalogues[0] as Catalogue
  const [shapes, block] = [pricedShapes(plan, prices), prices.blockStorage as BlockStorage]
  // As if it could be divided, and no call asked every part.
  const terms = { ...plan.terms(block, shapes), divisible: true }
  const today = { ...plan.needOf(plan.needFigures(0).map((figure) => middleOf(figure))), crossing: 0 }
  for (const key of ['load', 'bytes', 'hotBytes', 'pagesPerSecond', 'writesPerSecond', 'networkBytesPerSecond'] as const)
    for (const times of [0.01, 1, 5, 20, 100]) {
      const need = { ...today, [key]: today[key] * times }
      const { shape, parts, members } = cheapest(shapes, need, terms)
      const at = `${key} × ${times}`
      expect(carries(shapes[shape] as Shape, { parts, members }, need, terms), at).toBe(true)
      // What carries a hundredth of it is too small for all of it.
      if (key === 'load' && times === 100) expect(carries(shapes[0] as Shape, { parts: 1, members }, need, terms), at).toBe(false)
    }
})

describe('arithmetic by hand', () => {
  test('bytes are rows times the slope between two shares of one load', () => {
    const demand = new Demand(ecommerce.scenario)
    const candidate = ecommerce.candidates[0] as Result['candidates'][number]
    const plan = planCapacity({ candidate, result: ecommerce, demand })
    if (!isPlan(plan)) throw new Error(plan.reason)
    const [half, whole] = candidate.storage.at as [
      Result['candidates'][number]['storage']['at'][number],
      Result['candidates'][number]['storage']['at'][number],
    ]
    const bytes = (at: typeof half) =>
      [...at.tables.filter((each) => each.name === 'order'), ...at.indexes.filter((each) => each.table === 'order')].reduce(
        (sum, each) => sum + each.bytes,
        0,
      )
    const rows = (share: number) => Math.round(60e6 * ecommerce.trialPlan.share * share)
    const perRow = (bytes(whole) - bytes(half)) / (rows(1) - rows(0.5))
    expect(middleOf(plan.storage.entityBytes('order', 0))).toBeCloseTo(60e6 * perRow, -3)
    // Of an entity that has a share of its own twice as many rows make twice as small a slope.
    const own = structuredClone(ecommerce)
    own.trialPlan.shares = { order: 2 * ecommerce.trialPlan.share }
    const apart = planCapacity({ candidate, result: own, demand })
    if (!isPlan(apart)) throw new Error(apart.reason)
    expect(middleOf(apart.storage.entityBytes('order', 0)) / middleOf(plan.storage.entityBytes('order', 0))).toBeCloseTo(0.5, 2)
    // 5 % a month for a year; what inserts of seven years allow is more.
    expect(middleOf(plan.storage.entityBytes('order', 12)) / middleOf(plan.storage.entityBytes('order', 0))).toBeCloseTo(1.05 ** 12, 6)
  })

  test('a table that is kept for a time holds no more than what is inserted in it', () => {
    const scenario = structuredClone(readScenario('ecommerce'))
    const order = entityOf(scenario, 'order')
    order.growthPerMonth = 0.2
    const demand = new Demand(scenario)
    const inserted = (1.4 * 365.25 * 86_400 * 7) / 1
    const after = middleOf(demand.rows(order, 30))
    expect(after).toBeLessThan(60e6 * 1.2 ** 30)
    expect(after).toBeGreaterThan(inserted)
  })

  test('each operation that inserts grows by itself, in what is kept, too', () => {
    const kept = (growth: number) => {
      const scenario = structuredClone(readScenario('ecommerce'))
      entityOf(scenario, 'order').growthPerMonth = 0.2
      const insert = scenario.operations.find(({ name }) => name === 'place_order') as Operation
      insert.loadGrowthPerMonth = 0
      const second = { ...structuredClone(insert), name: 'import_orders', ratePerSecond: 10 * insert.ratePerSecond, loadGrowthPerMonth: growth }
      scenario.operations.push(second)
      return middleOf(new Demand(scenario).rows(entityOf(scenario, 'order'), 30))
    }
    const years = 365.25 * 86_400 * 7
    expect(kept(0)).toBeCloseTo(11 * 1.4 * years, -3)
    // Constant before: the last 84 months of 2 % a month weigh (1 − 1.02^−84) ÷ ln 1.02 months of the last.
    const grown = (1.02 ** 30 * (1 - 1.02 ** -84)) / Math.log(1.02)
    expect(kept(0.02) / (1.4 * years * (1 + (10 * grown) / 84))).toBeCloseTo(1, 6)
  })

  test('what must stay together', () => {
    expect(groupsOf(readScenario('ecommerce')).map((group) => group.entities)).toEqual([['product', 'order', 'order_item'], ['session']])
  })

  test('two stores are compared at their best: where one is cheapest for every group, the group moves that costs least more', () => {
    const of = (usd: Record<string, Record<string, number>>, single: number) =>
      proposePolyglot(
        readScenario('ecommerce'),
        Object.keys(usd),
        (group, name) => usd[name]?.[group.entities[0] as string] ?? null,
        { candidate: 'a', usdPerMonth: single },
        100,
      )
    const cheapEverywhere = of({ a: { product: 1000, session: 100 }, b: { product: 1500, session: 120 }, c: { session: 110 } }, 1100)
    expect(cheapEverywhere).toMatchObject({ usdPerMonth: 1000 + 110 + 1600, worthIt: false, groups: [{ candidate: 'a' }, { candidate: 'c' }] })
    const apart = of({ a: { product: 1000, session: 9000 }, b: { product: 9000, session: 100 } }, 10_000)
    expect(apart).toMatchObject({ usdPerMonth: 1000 + 100 + 1600, worthIt: true, groups: [{ candidate: 'a' }, { candidate: 'b' }] })
  })

  test('a shard key: few calls across shards, and consistent hashing moves little', () => {
    const proposal = proposeShardKey(readScenario('ecommerce'))
    expect(proposal?.key.entity).toBe('order')
    expect(proposal?.keys.map((key) => key.field).sort()).toEqual(['customer_id', 'id'])
    // By the customer, with the shard in the order's id: only the sum over all orders asks every shard.
    expect(proposal?.key).toMatchObject({ field: 'customer_id', shardInKey: 'id' })
    expect(proposal?.key.crossShard).toBeLessThan(0.001)
    expect(proposal?.moved.modulo).toBeGreaterThan(0.8)
    expect(proposal?.moved.consistentHashing).toBeLessThan(0.25)
    expect(proposal?.moved.consistentHashing).toBeGreaterThan(1 / 18)
    for (const { loadImbalance, rowsImbalance } of proposal?.strategies ?? []) {
      expect(loadImbalance).toBeGreaterThanOrEqual(1)
      expect(rowsImbalance).toBeGreaterThanOrEqual(1)
    }
  })
})

describe('degenerate inputs give a sentence', () => {
  const changed = (change: (result: Result) => void) => {
    const result = structuredClone(ecommerce)
    change(result)
    const { decision } = decideOn(result)
    expect(badNumbers(decision)).toEqual([])
    return { result, decision, text: decisionText(decision, result.startedAt) }
  }

  test('nobody ranked', () => {
    const { decision, text } = changed((result) => {
      for (const candidate of result.candidates) candidate.failure = 'the disk was full'
    })
    expect(decision.ranking.standings).toEqual([])
    expect(text).toMatch(/^Nobody is ranked: postgres is out: the disk was full/)
    expect(text).toMatch(/postgres has no plan: it did not run to the end/)
  })

  test('no growth, no horizon, no budget, no availability', () => {
    const { decision } = changed((result) => {
      const { scenario } = result
      for (const entity of scenario.entities) entity.growthPerMonth = 0
      for (const operation of scenario.operations) operation.loadGrowthPerMonth = 0
      Object.assign(scenario.requirements, { horizonMs: null, budgetUsdPerMonth: null, availability: null })
    })
    for (const { plan } of plans(decision)) expect(plan.usdPerMonth.horizon.p50).toBeCloseTo(plan.usdPerMonth.now.p50, 6)
    expect(decision.candidates.flatMap((each) => each.constraints.map((constraint) => constraint.name))).not.toContain('budget')
  })

  test('one round only', () => {
    changed((result) => {
      for (const candidate of result.candidates) candidate.trials = candidate.trials.filter((trial) => trial.repeat === 0)
    })
  })

  test('no price: no plan, and it is said', () => {
    const { decision } = decideOn(ecommerce, { catalogues: [] })
    expect(badNumbers(decision)).toEqual([])
    expect(decision.candidates.flatMap((each) => each.noPlan ?? [])).toContain('no catalogue has priced servers and disks for it')
    const serversUnpriced = options.catalogues.map((each) => ({
      ...each,
      instances: each.instances.map((shape) => ({ ...shape, usdPerHour: null })),
    }))
    expect(plans(decideOn(ecommerce, { catalogues: serversUnpriced }).decision)).toEqual([])
    const unpriced = options.catalogues.map((each) => ({
      ...each,
      managed: each.managed.map((offer) => ({ ...offer, shapes: offer.shapes.map((shape) => ({ ...shape, usdPerHour: null })) })),
    }))
    for (const { plan } of plans(decideOn(ecommerce, { catalogues: unpriced }).decision))
      for (const offer of plan.managed) expect(offer.usdPerMonth).toBeNull()
  })

  test('partial mixes only', () => {
    const { decision, text } = changed((result) => {
      result.candidates = result.candidates.filter((candidate) => candidate.mix === 'partial')
    })
    expect(decision.ranking.winner).toBeNull()
    expect(text).toMatch(/Nobody is ranked/)
  })

  test('an engine of an earlier version states no topology', () => {
    const { text } = changed((result) => {
      for (const candidate of result.candidates) candidate.traits = { plan: null, minimum: null }
    })
    expect(text).toMatch(/states no topology/)
  })
})

describe('asked again', () => {
  test.each<[WhatIf, RegExp]>([
    [{ peak: '3' }, /--peak 3: expected a factor such as 3x/],
    [{ growth: 'ordr=3%/month' }, /--growth ordr: no such entity or operation/],
    [{ growth: 'order' }, /--growth order: expected name=value/],
    [{ growth: 'order=3' }, /--growth order 3: expected a growth/],
    [{ horizon: 'long' }, /--horizon long: expected a duration/],
    [{ budget: '4000' }, /--budget 4000: expected an amount/],
  ])('%o is refused with the option', (asked, message) => {
    expect(() => applyWhatIf(ecommerce, asked)).toThrow(message)
  })

  test('weights are criteria and numbers', () => {
    const { scenario } = ecommerce
    const asked = (text: string) => weightsAsked(text, scenario)
    expect(asked('money=0.5,latency=2')).toEqual({ money: 0.5, latency: 2 })
    expect(asked('latency=0')).toEqual({ latency: 0 })
    expect(() => asked('speed=1')).toThrow(/no such criterion/)
    expect(() => asked('money=high')).toThrow(/expected a number/)
    expect(() =>
      asked(
        criteriaOf(scenario)
          .map(({ name }) => `${name}=0`)
          .join(),
      ),
    ).toThrow(/nothing would count/)
  })

  test('growth of rows takes the load along that followed it', () => {
    const scenario = applyWhatIf(ecommerce, { growth: 'order=9%/month,get_product=1%/month' }).scenario
    const growth = (name: string) => scenario.operations.find((operation) => operation.name === name)?.loadGrowthPerMonth
    expect(growth('order_history')).toBeCloseTo(0.09, 9)
    expect(growth('get_product')).toBeCloseTo(0.01, 9)
    expect(growth('read_session')).toBe(0)
  })

  test('more calls that insert add rows; rows that are owned grow by themselves; growth below zero shrinks', () => {
    const rows = (asked: WhatIf, entity: string, month = 12) => {
      const { scenario } = applyWhatIf(ecommerce, asked)
      return middleOf(new Demand(scenario).rows(entityOf(scenario, entity), month))
    }
    expect(rows({ growth: 'write_session=10%/month' }, 'session')).toBeGreaterThan(1.5 * rows({}, 'session'))
    expect(rows({ growth: 'place_order=20%/month' }, 'order')).toBeGreaterThan(1.2 * rows({}, 'order'))
    const [orders, lines] = [rows({}, 'order'), rows({}, 'order_item')]
    expect(rows({ growth: 'order_item=10%/month' }, 'order')).toBeCloseTo(orders, 0)
    expect(rows({ growth: 'order_item=10%/month' }, 'order_item') / lines).toBeCloseTo((1.1 / 1.05) ** 12, 6)
    expect(rows({ growth: 'order=10%/month' }, 'order_item') / lines).toBeCloseTo(rows({ growth: 'order=10%/month' }, 'order') / orders, 6)
    expect(rows({ growth: 'order=-3%/month' }, 'order') / rows({}, 'order', 0)).toBeCloseTo(0.97 ** 12, 6)
    // Where lines lie inside their orders, those become larger.
    const bytes = (growth: string) => {
      const result = applyWhatIf(ecommerce, { growth })
      const demand = new Demand(result.scenario)
      return result.candidates.map((candidate) => {
        const plan = planCapacity({ candidate, result, demand })
        return isPlan(plan) ? middleOf(plan.storage.bytes(12)) : 0
      })
    }
    for (const [at, more] of bytes('order=5%/month,order_item=10%/month').entries())
      expect(more).toBeGreaterThan(1.05 * (bytes('order=5%/month')[at] as number))
  })

  test('a budget of nothing is over in every draw, and no number is none', () => {
    const result = applyWhatIf(ecommerce, { budget: '0 USD/month' })
    const { decision } = decideOn(result)
    expect(badNumbers(decision)).toEqual([])
    expect(decision.candidates.filter((each) => each.plan !== null).every((each) => each.out)).toBe(true)
  })

  test('what is assumed can be replaced by what is known, and nothing else', () => {
    const demand = () => new Demand(ecommerce.scenario)
    const figures = () =>
      ecommerce.candidates.flatMap((candidate) => {
        const asked = demand()
        const plan = planCapacity({ candidate, result: ecommerce, demand: asked })
        const cost = isPlan(plan) ? costOf(plan, options.catalogues[0] as Catalogue, asked, 1) : null
        return cost === null ? [] : [cost.total(asked.months)]
      })
    const cost = (all: Figure[]) => all.map((figure) => middleOf(figure))
    const with_ = (text: string) => withAssumed(assumedBy(text), figures)
    const before = cost(figures())
    const slow = with_('plan.hostFactor=0.3')
    for (const [at, more] of cost(slow).entries()) expect(more).toBeGreaterThanOrEqual(before[at] as number)
    expect(cost(slow)).not.toEqual(before)
    const host = reachable(slow).find((figure) => figure.path === 'plan.hostFactor') as Given
    expect(host).toMatchObject({
      range: { low: 0.3, mid: 0.3, high: 0.3 },
      source: expect.stringMatching(/^--assume, in place of 0\.5 to 1\.2: a cloud vCPU/),
    })
    expect(() => with_('plan.hostFactr=1')).toThrow(/nothing of that name is assumed/)
    expect(() => with_('plan.hostFactor=0')).toThrow(/expected 0\.0005 to 1200/)
    expect(() => with_('plan.hostFactor=fast')).toThrow(/expected a number/)
    expect(() => with_('demand.statedPeak=4')).toThrow(/nothing of that name is assumed/)
    // Nothing of it is left afterwards.
    expect(cost(figures())).toEqual(before)
  })

  test('a number is taken apart down to where it comes from', () => {
    const { explainable } = decideOn(ecommerce)
    const text = explain(explainable, 'capacity.postgres.nodes')
    expect(text.split('\n\n')[0]?.split('\n')).toHaveLength(5)
    expect(text).toMatch(/plan\.hostFactor = 0\.\d+ \(.*assumed/)
    expect(text).toMatch(/capacity\.postgres\.sustained = .*measured/)
    // Of a candidate, and of months that nobody draws; bytes are told in GB.
    const [fleet = '', waterfall = '', tree = ''] = explain(explainable, 'postgres@36').split('\n\n')
    const [what, asked, cheaper, runnerUp, movers] = fleet.split('\n')
    const bought = decideOn(ecommerce).decision.candidates.find(({ name }) => name === 'postgres')?.plan?.fleet.horizon
    // Of the fleet that the plan has, at its price.
    expect(what).toContain(`postgres in month 36: ${bought?.servers} × ${bought?.shape}`)
    expect(what).toMatch(/USD a month .* It suffices in \d+ % of the draws/)
    expect(asked).toMatch(new RegExp(`^Asked of one ${bought?.shape} at peak.*; ${bought?.bound} decides`))
    expect(cheaper).toMatch(/^Cheaper: /)
    expect(runnerUp).toMatch(/^Runner-up: /)
    expect(movers).toMatch(/^What moves most what is needed/)
    expect(waterfall).toMatch(
      /^From the bench to [\d,]+ vCPU.*\n {4}[\d.]+ = [\d.]+ {2}cores of the bench.*\n( {2}× .*\n)+ {2}× [\d.]+ = [\d.]+ {2}whole servers: /,
    )
    expect(tree).toMatch(/^cost\.postgres\.total@36 = /)
    for (const path of [
      'plan.postgres.availability@12',
      'plan.postgres.rowAvailability@36',
      'capacity.postgres.volume@7',
      'cost.postgres.total@5',
      'cost.postgres.needed@5',
    ])
      expect(explain(explainable, path)).toContain(`${path} = `)
    expect(explain(explainable, 'cost.mongodb.managed.atlas')).toMatch(/^cost\.mongodb\.managed\.atlas[^ ]*@0 = [\d,]+ USD/m)
    for (const path of ['capacity.postgres.nodes@13', 'cost.postgres.servers@7', 'demand.order.rows@11'])
      expect(explain(explainable, path)).toContain(`${path} = `)
    expect(explain(explainable, 'storage.postgres.bytes@13')).toMatch(/^storage\.postgres\.bytes@13 = [\d.]+ GB \([\d.]+ GB to [\d.]+ GB\)/m)
    expect(() => explain(explainable, 'cost.postgres.total@37')).toThrow(/the plan ends with month 36/)
    expect(() => explain(explainable, 'capacity.postgres.nods')).toThrow(/there is no such number/)
    // Who has no plan says why, whatever is asked of it.
    for (const path of ['redis', 'redis@12', 'cost.redis.total'])
      expect(explain(explainable, path)).toMatch(/^redis has no plan: no fleet of the catalogue carries today's peak/)
  }, 60_000)
})

describe('prices', () => {
  test('say how old they are, and where they are from', () => {
    const first = options.catalogues.find(({ region }) => region === 'us-east-1') as Catalogue
    const fresh = { ...first, missing: [] }
    expect(caveats(fresh, ['us-east-1'], new Date('2026-08-01'))).toEqual([])
    expect(caveats({ ...fresh, missing: ['disks of i7i'] }, ['us-east-1'], new Date('2026-08-01'))).toEqual([
      'prices of AWS EC2, us-east-1 lack disks of i7i',
    ])
    expect(caveats(fresh, ['eu-west-1'], new Date('2027-06-01'))).toEqual([
      expect.stringMatching(/316 days old/),
      expect.stringMatching(/eu-west-1: priced as us-east-1 × 1\.0–1\.2, assumed/),
    ])
  })

  test('of a file that is none are refused', () => {
    expect(() => readPrices('/nowhere.json')).toThrow(/cannot be read as a price catalogue/)
    expect(() => readPrices(fileURLToPath(new URL('../../../package.json', import.meta.url)))).toThrow(/is no price catalogue: provider/)
  })
})

/** Paths of numbers that are NaN or infinite. */
function badNumbers(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, each]) => badNumbers(each, `${path}.${name}`))
}

/** What is hot is that of the middle path: where tables grow otherwise than one another, a hit ratio is off by so much of a cost. */
const ofCurves = 0.01

function expectNoLess(after: Spread | undefined, before: Spread): void {
  for (const end of ['p10', 'p50', 'p90'] as const) expect(after?.[end]).toBeGreaterThanOrEqual(before[end] * (1 - ofCurves))
}

/** An entity that grows. */
function growing(result: Result): string {
  const { entities } = result.scenario
  return (entities.find((entity) => entity.owner === null && entity.growthPerMonth > 0) ?? entities[0])?.name as string
}
