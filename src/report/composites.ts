/** One store with something beside it: priced, and not measured. */

import type { Decision } from '../assess/decision/decision.ts'
import type { Composite } from '../assess/fleet/composites.ts'
import { type Block, heading, paragraph, table } from './render/document.ts'
import { percent, usd } from './render/format.ts'

export function compositeBlocks({ composites, months, candidates }: Decision): Block[] {
  if (composites.length === 0) return []
  return [
    heading(3, 'With something beside it: planned, not measured'),
    paragraph(
      'Servers and disks at the middle of every number, with the hours of one system more where there is one; alone: the cheapest fleet without replicas for reads. What a cache answers follows from the law of the picks (Che); none of these was measured, and none is ranked. What is assumed of a cache or a search server has a range; what moves a price by a twentieth and more from its low to its high end is named, and --assume puts in what you know.',
    ),
    table(
      ['candidate', 'with', 'takes', 'what stands beside it', 'USD a month now (alone)', `in month ${months} (alone)`, 'moved most by', 'needs'],
      composites.map((each) => [
        candidates.find(({ name }) => name === each.candidate)?.marked ?? each.candidate,
        `${each.kind}, ${each.label}`,
        each.takes.map(({ operation, share }) => `${operation} ${percent(share)}`).join(', '),
        each.what,
        price(each, 'now'),
        price(each, 'horizon'),
        moversText(each),
        `${each.worthTrying ? 'worth measuring' : 'saves too little'}${each.needs === '' ? '' : `; ${each.needs}`}`,
      ]),
      [4, 5],
    ),
  ]
}

const mostMovers = 2

/** What is assumed of what stands beside, from its low to its high end. */
const moversText = ({ movers }: Composite) =>
  movers.length === 0
    ? '—'
    : movers
        .slice(0, mostMovers)
        .map(({ path, low, high }) => `${path}: ${[low, high].map((each) => (each === null ? 'not to be had' : usd(each))).join(' to ')}`)
        .join('; ')

const price = ({ usdPerMonth, aloneUsdPerMonth }: Composite, at: 'now' | 'horizon') => `${usd(usdPerMonth[at])} (${usd(aloneUsdPerMonth[at])})`
