/** Which of n things is drawn: uniform, zipfian, latest, hotspot; binomial and weighted choices by table. */
import type { PickLaw, Tiers } from '../scenario/scenario.ts'
import type { Skew } from '../scenario/units.ts'
import { avalanche, type Source } from './random.ts'

/** A rank in [0, n), 0 the most popular. */
export type Ranker = (source: Source) => number

/**
 * Zipf ranks for any exponent θ > 0 in constant time and space: P(rank r) ∝ 1/(r+1)^θ.
 * Rejection-inversion, Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", 1996.
 */
export function zipfian(n: number, theta: number): Ranker {
  const ratio1 = (x: number) => (Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x * (0.5 - x * (1 / 3 - x / 4)))
  const ratio2 = (x: number) => (Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + (x / 2) * (1 + (x / 3) * (1 + x / 4)))
  const density = (x: number) => Math.exp(-theta * Math.log(x))
  const integral = (x: number) => ratio2((1 - theta) * Math.log(x)) * Math.log(x)
  const inverse = (y: number) => Math.exp(ratio1(Math.max(-1, y * (1 - theta))) * y)
  const first = integral(1.5) - 1
  const last = integral(n + 0.5)
  const shortcut = 2 - inverse(integral(2.5) - density(2))
  return (source) => {
    for (;;) {
      const u = last + source.next() * (first - last)
      const x = inverse(u)
      const k = Math.min(n, Math.max(1, Math.floor(x + 0.5)))
      if (k - x <= shortcut || u >= integral(k + 0.5) - density(k)) return k - 1
    }
  }
}

/** Probability of the most popular of n things. */
export function heaviestShare(skew: Skew, n: number): number {
  if (skew.kind === 'uniform') return 1 / n
  if (skew.kind === 'hotspot') return Math.max(skew.hotProbability / Math.max(1, Math.round(n * skew.hotShare)), 1 / n)
  return 1 / harmonic(n, skew.theta)
}

/** Probability of the least popular of the things that half of all draws fall on. */
export function pickedRankShare(skew: Skew, n: number): number {
  if (skew.kind === 'uniform') return 1 / n
  if (skew.kind === 'hotspot') {
    const hot = Math.min(n, Math.max(1, Math.round(n * skew.hotShare)))
    return skew.hotProbability >= 0.5 || hot === n ? skew.hotProbability / hot : (1 - skew.hotProbability) / (n - hot)
  }
  const total = harmonic(n, skew.theta)
  let [low, high] = [1, n]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (harmonic(middle, skew.theta) < total / 2) low = middle + 1
    else high = middle
  }
  return low ** -skew.theta / total
}

const exactTerms = 1000
/** By exponent, the sums of up to so many terms: plans ask for few of them, again and again. */
const sums = new Map<number, Float64Array>()
const maxExponents = 64

/** Sum of k^−θ for k from 1 to n, on straight lines between whole numbers; by Euler–Maclaurin beyond 1000 terms. */
export function harmonic(n: number, theta: number): number {
  let upTo = sums.get(theta)
  if (upTo === undefined) {
    upTo = new Float64Array(exactTerms + 1)
    for (let k = 1; k <= exactTerms; k++) upTo[k] = (upTo[k - 1] as number) + k ** -theta
    if (sums.size === maxExponents) sums.clear()
    sums.set(theta, upTo)
  }
  if (n <= exactTerms) {
    const whole = Math.floor(n)
    return (upTo[whole] as number) + (n - whole) * (whole + 1) ** -theta
  }
  const integral = theta === 1 ? Math.log(n / exactTerms) : (n ** (1 - theta) - exactTerms ** (1 - theta)) / (1 - theta)
  return (upTo[exactTerms] as number) + integral + (n ** -theta - exactTerms ** -theta) / 2
}

/** Probability that `binomial` draws this value: the normal density about it, which is within a few percent where the tails are not thin. */
export function binomialShare(low: number, high: number, mean: number, value: number): number {
  const trials = high - low
  const variance = trials === 0 ? 0 : (mean - low) * (1 - (mean - low) / trials)
  if (variance === 0) return value === mean ? 1 : 0
  return Math.min(1, Math.exp(-((value - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance))
}

/** Probability that `binomial` draws a value from `first` to `last`: its density, added up in steps where it is not next to nothing. */
export function binomialRangeShare(low: number, high: number, mean: number, first: number, last: number): number {
  const reach = Math.ceil(maxDeviations * Math.sqrt(high - low)) / 2
  const from = Math.max(first, Math.floor(mean - reach))
  const values = Math.min(last, Math.ceil(mean + reach)) - from + 1
  const steps = Math.min(values, maxSteps)
  let sum = 0
  for (let at = 0; at < steps; at++) sum += binomialShare(low, high, mean, from + ((at + 0.5) * values) / steps - 0.5)
  return steps <= 0 ? 0 : Math.min(1, (sum * values) / steps)
}
/** A deviation is at most half the root of the number of trials. */
const maxDeviations = 8
const maxSteps = 1000

/** A permutation of [0, n) by a four-round Feistel network with cycle walking: spreads popular ranks over the rows. */
export function permutation(n: number, key: number): (rank: number) => number {
  const halfBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, n)) / 2))
  const half = 2 ** halfBits
  return (rank) => {
    let value = rank
    do {
      let left = Math.floor(value / half)
      let right = value % half
      for (let round = 1; round <= 4; round++) {
        const mixed = (left ^ (avalanche(right ^ Math.imul(round, 0x9e3779b1) ^ key) % half)) >>> 0
        left = right
        right = mixed
      }
      value = left * half + right
    } while (value >= n)
    return value
  }
}

/** Up to so many things a skewed draw looks up tables of 12 bytes a thing. */
const largestTable = 2 ** 20

/**
 * An index with probability proportional to its weight, in constant time: Walker's alias method with Vose's construction
 * ("A linear algorithm for generating random numbers with a given distribution", 1991). `place` renames the indices.
 */
function aliased(weights: Float64Array, place: (index: number) => number): Ranker {
  const n = weights.length
  let total = 0
  for (let i = 0; i < n; i++) total += weights[i] as number
  const own = new Float64Array(n)
  for (let i = 0; i < n; i++) own[i] = ((weights[i] as number) * n) / total
  const first = new Uint32Array(n)
  const second = new Uint32Array(n)
  const small: number[] = []
  const large: number[] = []
  for (let i = 0; i < n; i++) {
    first[i] = place(i)
    ;((own[i] as number) < 1 ? small : large).push(i)
  }
  while (small.length > 0 && large.length > 0) {
    const less = small.pop() as number
    const more = large.at(-1) as number
    second[less] = first[more] as number
    own[more] = (own[more] as number) + (own[less] as number) - 1
    if ((own[more] as number) < 1) small.push(large.pop() as number)
  }
  for (const rest of [...small, ...large]) own[rest] = 1
  return (source) => {
    const u = source.next() * n
    const index = Math.floor(u)
    return (u - index < (own[index] as number) ? first[index] : second[index]) as number
  }
}

const tables = new Map<string, Ranker>()

/**
 * Row numbers in [0, n) by skew; `latest` favours the highest. Ranks are drawn over what there is in production and folded on the n that are
 * loaded (rank mod n): however few those are, the most popular has the share that it has in production, and what folds on it.
 */
export function picker(skew: PickLaw, n: number, key: number, inProduction = n): Ranker {
  if (skew.kind === 'uniform') return (source) => source.below(n)
  if (skew.kind === 'tiers') return byAge(skew, n)
  const ranks = Math.max(n, inProduction)
  if (skew.kind === 'hotspot' || n > largestTable) return computed(skew, n, key, ranks)
  const name = `${skew.kind} ${skew.theta} ${n} ${key} ${ranks}`
  let table = tables.get(name)
  if (table === undefined) {
    const weights = Float64Array.from({ length: n }, (_, rank) => foldedWeight(rank, n, ranks, skew.theta))
    table = aliased(weights, skew.kind === 'latest' ? (rank) => n - 1 - rank : permutation(n, key))
    tables.set(name, table)
  }
  return table
}

/**
 * The first row of each tier of n, the newest last: a tier has the share of the rows that were created in its time, be they many or few that
 * are loaded, and one at least where there are as many rows as tiers.
 */
export function tierStarts({ tiers }: Tiers, n: number): Float64Array {
  const starts = new Float64Array(tiers.length)
  let [share, start] = [0, n]
  for (const [at, { rowShare }] of tiers.entries()) {
    share += rowShare
    const older = tiers.length - 1 - at
    start = older === 0 ? 0 : Math.max(0, Math.min(start - 1, Math.max(older, n - Math.round(share * n))))
    starts[at] = start
  }
  return starts
}

/** Which tier a row is of. */
export function tierAt(starts: Float64Array, row: number): number {
  let tier = 0
  while (row < (starts[tier] as number)) tier++
  return tier
}

/** A tier by its share of the picks, within it each row as often as any other. */
function byAge(law: Tiers, n: number): Ranker {
  const starts = tierStarts(law, n)
  let share = 0
  const upTo = Float64Array.from(law.tiers, ({ pickShare }) => (share += pickShare))
  const last = upTo.findLastIndex((each, at) => each > (upTo[at - 1] ?? 0))
  return (source) => {
    const u = source.next()
    let tier = 0
    while (tier < last && u >= (upTo[tier] as number)) tier++
    const start = starts[tier] as number
    const end = tier === 0 ? n : (starts[tier - 1] as number)
    return start + source.below(Math.max(1, end - start))
  }
}

/** So many folds are added one by one; those beyond are a smooth sum. */
const exactFolds = 4

/** Sum of (rank + 1 + j·n)^−θ over the ranks below `ranks`: by the midpoint rule from the fifth on, within 0.5 % of what that adds. */
function foldedWeight(rank: number, n: number, ranks: number, theta: number): number {
  const folds = Math.ceil((ranks - rank) / n)
  let weight = 0
  for (let fold = 0; fold < Math.min(folds, exactFolds); fold++) weight += (rank + 1 + fold * n) ** -theta
  if (folds <= exactFolds) return weight
  const [from, to] = [rank + 1 + (exactFolds - 0.5) * n, rank + 1 + (folds - 0.5) * n]
  return weight + (theta === 1 ? Math.log(to / from) : (to ** (1 - theta) - from ** (1 - theta)) / (1 - theta)) / n
}

function computed(skew: Exclude<Skew, { kind: 'uniform' }>, n: number, key: number, ranks: number): Ranker {
  switch (skew.kind) {
    case 'latest': {
      const rank = zipfian(ranks, skew.theta)
      return (source) => n - 1 - (rank(source) % n)
    }
    case 'zipfian': {
      const rank = zipfian(ranks, skew.theta)
      const place = permutation(n, key)
      return (source) => place(rank(source) % n)
    }
    case 'hotspot': {
      const hot = Math.max(1, Math.round(ranks * skew.hotShare))
      const place = permutation(n, key)
      return (source) => {
        const inHot = source.next() < skew.hotProbability || hot >= ranks
        return place((inHot ? source.below(hot) : hot + source.below(ranks - hot)) % n)
      }
    }
  }
}

/** Draws an index with probability proportional to its weight. */
export function weighted(weights: number[]): Ranker {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  const cumulative = Float64Array.from(weights, (weight) => (sum += weight / total))
  return (source) => {
    const u = source.next()
    let low = 0
    let high = cumulative.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (u < (cumulative[middle] as number)) high = middle
      else low = middle + 1
    }
    return low
  }
}

const maxBinomialTable = 4096

/** low + Binomial(high − low, (mean − low)/(high − low)); a rounded, clamped normal where the table would pass 4096 entries. */
export function binomial(low: number, high: number, mean: number): Ranker {
  const trials = high - low
  const p = trials === 0 ? 0 : (mean - low) / trials
  if (trials === 0 || p <= 0) return () => low
  if (p >= 1) return () => high
  if (trials > maxBinomialTable) {
    const deviation = Math.sqrt(trials * p * (1 - p))
    return (source) => {
      const radius = Math.sqrt(-2 * Math.log(1 - source.next()))
      return Math.min(high, Math.max(low, Math.round(mean + deviation * radius * Math.cos(2 * Math.PI * source.next()))))
    }
  }
  let logWeight = 0
  const weights = Array.from({ length: trials + 1 }, (_, k) => {
    if (k > 0) logWeight += Math.log((trials - k + 1) / k) + Math.log(p / (1 - p))
    return logWeight
  })
  const most = Math.max(...weights)
  const draw = weighted(weights.map((weight) => Math.exp(weight - most)))
  return (source) => low + draw(source)
}
