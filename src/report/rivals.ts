/** Candidates beside each other: what all of them can do, and pairs at the same rates. */
import type { Assessment } from '../assess/judge/assess.ts'
import { markedName, marking } from '../assess/judge/cautions.ts'
import { resolutionText } from '../assess/judge/machine-resolution.ts'
import type { Comparison } from '../assess/judge/pairs.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { type Block, details, heading, paragraph, table } from './render/document.ts'
import { micros, outcomeMarks, times } from './render/format.ts'

/** The mix that every candidate can do, where some cannot do everything. */
export function commonMix(result: Result, assessment: Assessment): Block[] {
  const own = assessment.candidates.filter((candidate) => candidate.common.length > 0)
  if (own.length === 0) return []
  const { operations } = result.scenario
  const shown = marking(result.candidates)
  const tables = result.trialPlan.multiples.flatMap((multiple) => {
    const rows = operations.flatMap(({ name }) => {
      const cells = own.map((candidate) => candidate.common.find((at) => at.multiple === multiple)?.cells.find((cell) => cell.operation === name))
      if (cells.some((cell) => cell === undefined || cell.outcome === 'excused')) return []
      return [
        [
          name,
          ...cells.map((cell) =>
            cell?.p99Us == null ? (outcomeMarks[cell?.outcome ?? ''] ?? '—') : `${outcomeMarks[cell.outcome]} ${micros(cell.p99Us)}`,
          ),
        ],
      ]
    })
    return [heading(3, `Common mix at ${times(multiple)}`), table(['operation', ...own.map((candidate) => `${shown(candidate.name)}: p99`)], rows)]
  })
  const searched = result.candidates.flatMap(({ name, commonCapacity }) =>
    commonCapacity === null || commonCapacity.boundBy === 'not searched at this effort'
      ? []
      : [[shown(name), capacityText(commonCapacity), commonCapacity.boundBy]],
  )
  return [
    paragraph(
      'Where a candidate cannot do everything, all are measured a second time with the operations that all can do: only these numbers stand beside each other.',
    ),
    ...tables,
    ...(searched.length === 0 ? [] : [table(['candidate', 'capacity with the common mix', 'bound by'], searched)]),
  ]
}

/** All three of each candidate. */
export function capacities({ candidates }: Pick<Result, 'candidates'>): Block[] {
  const rows = candidates.map((candidate) => {
    const { objectives, cpu, saturation, mix } = candidate.capacity
    return [markedName(candidate), mix, ...[objectives, cpu, saturation].map(intervalText)]
  })
  return [
    heading(3, 'How much load one server carries'),
    paragraph(
      'In multiples of the average load, in parentheses where it lies with 80 %. Objectives: until the first of them is missed. 70 % CPU: until the server’s cores are that busy. Saturation: what a closed loop gets through. Its capacity, which is planned with, is the least of them; a saturation that client-bound loops found, “at least” so much, bounds nothing and is left out where there is another.',
    ),
    table(['candidate', 'mix', 'objectives', '70 % CPU', 'saturation'], rows, [2, 3, 4]),
  ]
}

/** The middle, and where it lies with 80 %. */
export function intervalText(interval: CandidateResult['capacity']['multiple']): string {
  if (interval === null) return '—'
  const { low, mid, high } = interval
  return high === null ? `at least ${times(low)}` : low === high ? times(mid) : `${times(mid)} (${times(low)} to ${times(high)})`
}

export function capacityText(capacity: CandidateResult['capacity']): string {
  if (capacity.multiple === null) return '—'
  const range = `${capacity.bound === 'atMost' ? 'below what was tried: ' : ''}${intervalText(capacity.multiple)}`
  return `${range}${capacity.mix === 'partial' ? ', partial mix' : ''}${capacity.notTested.length > 0 ? `; without ${capacity.notTested.join(', ')}, called too rarely` : ''}`
}

/** Pairs within the same rounds: faster, slower or tie. */
export function comparisons({ comparisons: all, resolution }: Assessment, { candidates }: Pick<Result, 'candidates'>): Block[] {
  if (all.length === 0) return []
  const shown = marking(candidates)
  const rows = all.map((each) => [
    times(each.multiple),
    each.mix,
    each.operation,
    `${shown(each.second)} is ${each.verdict === 'tie' ? 'no different from' : `${each.verdict} than`} ${shown(each.first)}`,
    `${each.ratio.interval.mid.toFixed(2)} (${each.ratio.interval.low.toFixed(2)} to ${each.ratio.interval.high.toFixed(2)})`,
    probability(each),
  ])
  const count = (verdict: Comparison['verdict']) => all.filter((each) => each.verdict === verdict).length
  return [
    details(`Candidates in pairs: ${count('faster')} faster, ${count('slower')} slower, ${count('tie')} tie`, [
      paragraph(
        'How many times the p99 response of the second is that of the first, from the valid rounds that both have: Student’s t at 95 % on paired log ratios, whose scatter is moderated by that of the other operations. Faster and slower: beyond chance over all that is compared of the two (Holm), and by more than two equals differ on this machine. ' +
          resolutionText(resolution),
      ),
      table(['load', 'mix', 'operation', '', 'ratio of p99', 'probability that the second is faster'], rows),
    ]),
  ]
}

const probability = ({ ratio }: Comparison) => ratio.belowOne.toFixed(3)
