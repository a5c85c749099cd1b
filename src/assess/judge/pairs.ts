/** Candidates in pairs at the same rates: faster, slower or tie. */
import type { CandidateResult, Result, TrialResult } from '../../result/result.ts'
import type { Operation } from '../../scenario/scenario.ts'
import { byChance, holm, type PairedRatio, pairedRatio, type Scatter, scatterOf } from '../../stats/intervals.ts'
import { factorOf, type KnownResolution, p99Of } from './machine-resolution.ts'
import { measuredThrough } from './own-evidence.ts'

/** Two candidates at the same rate: how many times the p99 response of the second is that of the first. */
export interface Comparison {
  multiple: number
  operation: string
  mix: TrialResult['mix']
  first: string
  second: string
  ratio: PairedRatio
  /** Of the second. */
  verdict: 'faster' | 'slower' | 'tie'
}
/** Every pair that was measured with the same mix at the same rates, round by round. */
export function comparePairs({ candidates, trialPlan: { multiples } }: Result, operations: Operation[], resolution: KnownResolution[]): Comparison[] {
  return (['full', 'partial', 'common'] as const).flatMap((mix) => {
    const own = candidates.filter((candidate) => candidate.trials.some((trial) => trial.mix === mix && trial.phase === 'confirmation'))
    const pairs = own
      .flatMap((first, index) => own.slice(index + 1).map((second): [CandidateResult, CandidateResult] => [first, second]))
      // The times of a driver hold its own work.
      .filter(([first, second]) => measuredThrough(first) === measuredThrough(second))
    // Who lacks other operations did another job.
    const comparable = mix === 'partial' ? pairs.filter(([first, second]) => mixOf(first) === mixOf(second)) : pairs
    const found = comparable.flatMap((pair) => comparePair(pair, mix, multiples, operations, resolution))
    // Rate by rate and operation by operation, as tables have them.
    return multiples.flatMap((multiple) =>
      operations.flatMap(({ name }) => found.filter((each) => each.multiple === multiple && each.operation === name)),
    )
  })
}

const mixOf = ({ compiled }: CandidateResult) =>
  compiled
    .map(({ operation }) => operation)
    .sort()
    .join(' ')

/** A difference is one where it is neither chance, over all that is compared of the pair, nor less than equals differ by. */
function comparePair(
  [first, second]: [CandidateResult, CandidateResult],
  mix: TrialResult['mix'],
  multiples: number[],
  operations: Operation[],
  resolution: KnownResolution[],
): Comparison[] {
  const all = multiples.flatMap((multiple) =>
    operations.map(({ name: operation }) => {
      const [a, b] = [first, second].map((candidate) => p99ByRound(candidate, mix, multiple, operation)) as [Map<number, number>, Map<number, number>]
      return {
        multiple,
        operation,
        pairs: [...a].flatMap(([round, value]): [number, number][] => (b.has(round) ? [[value, b.get(round) as number]] : [])),
      }
    }),
  )
  const scatter = scatterOfRounds(all)
  const told = all.flatMap(({ multiple, operation, pairs }) => {
    const ratio = pairedRatio(pairs, scatter)
    return ratio === null ? [] : [{ multiple, operation, mix, first: first.name, second: second.name, ratio }]
  })
  const isNoChance = holm(told.map(({ ratio }) => byChance(ratio)))
  const factor = factorOf(resolution, [first.engine, second.engine], 'p99')
  return told.map((each, at): Comparison => {
    const { mid } = each.ratio.interval
    return { ...each, verdict: isNoChance[at] !== true ? 'tie' : mid > factor ? 'slower' : mid < 1 / factor ? 'faster' : 'tie' }
  })
}

/** Rounds at one rate share their luck, with those at another they do not. */
export function scatterOfRounds(all: readonly { multiple: number; pairs: [number, number][] }[]): Scatter | undefined {
  const freedom = [...Map.groupBy(all, ({ multiple }) => multiple).values()].map((own) => Math.max(1, ...own.map(({ pairs }) => pairs.length)) - 1)
  return scatterOf(
    all.map(({ pairs }) => pairs),
    freedom.reduce((sum, each) => sum + each, 0),
  )
}

function p99ByRound(candidate: CandidateResult, mix: TrialResult['mix'], multiple: number, operation: string): Map<number, number> {
  const rounds = candidate.trials.filter((trial) => trial.phase === 'confirmation' && trial.mix === mix && trial.arrival.multiple === multiple)
  return new Map(
    rounds.flatMap((trial): [number, number][] => {
      const p99 = p99Of(trial, operation)
      return p99 === null ? [] : [[trial.repeat, p99]]
    }),
  )
}
