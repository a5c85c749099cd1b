/** Rows that are picked by age: how many are hot, warm and cold, what they take, and whether the trials picked them as often as was said. */
import { Demand } from '../assess/demand/demand.ts'
import { bytes } from '../assess/figures/amount.ts'
import { middleOf } from '../assess/figures/simulate.ts'
import { ownedBytes, rowBytes } from '../families/sizes.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { entityOf, type Operation, rootOf, type Scenario, stepsOf, type Tiers } from '../scenario/scenario.ts'
import { type Block, heading, paragraph, table } from './render/document.ts'
import { count, percent } from './render/format.ts'
import { lastText, spanText } from './spans.ts'

/** Two-sided, of the normal: 99 of 100 samples of a law lie within so many standard deviations. */
const deviations99 = 2.576

/** For the section on caches. */
export function hotAndCold(scenario: Scenario): Block[] {
  const aged = scenario.operations.filter(({ internal, kind, pick }) => !internal && kind !== 'transaction' && pick.skew.kind === 'tiers')
  if (aged.length === 0) return []
  const demand = new Demand(scenario)
  const rows = aged.flatMap((operation) => tierRows(operation, demand))
  return [
    heading(3, 'Hot, warm and cold rows'),
    paragraph(
      `Where the scenario says how old the rows are that are asked for: the rows of each age by their growth, today and in month ${demand.months}, what they take without indexes, and how many of the calls a cache answers that holds them and all newer ones (derived).`,
    ),
    table(['operation', 'rows', 'today', `in month ${demand.months}`, 'they take', 'calls', 'answered with all newer'], rows, [2, 3, 4, 5, 6]),
  ]
}

function tierRows(operation: Operation, demand: Demand): string[][] {
  const { scenario, months } = demand
  const root = rootOf(scenario, entityOf(scenario, operation.entity))
  const size = rowBytes(root) + ownedBytes(scenario, root)
  const { tiers } = operation.pick.skew as Tiers
  const rowsIn = (month: number) =>
    (demand.pick(operation, month) as Tiers).tiers.map(({ rowShare }) => rowShare * middleOf(demand.rows(root, month)))
  const [now, then] = [rowsIn(0), rowsIn(months)]
  let answered = 0
  return tiers.map(({ pickShare }, at) => {
    answered += pickShare
    return [
      operation.name,
      tierText(tiers, at),
      count(now[at] as number),
      count(then[at] as number),
      bytes((now[at] as number) * size),
      percent(pickShare),
      percent(Math.min(1, answered)),
    ]
  })
}

/** "the last 30 days", "30 days to 1 year old", "older than 1 year". */
function tierText(tiers: Tiers['tiers'], at: number): string {
  const [withinMs, before] = [tiers[at]?.withinMs ?? null, tiers[at - 1]?.withinMs ?? null]
  if (before === null) return withinMs === null ? 'all' : lastText(withinMs)
  return withinMs === null ? `older than ${spanText(before)}` : `${spanText(before)} to ${spanText(withinMs)} old`
}

/** For what was asked of the candidates: each tier's share of the picks, and within which it lies in 99 of 100 trials of so many. */
export function pickedByAge({ candidates, scenario }: Result): Block[] {
  const rows = scenario.operations.flatMap((operation) => {
    const laws = stepsOf(operation).flatMap(({ pick: { skew } }) => (skew.kind === 'tiers' ? [skew] : []))
    const picked = candidates.map((candidate) => picksOf(candidate, operation.name))
    if (picked.every((counts) => counts.length === 0)) return []
    let before = 0
    return laws.flatMap((law) => {
      const first = before
      before += law.tiers.length
      return law.tiers.map(({ pickShare }, at) => [
        operation.name,
        tierText(law.tiers, at),
        percent(pickShare),
        ...picked.map((counts) => realised(counts.slice(first, first + law.tiers.length), at, pickShare)),
      ])
    })
  })
  if (rows.length === 0) return []
  const names = candidates.map(({ name }) => name)
  return [
    paragraph(
      'Rows that were picked by age: the share that the scenario gives to each age, and what it got in all trials of a candidate; in parentheses where that lies for 99 of 100 such samples, and ! where it lies outside. Rows are as old as they were when the load ended, and rows that a trial made are not picked.',
    ),
    table(['operation', 'rows', 'asked', ...names], rows, names.map((_, at) => at + 3).concat(2)),
  ]
}

/** By tier, over the trials that were not broken. */
function picksOf({ trials }: CandidateResult, operation: string): number[] {
  const sums: number[] = []
  for (const { realised: drawn, validity } of trials) {
    if (validity.verdict === 'broken') continue
    for (const [tier, picks] of (drawn.tiers?.[operation] ?? []).entries()) sums[tier] = (sums[tier] ?? 0) + picks
  }
  return sums
}

function realised(counts: readonly number[], at: number, asked: number): string {
  const all = counts.reduce((sum, each) => sum + each, 0)
  if (all === 0) return '—'
  const share = (counts[at] as number) / all
  const reach = deviations99 * Math.sqrt((asked * (1 - asked)) / all)
  const isOutside = Math.abs(share - asked) > reach + 1e-12
  return `${finer(share)} (${finer(Math.max(0, asked - reach))}–${finer(Math.min(1, asked + reach))})${isOutside ? ' !' : ''}`
}

/** Hundredths of a percent: bounds of many draws are that close. */
const finer = (share: number) => `${Math.round(share * 10_000) / 100} %`
