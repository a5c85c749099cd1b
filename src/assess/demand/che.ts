/**
 * What a cache that keeps what was asked for last holds of what is asked for next, by the approximation of Che, Tung and Wang ("Hierarchical
 * web caching systems", 2002): a page that is asked for λ times a second is found if that happened within a time T that is the same for all
 * pages, and T is what makes the pages that are found fill the cache. Fricker, Robert and Roberts ("A versatile and accurate approximation
 * for LRU cache performance", 2012) say why it is so good.
 */

/** Pages that are asked for equally often. */
export interface Pages {
  count: number
  /** Of one page, per second, by each asker. */
  perSecond: readonly number[]
}
/** Points of the curve: where so large a share of all pages is cached, so large a share of what each asker asks for is read from disk. */
export interface MissCurve {
  cached: Float64Array
  missed: readonly Float64Array[]
}

const pointsOnCurve = 96

/** What one asker asks for: classes of pages, and how many of each it asks for per second. */
interface Share {
  at: number[]
  perSecond: number[]
  all: number
}

/** `askers`: how many there are; `total`: of all pages, those that nobody asks for included. */
export function missCurveOf(pages: readonly Pages[], askers: number, total: number): MissCurve {
  const asked = pages.flatMap(({ count, perSecond }) => {
    const rate = perSecond.reduce((sum, each) => sum + each, 0)
    return count > 0 && rate > 0 ? [{ count, perSecond, rate }] : []
  })
  const shares = Array.from({ length: askers }, (_, asker) => shareOf(asked, asker))
  const cached = new Float64Array(pointsOnCurve + 2)
  const missed = shares.map(() => Float64Array.from({ length: pointsOnCurve + 2 }, (_, point) => (point <= pointsOnCurve ? 1 : 0)))
  const rates = Float64Array.from(asked, ({ rate }) => rate)
  const counts = Float64Array.from(asked, ({ count }) => count)
  // From a cache that hardly holds the page that is asked for most to one that holds all but the last.
  const [shortest, longest] = [Math.log(1e-3 / Math.max(1e-300, ...rates)), Math.log(20 / Math.min(1e300, ...rates))]
  const left = new Float64Array(asked.length)
  for (let point = 1; point <= pointsOnCurve && asked.length > 0; point++) {
    const time = Math.exp(shortest + ((longest - shortest) * (point - 1)) / (pointsOnCurve - 1))
    let found = 0
    for (let at = 0; at < left.length; at++) {
      const own = Math.exp(-(rates[at] as number) * time)
      left[at] = own
      found += (counts[at] as number) * (1 - own)
    }
    cached[point] = found / total
    for (let asker = 0; asker < missed.length; asker++) (missed[asker] as Float64Array)[point] = missedBy(shares[asker] as Share, left)
  }
  cached[pointsOnCurve + 1] = Math.min(1, asked.reduce((sum, { count }) => sum + count, 0) / total)
  if (asked.length === 0) for (const column of missed) column.fill(0)
  return { cached, missed }
}

/** Most askers ask for one table of many. */
function shareOf(asked: readonly Pages[], asker: number): Share {
  const at = asked.flatMap(({ perSecond }, each) => (perSecond[asker] === 0 ? [] : [each]))
  const perSecond = at.map((each) => {
    const { count, perSecond: ofOne } = asked[each] as Pages
    return count * (ofOne[asker] as number)
  })
  return { at, perSecond, all: perSecond.reduce((sum, each) => sum + each, 0) }
}

function missedBy({ at, perSecond, all }: Share, left: Float64Array): number {
  if (all === 0) return 0
  let sum = 0
  for (let each = 0; each < at.length; each++) sum += (perSecond[each] as number) * (left[at[each] as number] as number)
  return sum / all
}

/** Between the points on straight lines; beyond the last nothing is missed. */
export function missedAt(cached: Float64Array, missed: Float64Array, share: number): number {
  const last = cached.length - 1
  if (share >= (cached[last] as number)) return missed[last] as number
  let [low, high] = [0, last]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((cached[middle] as number) <= share) low = middle
    else high = middle
  }
  const [from, to] = [cached[low] as number, cached[high] as number]
  const part = to > from ? (share - from) / (to - from) : 1
  return (missed[low] as number) + ((missed[high] as number) - (missed[low] as number)) * part
}

/** The smallest share of all pages with which at most so much is read from disk. */
export function cachedFor(cached: Float64Array, missed: Float64Array, most: number): number {
  const last = cached.length - 1
  if ((missed[last] as number) > most) return cached[last] as number
  if ((missed[0] as number) <= most) return 0
  let [short, at] = [0, last]
  while (at - short > 1) {
    const middle = (short + at) >> 1
    if ((missed[middle] as number) <= most) at = middle
    else short = middle
  }
  const [above, below] = [missed[at - 1] as number, missed[at] as number]
  const part = above > below ? (above - most) / (above - below) : 1
  return (cached[at - 1] as number) + ((cached[at] as number) - (cached[at - 1] as number)) * part
}

/** The same as `missedAt` from a table: plans ask millions of times. Finer where little is cached. */
export function tableOf(cached: Float64Array, missed: Float64Array): (share: number) => number {
  const table = Float64Array.from({ length: tablePoints + 1 }, (_, at) => missedAt(cached, missed, (at / tablePoints) ** 2))
  return (share) => {
    const at = Math.sqrt(Math.min(1, Math.max(0, share))) * tablePoints
    const below = Math.min(tablePoints - 1, at | 0)
    const from = table[below] as number
    return from + ((table[below + 1] as number) - from) * (at - below)
  }
}

const tablePoints = 1024
