/** How often each page of a table is asked for, from the law by which operations pick rows. */
import { harmonic } from '../../data/distributions.ts'
import type { Operation, PickLaw, Tier, Tiers } from '../../scenario/scenario.ts'
import type { Pages } from './che.ts'

/** Of caches and disks alike. */
export const pageBytes = 8192
/** From one class of pages to the next, by rank. */
const classRatio = 1.25

/** Pages of a table that one operation asks for, per second. */
export interface Asker {
  operation: Operation
  pagesPerSecond: number
  /** Share of the table that an aggregate reads, each time the same. */
  tableShare: number
}
/** With what is stored in or beside its rows. */
export interface Table {
  rows: number
  bytes: number
}

/**
 * Classes of pages of one table, the most asked for first. The newest rows lie together, the popular ones of other laws are scattered: a
 * page that holds one of them holds average rows beside it. Where one operation asks for the newest and another for the popular, the newest
 * are taken to be the popular.
 */
export function pagesOfTable({ rows, bytes }: Table, askers: readonly (Asker | null)[]): Pages[] {
  const count = Math.max(1, bytes / pageBytes)
  const laws = askers.map((asker) => (asker === null ? null : lawOf(asker, rows, count)))
  const edges = edgesOf(
    count,
    laws.flatMap((law) => law?.edges ?? []),
  )
  const within = laws.map((law) => (law === null ? null : edges.map((edge) => law.within(edge))))
  return edges.slice(1).map((to, at) => {
    const from = edges[at] as number
    const perSecond = askers.map((asker, own) => {
      const share = within[own]
      return asker === null || share == null ? 0 : (asker.pagesPerSecond * ((share[at + 1] as number) - (share[at] as number))) / (to - from)
    })
    return { count: to - from, perSecond }
  })
}

interface Law {
  /** Share of the draws that falls into so many pages, the most drawn first. */
  within(pages: number): number
  /** Where it breaks off, in pages. */
  edges?: number[]
}

function lawOf({ operation, tableShare }: Asker, rows: number, pages: number): Law {
  const flat = (edge: number): Law => ({ within: (some) => Math.min(1, some / edge), edges: [edge] })
  // A search reads rows whatever their popularity, an aggregate those of its window each time.
  if (operation.kind === 'aggregate') return flat(Math.max(1, pages * tableShare))
  const { skew } = operation.pick
  if (operation.kind === 'search' || skew.kind === 'uniform') return flat(pages)
  if (skew.kind === 'tiers') {
    const steps = mostAskedFirst(skew)
    let share = 0
    return { within: (some) => drawsOfShare(steps, some / pages), edges: steps.map(({ rowShare }) => (share += rowShare) * pages) }
  }
  if (skew.kind === 'latest') return { within: (some) => drawsOfTop(skew, rows, (some * rows) / pages) }
  if (skew.kind === 'hotspot') {
    // Scattered rows fall into fewer pages than they are: some into the same.
    const hot = Math.max(1, pages * -Math.expm1((-skew.hotShare * rows) / pages))
    const { hotProbability } = skew
    return { within: (some) => hotProbability * Math.min(1, some / hot) + ((1 - hotProbability) * some) / pages, edges: [hot] }
  }
  const alone = Math.min(rows, pages)
  const scattered = 1 - drawsOfTop(skew, rows, alone)
  return { within: (some) => drawsOfTop(skew, rows, Math.min(alone, some)) + (scattered * some) / pages }
}

function edgesOf(pages: number, breaks: number[]): number[] {
  const edges = [0]
  for (let edge = 1; edge < pages; edge *= classRatio) edges.push(edge)
  return [...new Set([...edges, ...breaks.filter((edge) => edge > 0 && edge < pages), pages])].sort((a, b) => a - b)
}

/** Share of the draws that falls into the k most drawn of n rows. */
export function drawsOfTop(skew: PickLaw, n: number, k: number): number {
  if (k <= 0) return 0
  if (k >= n) return 1
  if (skew.kind === 'tiers') return drawsOfShare(mostAskedFirst(skew), k / n)
  if (skew.kind === 'uniform') return k / n
  if (skew.kind === 'hotspot') {
    const hot = n * skew.hotShare
    return k <= hot ? (skew.hotProbability * k) / hot : skew.hotProbability + ((1 - skew.hotProbability) * (k - hot)) / (n - hot)
  }
  return harmonic(k, skew.theta) / harmonic(n, skew.theta)
}

/** As a rule the newest first. */
const mostAskedFirst = ({ tiers }: Tiers): Tier[] =>
  tiers.filter(({ rowShare }) => rowShare > 0).toSorted((a, b) => b.pickShare * a.rowShare - a.pickShare * b.rowShare)

function drawsOfShare(steps: readonly Tier[], share: number): number {
  let [left, draws] = [share, 0]
  for (const { rowShare, pickShare } of steps) {
    if (left < rowShare) return draws + (pickShare * left) / rowShare
    left -= rowShare
    draws += pickShare
  }
  return 1
}
