/** The Universal Scalability Law (Gunther, "Guerrilla Capacity Planning", 2007): throughput against operations in flight, at one size of server. */
import type { CandidateResult } from '../result.ts'
import { inverse } from './linear.ts'

/** X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). */
export interface Scalability {
  /** λ: throughput of one operation in flight, 1/s. */
  single: number
  /** σ: share of the work that waits for one another. */
  contention: number
  /** κ: cost of each pair's keeping in step. */
  coherency: number
  /** In the same order; null at a bound, and where there are no more points than parameters. */
  standardErrors: [number | null, number | null, number | null]
  /** Concurrency of the highest throughput; null: it only approaches it. */
  bestConcurrency: number | null
  /** Highest throughput, 1/s; λ/σ where it is only approached; null where nothing bounds it. */
  mostPerSecond: number | null
  points: number
  /** Root mean square of ln(measured ÷ fitted). */
  residual: number
  warning: string | null
}
type Parameters = Pick<Scalability, 'single' | 'contention' | 'coherency'>

const fewestPoints = 6

export function throughputAt({ single, contention, coherency }: Parameters, concurrency: number): number {
  return (single * concurrency) / (1 + contention * (concurrency - 1) + coherency * concurrency * (concurrency - 1))
}

/** The operations in flight that give a throughput: the smaller root of κX·N² + (σX − κX − λ)N + (1 − σ)X = 0; null above the highest. */
export function concurrencyFor({ single, contention, coherency }: Parameters, perSecond: number): number | null {
  const a = coherency * perSecond
  const b = (contention - coherency) * perSecond - single
  const c = (1 - contention) * perSecond
  if (a === 0) return b < 0 ? -c / b : null
  const discriminant = b * b - 4 * a * c
  // 2c ÷ (−b + √…) is the smaller root without the difference of two nearly equal numbers.
  return discriminant < 0 || b >= 0 ? null : (2 * c) / (-b + Math.sqrt(discriminant))
}

/** The closed-loop sweep as points; what others disturbed, or the server did not live through, is none. */
export function sweepOf({ trials }: Pick<CandidateResult, 'trials'>): { concurrency: number; perSecond: number }[] {
  return trials
    .filter(
      ({ phase, validity, throughputPerSecond }) =>
        phase === 'sweep' && validity.verdict !== 'noisy' && validity.verdict !== 'broken' && throughputPerSecond > 0,
    )
    .map(({ arrival, throughputPerSecond }) => ({ concurrency: arrival.concurrency ?? 1, perSecond: throughputPerSecond }))
}

/** Bounded least squares on ln X, because throughputs err by a share; Levenberg–Marquardt with 0 ≤ σ, κ ≤ 1. null under three concurrencies. */
export function fitScalability(points: { concurrency: number; perSecond: number }[]): Scalability | null {
  if (new Set(points.map((point) => point.concurrency)).size < 3) return null
  const n = points.map((point) => point.concurrency)
  const y = points.map((point) => Math.log(point.perSecond))
  const residuals = (p: number[]) =>
    n.map(
      (each, at) =>
        (y[at] as number) - ((p[0] as number) + Math.log(each) - Math.log(1 + (p[1] as number) * (each - 1) + (p[2] as number) * each * (each - 1))),
    )
  const jacobian = (p: number[]) =>
    n.map((each) => {
      const divisor = 1 + (p[1] as number) * (each - 1) + (p[2] as number) * each * (each - 1)
      return [1, -(each - 1) / divisor, -(each * (each - 1)) / divisor]
    })
  const cost = (p: number[]) => residuals(p).reduce((sum, each) => sum + each * each, 0)
  // From several starts: where little saturates, the surface is flat.
  const starts = [
    [0.01, 1e-4],
    [0.5, 1e-3],
    [0.1, 0],
    [0.9, 0.01],
  ].map(([sigma, kappa]) => {
    const guess = [0, sigma as number, kappa as number]
    guess[0] = residuals(guess).reduce((sum, each) => sum + each, 0) / n.length
    return descend(guess, residuals, jacobian, cost)
  })
  const [lambda, contention, coherency] = starts.sort((a, b) => cost(a) - cost(b))[0] as [number, number, number]
  const single = Math.exp(lambda)
  const found = { single, contention, coherency }
  const free = [0, ...(isInside(contention) ? [1] : []), ...(isInside(coherency) ? [2] : [])]
  const slopes = jacobian([lambda, contention, coherency])
  const normal = free.map((a) => free.map((b) => slopes.reduce((sum, row) => sum + (row[a] as number) * (row[b] as number), 0)))
  const covariance = inverse(normal)
  const left = cost([lambda, contention, coherency])
  const variance = left / Math.max(1, n.length - free.length)
  const errorOf = (parameter: number) => {
    const at = free.indexOf(parameter)
    return at < 0 || covariance === null || n.length <= free.length ? null : Math.sqrt(variance * (covariance[at]?.[at] as number))
  }
  const ofLambda = errorOf(0)
  const bestConcurrency = coherency > 0 && contention < 1 ? Math.max(1, Math.sqrt((1 - contention) / coherency)) : null
  return {
    ...found,
    standardErrors: [ofLambda === null ? null : ofLambda * single, errorOf(1), errorOf(2)],
    bestConcurrency,
    mostPerSecond: bestConcurrency !== null ? throughputAt(found, bestConcurrency) : contention > 0 ? single / contention : null,
    points: n.length,
    residual: Math.sqrt(left / n.length),
    warning: n.length < fewestPoints ? `${n.length} concurrencies were measured, fewer than ${fewestPoints}: the parameters are loose` : null,
  }
}

/**
 * Throughput of twice the cores over twice that of one, 2^(s − 1) for throughput ∝ cores^s: the slope over all sizes, and the range of its
 * neighbours. null under three sizes.
 */
export function doublingOf(
  sizes: { cpus: number; throughputPerSecond: number }[],
): { low: number; mid: number; high: number; confidence: null } | null {
  if (new Set(sizes.map((size) => size.cpus)).size < 3) return null
  const points = sizes.map((size) => ({ x: Math.log2(size.cpus), y: Math.log2(size.throughputPerSecond) })).sort((a, b) => a.x - b.x)
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean('x'), mean('y')]
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  const steps = points.slice(1).map((point, at) => {
    const before = points[at] as (typeof points)[number]
    return 2 ** ((point.y - before.y) / (point.x - before.x) - 1)
  })
  const mid = 2 ** (slope - 1)
  return { low: Math.min(mid, ...steps), mid, high: Math.max(mid, ...steps), confidence: null }
}

const isInside = (value: number) => value > 0 && value < 1
const bounded = (p: number[]) => [p[0] as number, clamp(p[1] as number), clamp(p[2] as number)]
const clamp = (value: number) => Math.min(1, Math.max(0, value))

function descend(
  start: number[],
  residuals: (p: number[]) => number[],
  jacobian: (p: number[]) => number[][],
  cost: (p: number[]) => number,
): number[] {
  let at = bounded(start)
  let damping = 1e-3
  for (let step = 0; step < 500; step++) {
    const r = residuals(at)
    const slopes = jacobian(at)
    const gradient = [0, 1, 2].map((a) => slopes.reduce((sum, row, point) => sum + (row[a] as number) * (r[point] as number), 0))
    // At a bound and pushed against it: it stays there for this step.
    const free = [0, 1, 2].filter((a) => a === 0 || !((at[a] === 0 && (gradient[a] as number) <= 0) || (at[a] === 1 && (gradient[a] as number) >= 0)))
    const normal = free.map((a) =>
      free.map((b) => slopes.reduce((sum, row) => sum + (row[a] as number) * (row[b] as number), 0) * (a === b ? 1 + damping : 1)),
    )
    const inverted = inverse(normal)
    if (inverted === null) return at
    const moved = [...at]
    for (const [row, a] of free.entries())
      moved[a] = (at[a] as number) + free.reduce((sum, b, column) => sum + (inverted[row]?.[column] as number) * (gradient[b] as number), 0)
    const next = bounded(moved)
    if (cost(next) < cost(at)) {
      const change = Math.hypot(...next.map((value, index) => (value - (at[index] as number)) / (Math.abs(at[index] as number) + 1e-12)))
      at = next
      damping = Math.max(1e-12, damping / 5)
      if (change < 1e-12) return at
    } else {
      damping *= 4
      if (damping > 1e12) return at
    }
  }
  return at
}
