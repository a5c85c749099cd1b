/** Which rates the response curve is measured at: near where it is expected to pass its limit, some on either side, never one alone. */

/** What the curve says so far: the multiple below which the bound lies with a probability. */
export interface Expected {
  quantile(share: number): number
}

/** Open loops pass their limits below what a closed one reaches; nobody knows where before the first trial. */
const firstShare = 0.65
const firstSpread = 0.3
/** Two rates closer than this tell the same. */
const apart = 0.08
/** An open loop above what a closed one reached only fills its queue. */
const highestShare = 1.1

/** `saturated`: the multiple whose rate a closed loop reached. Ascending; `count` of them. */
export function ratesAround(expected: Expected | null, saturated: number, count: number): number[] {
  const middle = expected?.quantile(0.5) ?? firstShare * saturated
  const shares = Array.from({ length: count }, (_, at) => (count === 1 ? 0.5 : 0.2 + (0.6 * at) / (count - 1)))
  return shares.map((share) => {
    const sides = Math.sign(share - 0.5)
    const far = expected === null ? 2 * firstSpread * (share - 0.5) : Math.log(expected.quantile(share) / middle)
    return rounded(Math.min(highestShare * saturated, middle * Math.exp(sides * Math.max(apart, Math.abs(far)))))
  })
}

/** A rate that the curve is not shown, to see whether it foretells it. */
export const heldBackMultiple = (saturated: number) => rounded(0.45 * saturated)

/** Multiples that people can read and a label can hold. */
export const rounded = (multiple: number) => Number(multiple.toPrecision(3))
