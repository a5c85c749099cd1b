/** The Universal Scalability Law (Gunther, "Guerrilla Capacity Planning", 2007): throughput against operations in flight, at one size of server. */
import { Matrix } from 'ml-matrix'
import type { CandidateResult } from '../../result/result.ts'
import { leastSquares, type Model } from '../../stats/least-squares.ts'
import { inverseOf } from '../../stats/linear.ts'

/** X(N) = λN / (1 + σ(N − 1) + κN(N − 1)). */
export interface Scalability extends Parameters {
  /** In the same order; null at a bound, and where there are no more points than parameters. */
  standardErrors: [number | null, number | null, number | null]
  /** Concurrency of the highest throughput; null: it only approaches it. */
  bestConcurrency: number | null
  /** Highest throughput, 1/s; λ/σ where it is only approached; null where nothing bounds it. */
  mostPerSecond: number | null
  points: number
  /** Root mean square of ln(measured ÷ fitted). */
  residual: number
  /** The same law fitted to throughputs as they are, so that the highest weigh most: where the two differ, the points do not tell. */
  byThroughput: Parameters & Pick<Scalability, 'mostPerSecond' | 'bestConcurrency'>
  warning: string | null
}
interface Parameters {
  /** λ: throughput of one operation in flight, 1/s. */
  single: number
  /** σ: share of the work that waits for one another. */
  contention: number
  /** κ: cost of each pair's keeping in step. */
  coherency: number
}

const minPoints = 6

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

/** The closed-loop sweep as points; what others disturbed, the harness limited, or the server did not live through, is none. */
export function sweepOf({ trials }: Pick<CandidateResult, 'trials'>): { concurrency: number; perSecond: number }[] {
  return trials
    .filter(({ phase, validity, throughputPerSecond }) => phase === 'sweep' && validity.verdict === 'valid' && throughputPerSecond > 0)
    .map(({ arrival, throughputPerSecond, slowdown }) => ({ concurrency: arrival.concurrency ?? 1, perSecond: throughputPerSecond * slowdown }))
}

/** Least squares with 0 ≤ σ, κ ≤ 1 on ln X, because throughputs err by a share, and beside it on X. null under three concurrencies. */
export function fitScalability(points: { concurrency: number; perSecond: number }[]): Scalability | null {
  const name = JSON.stringify(points)
  const known = fitted.get(name)
  if (known !== undefined) return known
  const law = fitOnBoth(points)
  if (fitted.size >= maxKept) fitted.clear()
  fitted.set(name, law)
  return law
}

/** A part of a candidate's work, beside another store, has the law of all of it. */
const fitted = new Map<string, Scalability | null>()
const maxKept = 100

function fitOnBoth(points: { concurrency: number; perSecond: number }[]): Scalability | null {
  if (new Set(points.map((point) => point.concurrency)).size < 3) return null
  const found = fit(points, onLogarithms)
  const { free, covariance, cost } = found
  const errorOf = (parameter: number) => {
    const at = free.indexOf(parameter)
    return at < 0 || covariance === null || points.length <= free.length ? null : Math.sqrt(Math.max(0, covariance.get(at, at)))
  }
  const ofLambda = errorOf(0)
  const direct = fit(points, onThroughput)
  return {
    ...found.law,
    standardErrors: [ofLambda === null ? null : ofLambda * found.law.single, errorOf(1), errorOf(2)],
    ...highestOf(found.law),
    points: points.length,
    residual: Math.sqrt(cost / points.length),
    byThroughput: { ...direct.law, ...highestOf(direct.law) },
    warning: points.length < minPoints ? `${points.length} concurrencies were measured, fewer than ${minPoints}: the parameters are loose` : null,
  }
}

function highestOf(law: Parameters): Pick<Scalability, 'bestConcurrency' | 'mostPerSecond'> {
  const { single, contention, coherency } = law
  const bestConcurrency = coherency > 0 && contention < 1 ? Math.max(1, Math.sqrt((1 - contention) / coherency)) : null
  return {
    bestConcurrency,
    mostPerSecond: bestConcurrency !== null ? throughputAt(law, bestConcurrency) : contention > 0 ? single / contention : null,
  }
}

/** What is made of a throughput before squares are taken: its value, and the slope over ln X. */
interface Scale {
  of: (perSecond: number) => number
  slope: (perSecond: number) => number
}
const onLogarithms: Scale = { of: Math.log, slope: () => 1 }
const onThroughput: Scale = { of: (perSecond) => perSecond, slope: (perSecond) => perSecond }

interface Fit {
  law: Parameters
  /** Sum of squares. */
  cost: number
  /** Parameters that are not at a bound: 0 is ln λ. */
  free: number[]
  /** Of the free ones, in order. */
  covariance: Matrix | null
}

/** σ and κ, σ alone, κ alone, neither: a bound that holds is a parameter less, and the least sum of squares within the bounds is the fit. */
const freedoms = [[0, 1, 2], [0, 1], [0, 2], [0]] as const
const starts = [
  [0.05, 1e-4],
  [0.5, 1e-3],
] as const

function fit(points: { concurrency: number; perSecond: number }[], scale: Scale): Fit {
  // In units of the largest, so that steps and tolerances mean the same for every server.
  const unit = Math.max(...points.map(({ perSecond }) => perSecond))
  const x = points.map(({ concurrency }) => concurrency)
  const y = points.map(({ perSecond }) => scale.of(perSecond / unit))
  const lawOf = ([lambda, contention, coherency]: number[]): Parameters => ({
    single: Math.exp(lambda as number),
    contention: contention as number,
    coherency: coherency as number,
  })
  const slopeOf = ({ contention, coherency }: Parameters, n: number, perSecond: number, parameter: number) => {
    const slope = scale.slope(perSecond)
    const divisor = 1 + contention * (n - 1) + coherency * n * (n - 1)
    return parameter === 0 ? slope : parameter === 1 ? (-slope * (n - 1)) / divisor : (-slope * n * (n - 1)) / divisor
  }
  const costOf = (p: number[]) => x.reduce((sum, n, at) => sum + ((y[at] as number) - scale.of(throughputAt(lawOf(p), n))) ** 2, 0)
  let best: { p: number[]; cost: number; free: readonly number[] } | undefined
  for (const free of freedoms) {
    for (const [sigma, kappa] of starts) {
      const whole = (some: readonly number[]) => [0, 1, 2].map((at) => some[free.indexOf(at as never)] ?? 0)
      const guess = [0, sigma, kappa].filter((_, at) => free.includes(at as never))
      guess[0] = Math.log(Math.max(...points.map(({ concurrency, perSecond }) => perSecond / unit / concurrency)))
      const model: Model = {
        with: (some) => {
          const law = lawOf(whole(some))
          return (n, slopes) => {
            const perSecond = throughputAt(law, n)
            for (let at = 0; at < free.length; at++) slopes[at] = slopeOf(law, n, perSecond, free[at] as number)
            return scale.of(perSecond)
          }
        },
        low: free.map((at) => (at === 0 ? -50 : 0)),
        high: free.map((at) => (at === 0 ? 50 : 1)),
      }
      const p = whole(leastSquares(x, y, model, guess))
      const cost = costOf(p)
      // A parameter more must explain more.
      if (best === undefined || cost < best.cost * (1 - 1e-9) - 1e-20) best = { p, cost, free }
      if (free.length === 1) break
    }
    // Within the bounds with all parameters free: nothing is better.
    if (best !== undefined && best.free.length === 3 && isInside(best.p[1] as number) && isInside(best.p[2] as number)) break
  }
  const { p, cost } = best as NonNullable<typeof best>
  const free = [0, ...(isInside(p[1] as number) ? [1] : []), ...(isInside(p[2] as number) ? [2] : [])]
  const law = lawOf(p)
  const slopes = new Matrix(x.map((n) => free.map((at) => slopeOf(law, n, throughputAt(law, n), at))))
  const covariance = inverseOf(slopes.transpose().mmul(slopes))
  return {
    law: { ...law, single: law.single * unit },
    cost,
    free,
    covariance: covariance === null ? null : Matrix.mul(covariance, cost / Math.max(1, x.length - free.length)),
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
