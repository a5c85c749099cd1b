/** Several A/A trials together: in how many of them equals were called different, by number. */
import type { Resolution } from './resolution.ts'

export interface PooledResolution {
  engines: string[]
  trials: number
  /** In how many trials any number that must repeat (a capacity, a p99 at the average load, CPU per operation) was called different. */
  trialsWithDifference: number
  rows: { number: string; trials: number; different: number; largestRatio: number | null }[]
  /** In how many trials one of the equals was out and the other was not. */
  eliminations: number
}

/** What must repeat: times at other rates than the average load are told, and not counted. */
const mustRepeat = /^capacity|^CPU|^p99 of .* at 1×/

export function pooledEquals(trials: readonly Resolution[]): PooledResolution {
  const numbers = [...new Set(trials.flatMap(({ rows }) => rows.map(({ number }) => number)))]
  return {
    engines: [...new Set(trials.map(({ engine }) => engine))],
    trials: trials.length,
    trialsWithDifference: trials.filter(({ rows }) => rows.some(({ number, verdict }) => verdict === 'different' && mustRepeat.test(number))).length,
    rows: numbers.map((number) => {
      const own = trials.flatMap(({ rows }) => rows.filter((each) => each.number === number && each.ratio !== null))
      const distances = own.map(({ ratio }) => Math.abs(Math.log(ratio as number)))
      return {
        number,
        trials: own.length,
        different: own.filter(({ verdict }) => verdict === 'different').length,
        largestRatio: distances.length === 0 ? null : Math.exp(Math.max(...distances)),
      }
    }),
    eliminations: trials.filter(({ eliminated }) => eliminated.length > 0).length,
  }
}
