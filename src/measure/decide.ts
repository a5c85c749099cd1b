/** Whether a limit on a share was met, from a sample: exact binomial, one-sided at 95 %. */

export type Outcome = 'met' | 'missed' | 'undetermined'

const alpha = 0.05

/** P(X ≤ k) for X ~ Binomial(n, p), summed in logarithms. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k >= n) return 1
  if (p <= 0) return 1
  if (p >= 1) return 0
  // Chernoff: P(X > k) ≤ e^(−n·D(k/n ‖ p)), which is nothing from here on.
  if (k > n * p && n * divergence(k / n, p) > certain) return 1
  const logOdds = Math.log(p) - Math.log1p(-p)
  let logTerm = n * Math.log1p(-p)
  let largest = logTerm
  const terms = [logTerm]
  for (let i = 0; i < k; i++) {
    logTerm += Math.log((n - i) / (i + 1)) + logOdds
    largest = Math.max(largest, logTerm)
    terms.push(logTerm)
  }
  return Math.min(1, Math.exp(largest) * terms.reduce((sum, term) => sum + Math.exp(term - largest), 0))
}

const certain = 50
/** Kullback–Leibler, of two coins. */
const divergence = (a: number, p: number) => a * Math.log(a / p) + (a === 1 ? 0 : (1 - a) * Math.log((1 - a) / (1 - p)))

/**
 * `met` when the upper 95 % bound of the share of exceedances is at most 1 − quantile, `missed` when the lower bound is above it.
 * (Clopper–Pearson: the upper bound is ≤ p exactly when P(X ≤ k | p) ≤ 5 %.) Quantile 1, the maximum, allows none.
 */
export function decide(exceeded: number, intended: number, quantile: number): Outcome {
  if (intended === 0) return 'undetermined'
  if (quantile >= 1) return exceeded > 0 ? 'missed' : 'met'
  const p = 1 - quantile
  if (binomialCdf(exceeded, intended, p) <= alpha) return 'met'
  if (exceeded > 0 && 1 - binomialCdf(exceeded - 1, intended, p) <= alpha) return 'missed'
  return 'undetermined'
}

/** Errors may miss their limit; that too few were seen to prove the limit is no reason to doubt. */
export function errorsMissed(failed: number, intended: number, errorShare: number): boolean {
  return failed > 0 && intended > 0 && (errorShare === 0 || 1 - binomialCdf(failed - 1, intended, errorShare) <= alpha)
}

/** Fewest exceedances among `intended` that miss a quantile, whatever the rest does; Infinity where none can. */
export function missedFrom(intended: number, quantile: number): number {
  for (let exceeded = Math.max(1, Math.ceil(intended * (1 - quantile))); exceeded <= intended; exceeded++)
    if (decide(exceeded, intended, quantile) === 'missed') return exceeded
  return Number.POSITIVE_INFINITY
}

/** Smallest sample without one exceedance that meets a quantile: 299 for p99. */
export function samplesNeeded(quantile: number): number {
  return quantile >= 1 ? 1 : Math.ceil(Math.log(alpha) / Math.log(quantile))
}
