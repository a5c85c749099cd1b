/** The verdict in words and tables: who is out and why, who ranks where and how firmly, what a second store would change. */
import { type Constraint, likelihood } from '../assess/decision/constraints.ts'
import type { CandidateDecision, Decision } from '../assess/decision/decision.ts'
import { maxWeight, type Standing } from '../assess/decision/ranking.ts'
import { drawsText } from '../assess/figures/simulate.ts'
import { resolutionText } from '../assess/judge/machine-resolution.ts'
import { markedIn, spreadText } from './plan.ts'
import { type Block, details, heading, list, paragraph, table } from './render/document.ts'
import { percent, usd } from './render/format.ts'
import { slowShort } from './scale.ts'

export function decided(decision: Decision): Block {
  return { kind: 'callout', tone: isSure(decision) ? 'good' : 'note', text: verdictLine(decision) }
}

export const isSure = (decision: Decision) => decision.ranking.winner !== null && conditions(decision).length === 0 && leftOpen(decision).length === 0

/** Why so, and how firmly. */
export function selection(decision: Decision): Block[] {
  return [
    ...ranks(decision),
    ...constraints(decision),
    ...(decision.polyglot === null ? [] : polyglot(decision)),
    details('criteria, weights and utilities', [
      matrix(decision),
      ...(decision.rules.length > 0
        ? [
            paragraph(
              'Weights are points for the way from the lower to the upper end of a scale: money 100, fit 70, latency 60, headroom and operations 50, your own 50; then:',
            ),
            list(decision.rules),
          ]
        : []),
    ]),
  ]
}

/** One sentence, and one more each for what must be changed first and where the budget will not last. */
export function verdictLine(decision: Decision): string {
  return [rankedText(decision), ...conditions(decision), ...leftOpen(decision), ...overBudget(decision)].join(' ')
}

/** Who ranks first may do so with what nobody has shown: that is said in the same breath. */
function leftOpen({ candidates, ranking: { winner } }: Decision): string[] {
  const first = candidates.find(({ name }) => name === winner)
  const open = (first?.constraints ?? []).filter(({ state }) => state === 'open')
  if (first === undefined || open.length === 0) return []
  return [`What ${first.marked} was not shown to hold: ${open.map(({ name, planned }) => `${name} (${planned})`).join('; ')}.`]
}

/** Of those that are ranked: nobody passes for what still has to be done. */
function conditions({ candidates, ranking }: Decision): string[] {
  const own = ranking.standings.flatMap(({ name }) => candidates.find((each) => each.name === name) ?? [])
  const asked = own.flatMap((candidate) => {
    const operations = conditionOf(candidate)
    return operations.length === 0 ? [] : [{ candidate, operations }]
  })
  return asked.map(({ candidate: { marked: name, atScale, constraints: all }, operations }) => {
    const slow = atScale.filter(({ operation }) => operations.includes(operation)).map(slowShort)
    const then = all.find(({ name: constraint }) => constraint === 'objectives at peak')?.condition
    const holds = then == null ? '' : `; with that every limit holds at peak in ${likelihood(then.probability)} of the draws`
    return `${name} stands on one condition: ${operations.join(', ')} ${operations.length === 1 ? 'is' : 'are'} kept rolled up; else ${slow.join('; ')}${holds}.`
  })
}

/** Operations whose answers must be kept for it to be ranked at all. */
export const conditionOf = ({ constraints: all }: Pick<CandidateDecision, 'constraints'>): string[] => [
  ...new Set(all.flatMap(({ state, condition }) => (state === 'condition' ? (condition?.operations ?? []) : []))),
]

export function rankedText({ ranking, candidates }: Decision): string {
  const { standings, winner } = ranking
  const shown = markedIn(candidates)
  const [first, second] = standings
  if (first === undefined) return `Nobody is ranked: ${candidates.map((each) => `${each.marked} ${reasonOut(each)}`).join('; ')}.`
  if (second === undefined) return `${shown(first.name)} is the only one that ${openOf(candidates, first.name)}.`
  if (winner === null) return tieText(ranking, shown)
  const surely = ranking.beats.find((pair) => pair.first === winner && pair.second === second.name)
  return `${shown(winner)} ranks first, ahead of ${shown(second.name)} with a probability of ${probability(surely?.probability ?? 1)}.`
}

/** Of those that share the first rank. */
function tieText({ tie, beats }: Decision['ranking'], shown: (name: string) => string): string {
  const own = beats.filter(({ first, second }) => tie.includes(first) && tie.includes(second))
  const why = own.some(({ probability: share }) => share < 0.9)
    ? 'no order of them has a probability of 0.9'
    : 'their scores differ by no more than those of two equals may on this machine'
  return `${tie.map(shown).join(' and ')} are a tie: ${why}.`
}

function openOf(candidates: CandidateDecision[], name: string): string {
  const own = candidates.find((each) => each.name === name)?.constraints ?? []
  const named = (state: Constraint['state'], what: string) => {
    const found = own.filter((constraint) => constraint.state === state).map((each) => each.name)
    return found.length === 0 ? [] : [`${what}: ${found.join(', ')}`]
  }
  const left = [...named('open', 'open'), ...named('condition', 'on a condition')]
  return left.length === 0 ? 'passes every hard constraint' : `no hard constraint rules out (${left.join('; ')})`
}

/** Of those that are ranked: today's budget decides, tomorrow's is told. */
function overBudget({ candidates, ranking, budgetUsdPerMonth: budget, months }: Decision): string[] {
  return ranking.standings.flatMap(({ name }) => {
    const horizon = candidates.find((each) => each.name === name)?.plan?.fleet.horizon
    if (budget === null || horizon === undefined || horizon.total.p50 <= budget) return []
    return [
      `In month ${months} ${markedIn(candidates)(name)} costs ${usd(horizon.total.p50)} USD a month, over the budget of ${usd(budget)} (within it in ${percent(horizon.withinBudget ?? 0)} of the draws).`,
    ]
  })
}

export function reasonOut(candidate: CandidateDecision): string {
  const failed = candidate.constraints.filter((constraint) => constraint.state === 'out')
  return failed.length === 0 ? 'passes' : `is out: ${failed.map((each) => each.evidence).join('; ')}`
}

/** One line for a terminal: what does not hold, or not surely, with its probability. */
export function constraintLine({ marked: name, constraints }: CandidateDecision): string {
  const [holding, rest] = [constraints.filter(({ state }) => state === 'holds'), constraints.filter(({ state }) => state !== 'holds')]
  if (rest.length === 0) return `${name}: ✓ all ${constraints.length}`
  const text = rest.map(
    (each) => `${each.name} ${markOf(each)}${each.condition === null ? '' : ` (${likelihood(each.condition.probability)} rolled up)`}`,
  )
  return `${name}: ${text.join(', ')}; ✓ the other ${holding.length}`
}

export const constraintLegend =
  '✓ holds with a probability of 0.9 and more; ✗ less than 0.1, and is out of the ranking; ! fails as modelled, and holds with the change that is told: ranked on that condition; ? open, and ranked: between, or below 0.1 only by what is assumed of production or by an operation that no trial called a hundred times.'

const marks = { holds: '✓', condition: '!', open: '?', out: '✗' } as const
const likelihoodOf = ({ probability: share }: Constraint) =>
  share === null ? 'unknown' : share === 1 || share === 0 ? String(share) : likelihood(share)
/** What does not surely hold says how likely it does. */
const markOf = ({ state, probability: share }: Constraint) =>
  state === 'holds' || share === null || share === 0 ? marks[state] : `${marks[state]} ${likelihood(share)}`

/** Never a certainty: so many draws have none. */
const probability = (share: number) => (share > 0.999 ? 'over 0.999' : share < 0.001 ? 'under 0.001' : share.toFixed(2))

/** With a mark where it is shared. */
export const rankText = ({ rank }: Standing, all: readonly Standing[]) =>
  `${rank}${all.filter((each) => each.rank === rank).length > 1 ? ' (tie)' : ''}`

function ranks({ ranking, resolution, candidates }: Decision): Block[] {
  const { standings, disagreement, smallestChange } = ranking
  const shown = markedIn(candidates)
  // Alone it is first whatever is drawn: that is no probability.
  if (standings.length < 2) return []
  const notes = [
    ...(disagreement === null ? [] : [`The two methods disagree: ${disagreement}.`]),
    ...(smallestChange === null
      ? [`No single weight up to ${maxWeight} puts another one first.`]
      : [
          `The smallest change that puts ${shown(smallestChange.winner)} first: the weight of ${smallestChange.criterion} from ${smallestChange.from.toFixed(3)} to ${smallestChange.to.toFixed(3)}, the others keeping their proportions.`,
        ]),
  ]
  return [
    table(
      ['rank', 'candidate', 'score', 'TOPSIS', ...standings.map((_, at) => `P(rank ${at + 1})`)],
      standings.map((each) => [
        rankText(each, standings),
        shown(each.name),
        each.score.toFixed(2),
        each.topsis.toFixed(2),
        ...each.rankShares.map(probability),
      ]),
      [0, 2, 3, ...standings.map((_, at) => at + 4)],
    ),
    paragraph(
      `Probabilities: ${drawsText} draws of the weights (Dirichlet around the stated ones) and of every measured and assumed interval. Candidates share a rank where no order of them has a probability of 0.9, or their scores differ by no more than those of two equals may. ${resolutionText(resolution)}`.trimEnd(),
    ),
    ...(notes.length > 0 ? [list(notes)] : []),
  ]
}

/** All that is asked, once: a row for each, and what stands against it for each candidate. */
function constraints({ candidates }: Decision): Block[] {
  const names = [...new Set(candidates.flatMap((each) => each.constraints.map((constraint) => constraint.name)))]
  const of = (candidate: CandidateDecision, name: string) => candidate.constraints.find((each) => each.name === name)
  const asked = (name: string) => candidates.flatMap((each) => of(each, name)?.asked ?? [])[0] ?? ''
  const cell = (candidate: CandidateDecision, name: string) => {
    const found = of(candidate, name)
    return found === undefined ? '— not planned' : `${markOf(found)} · ${found.planned}`
  }
  const failed = candidates.flatMap((each) =>
    each.constraints
      .filter((constraint) => constraint.state !== 'holds')
      .map((constraint) => `${each.marked}, ${constraint.name}: ${constraint.evidence}`),
  )
  return [
    heading(3, 'Hard constraints'),
    paragraph(constraintLegend),
    table(
      ['hard constraint', 'asked', ...candidates.map(({ marked }) => marked)],
      names.map((name) => [name, asked(name), ...candidates.map((each) => cell(each, name))]),
    ),
    ...(failed.length > 0 ? [paragraph('What decides where one does not surely hold:'), list(failed)] : []),
    details('asked, planned, how likely it holds, and what decides, one by one', [
      table(
        ['candidate', '', 'hard constraint', 'asked', 'planned', 'P(holds)', 'what decides'],
        candidates.flatMap((each) =>
          each.constraints.map((constraint) => [
            each.marked,
            marks[constraint.state],
            constraint.name,
            constraint.asked,
            constraint.planned,
            likelihoodOf(constraint),
            constraint.evidence,
          ]),
        ),
      ),
    ]),
  ]
}

function matrix({ criteria, candidates }: Decision): Block {
  return table(
    ['criterion', 'weight', 'scale', ...candidates.map((each) => (each.out ? `(${each.marked})` : each.marked))],
    criteria.map((criterion) => [
      `${criterion.name} (${criterion.group})`,
      criterion.weight.toFixed(3),
      criterion.scale,
      ...candidates.map((candidate) => {
        const cell = candidate.criteria.find((each) => each.criterion === criterion.name)
        if (cell?.utility == null) return '— (drawn over the whole scale)'
        return `${spreadText(cell.utility, (value) => value.toFixed(2))}${cell.shown === '' ? '' : `: ${cell.shown}`}`
      }),
    ]),
    [1],
  )
}

function polyglot({ polyglot: proposal, candidates }: Decision): Block[] {
  if (proposal === null) return []
  return [
    heading(3, proposal.worthIt ? 'More than one store' : 'One store is enough'),
    paragraph(`${proposal.why.charAt(0).toUpperCase()}${proposal.why.slice(1)}.`),
    table(
      ['entities that stay together', 'operations', 'cheapest on', 'USD a month at the horizon'],
      proposal.groups.map((group) => [
        group.entities.join(', '),
        group.operations.join(', '),
        markedIn(candidates)(group.candidate),
        usd(group.usdPerMonth),
      ]),
      [3],
    ),
    ...(proposal.late.length === 0 ? [] : [list(proposal.late)]),
  ]
}
