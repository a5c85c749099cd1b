/** What other wishes change: before → after, the first thing that `assess` says. */

import type { Constraint } from '../assess/decision/constraints.ts'
import type { CandidateDecision, Verdict } from '../assess/decision/decision.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import { fleet } from '../report/plan.ts'
import { usd } from '../report/render/format.ts'
import { columns } from './tables.ts'

/** `before` null: nothing had been planned. */
export function changesText(before: Verdict | null, after: Verdict): string {
  if (before === null) return 'What changed: nothing had been planned before.'
  const rows = after.candidates.flatMap((now) => {
    const then = before.candidates.find((each) => each.name === now.name)
    return then === undefined ? [] : rowsOf(then, now, before.months, after.months)
  })
  const [was, is] = [first(before), first(after)]
  const weights = after.criteria.flatMap((criterion) => {
    const old = before.criteria.find((each) => each.name === criterion.name)?.weight ?? 0
    return Math.abs(old - criterion.weight) < 0.0005 ? [] : [`${criterion.name} ${old.toFixed(3)} → ${criterion.weight.toFixed(3)}`]
  })
  return [
    was === is ? `What changed: not the verdict, ${is}.` : `What changed: ${was} → ${is}.`,
    ...(rows.length > 0 ? [columns([['candidate', 'what', 'before', 'after'], ...rows])] : []),
    ...(weights.length > 0 ? [`Weights: ${weights.join(', ')}.`] : []),
    ...(weights.length > 0 && after.ranking.standings.length < 2
      ? ['Weights order those that pass: with fewer than two of them they change nothing.']
      : []),
    ...(rows.length === 0 && weights.length === 0 ? ['Nothing else changes either.'] : []),
  ].join('\n\n')
}

function first({ candidates, ranking: { standings, winner, tie } }: Verdict): string {
  if (standings.length === 0) return 'nobody passes every hard constraint'
  const [only] = standings
  if (standings.length === 1) {
    const holds = candidates.find(({ name }) => name === only?.name)?.constraints.every(({ state }) => state === 'holds')
    return holds === true ? `${only?.name} alone passes every hard constraint` : `${only?.name} alone is ruled out by no hard constraint`
  }
  return winner === null ? `${tie.join(' and ')} are a tie` : `${winner} ranks first`
}

function rowsOf(then: CandidateDecision, now: CandidateDecision, monthsBefore: number, monthsAfter: number): string[][] {
  const cost = (plan: CandidatePlan, at: 'now' | 'horizon') => `${usd(plan.usdPerMonth[at].p50)} USD a month`
  const months = monthsBefore === monthsAfter ? `in month ${monthsAfter}` : 'at the horizon'
  const at = (text: string, month: number) => (monthsBefore === monthsAfter ? text : `${text} (month ${month})`)
  const facts: [string, string, string][] = [['passes', passes(then), passes(now)]]
  if (then.plan !== null && now.plan !== null)
    facts.push(
      ['servers now', fleet(then.plan.fleet.now), fleet(now.plan.fleet.now)],
      ['cost now', cost(then.plan, 'now'), cost(now.plan, 'now')],
      [`servers ${months}`, at(fleet(then.plan.fleet.horizon), monthsBefore), at(fleet(now.plan.fleet.horizon), monthsAfter)],
      [`cost ${months}`, at(cost(then.plan, 'horizon'), monthsBefore), at(cost(now.plan, 'horizon'), monthsAfter)],
    )
  return facts.filter(([, was, is]) => was !== is).map(([what, was, is], index) => [index === 0 ? now.marked : '', what, was, is])
}

function passes({ constraints }: CandidateDecision): string {
  const named = (state: Constraint['state']) => constraints.filter((constraint) => constraint.state === state).map((constraint) => constraint.name)
  const [out, open, condition] = [named('out'), named('open'), named('condition')]
  if (out.length > 0) return `not: ${out.join(', ')}`
  const left = [
    ...(open.length === 0 ? [] : [`open: ${open.join(', ')}`]),
    ...(condition.length === 0 ? [] : [`on a condition: ${condition.join(', ')}`]),
  ]
  return left.length === 0 ? 'every hard constraint' : left.join('; ')
}
