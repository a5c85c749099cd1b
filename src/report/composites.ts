/** One store with something beside it: priced, and not measured. Each kind stands where a reader looks for it. */

import type { Decision } from '../assess/decision/decision.ts'
import type { Composite } from '../assess/fleet/composites.ts'
import { toldOf } from './assumed-words.ts'
import { type Block, heading, paragraph, table } from './render/document.ts'
import { percent, usd } from './render/format.ts'

type Kind = Composite['kind']

const titles: Record<Kind, string> = {
  'cache in front': 'A cache in front: planned, not measured',
  'read replicas': 'More replicas for reads: planned, not measured',
  'search store beside': 'A search store beside: planned, not measured',
}

export function compositeBlocks({ composites, months, candidates }: Decision, kind: Kind): Block[] {
  const own = composites.filter((each) => each.kind === kind)
  if (own.length === 0) return []
  return [
    heading(3, titles[kind]),
    paragraph(legends[kind]),
    table(
      ['candidate', 'takes', 'what stands beside it', 'USD a month now (alone)', `in month ${months} (alone)`, 'moved most by', 'needs'],
      own.map((each) => [
        candidates.find(({ name }) => name === each.candidate)?.marked ?? each.candidate,
        each.takes.map(({ operation, share }) => `${operation} ${percent(share)}`).join(', '),
        each.what,
        price(each, 'now'),
        price(each, 'horizon'),
        moversText(each),
        `${each.worthTrying ? 'worth measuring' : 'saves too little'}${each.needs === '' ? '' : `; ${each.needs}`}`,
      ]),
      [3, 4],
    ),
  ]
}

const legends: Record<Kind, string> = {
  'cache in front':
    'Servers and disks at the middle of every number, with the hours of one system more; alone: the leanest fleet, with none of the headroom that section 10 buys, without the cache and without replicas for reads. What a cache answers follows from the law of the picks (Che). It was not measured and is not ranked. What is assumed of it has a range: what moves the price by a twentieth and more from its low to its high end is named, and --assume puts in what you know.',
  'read replicas':
    'Servers and disks at the middle of every number; alone: the leanest fleet, with none of the headroom that section 10 buys, without replicas for reads. It was not measured and is not ranked.',
  'search store beside':
    'Servers and disks at the middle of every number, with the hours of one system more; alone: the leanest fleet, with none of the headroom that section 10 buys, without the search store. It was not measured and is not ranked; what is assumed of it and moves the price by a twentieth and more is named.',
}

const mostMovers = 2

/** What is assumed of what stands beside, from its low to its high end. */
const moversText = ({ movers }: Composite) =>
  movers.length === 0
    ? '—'
    : movers
        .slice(0, mostMovers)
        .map(({ path, low, high }) => `${toldOf(path)}: ${[low, high].map((each) => (each === null ? 'not to be had' : usd(each))).join(' to ')}`)
        .join('; ')

const price = ({ usdPerMonth, aloneUsdPerMonth }: Composite, at: 'now' | 'horizon') => `${usd(usdPerMonth[at])} (${usd(aloneUsdPerMonth[at])})`
