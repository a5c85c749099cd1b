/** How far two equals differ: one engine entered twice under two names, every number that a report compares side by side. */

import type { CandidateResult, Result } from '../../result/result.ts'
import { byChance, holm, type PairedRatio, pairedRatio } from '../../stats/intervals.ts'
import { median } from '../../stats/median.ts'
import { saturationOf } from '../capacity/capacity.ts'
import type { Decision } from '../decision/decision.ts'
import type { Assessment } from './assess.ts'
import { capacityDifference, capacityKinds } from './capacity-difference.ts'
import { type HowMeasured, metrics, type Rounds, roundsOf } from './compared-times.ts'
import { betweenStarts, cpuByRound, cpuUsOf, factorOf } from './machine-resolution.ts'
import { scatterOfRounds } from './pairs.ts'

type Kept = NonNullable<Result['resolution']>[number]

export interface ResolutionRow {
  number: string
  a: number | null
  b: number | null
  /** b over a; null where one of them is not known. */
  ratio: number | null
  /** What a report would say of the two: different beyond chance, over all rows together (Holm), and by more than is known of this machine. */
  verdict: 'tie' | 'different'
}
export interface Resolution {
  engine: string
  rows: ResolutionRow[]
  /** Names of the equals that a hard constraint put out, while it kept the other. */
  eliminated: string[]
}

interface Compared {
  number: string
  kind: Kept['number']
  a: number | null
  b: number | null
  ratio: number | null
  /** That equals differ as far; null: too little is known. */
  byChance: number | null
}

/** The first two candidates of the result are the equals. */
export function resolutionOf(result: Result, assessment: Assessment, decision: Decision | null): Resolution {
  const [a, b] = result.candidates as [CandidateResult, CandidateResult]
  const all = [
    ...capacities(a, b),
    throughput(a, b),
    cpu(a, b),
    ...times(a, b, result.trialPlan.multiples, assessment),
    ...served(a, b, result.trialPlan.multiples),
  ]
  const tested = all.filter((each) => each.byChance !== null)
  const isNoChance = holm(tested.map((each) => each.byChance as number))
  const isOut = ({ name }: CandidateResult) => decision?.candidates.find((each) => each.name === name)?.out === true
  return {
    engine: a.engine,
    rows: all.map(({ number, kind, a: first, b: second, ratio, ...own }, at) => {
      const differs = isNoChance[tested.indexOf(all[at] as Compared)] === true && own.byChance !== null
      const isBeyond = ratio !== null && Math.abs(Math.log(ratio)) > Math.log(factorOf(result.resolution ?? [], [a.engine], kind))
      return { number, a: first, b: second, ratio, verdict: differs && isBeyond ? 'different' : 'tie' }
    }),
    eliminated: isOut(a) === isOut(b) ? [] : [a, b].filter(isOut).map(({ name }) => name),
  }
}

function capacities(a: CandidateResult, b: CandidateResult): Compared[] {
  return capacityKinds.map((kind) => {
    const [x, y] = [a.capacity[kind], b.capacity[kind]]
    return {
      number: `capacity: ${kind}`,
      kind: 'capacity',
      a: x?.mid ?? null,
      b: y?.mid ?? null,
      ratio: x === null || y === null ? null : y.mid / x.mid,
      byChance: capacityDifference(a, b, kind)?.byChance ?? null,
    }
  })
}

/** Of closed loops, by start; client-bound ones are compared with nothing. */
function throughput(a: CandidateResult, b: CandidateResult): Compared {
  const [x, y] = [saturationOf(a.trials), saturationOf(b.trials)]
  const pairs = x.isLowerBound || y.isLowerBound ? [] : pairsOf(x.byStart, y.byStart)
  return paired('throughput, operations/s', 'capacity', median([...x.byStart.values()]), median([...y.byStart.values()]), pairedRatio(pairs))
}

function cpu(a: CandidateResult, b: CandidateResult): Compared {
  return paired(
    'CPU per operation, µs',
    'CPU per operation',
    cpuUsPerOperation(a),
    cpuUsPerOperation(b),
    pairedRatio(pairsOf(cpuByRound(a), cpuByRound(b))),
  )
}

function times(a: CandidateResult, b: CandidateResult, multiples: number[], { candidates, comparisons }: Assessment): Compared[] {
  return multiples.flatMap((multiple) =>
    a.compiled.map(({ operation }): Compared => {
      const [x, y] = [a, b].map(
        ({ name }) =>
          candidates
            .find((each) => each.name === name)
            ?.at.find((at) => at.multiple === multiple)
            ?.cells.find((cell) => cell.operation === operation)?.p99Us ?? null,
      ) as [number | null, number | null]
      const found = comparisons.find((each) => each.operation === operation && each.multiple === multiple)
      return {
        number: `p99 of ${operation} at ${multiple}×, µs`,
        kind: 'p99',
        a: x,
        b: y,
        ratio: x === null || y === null ? (found?.ratio.interval.mid ?? null) : y / x,
        byChance: found === undefined ? null : byChance(found.ratio),
      }
    }),
  )
}

/** What server and driver take, without any queue. */
function served(a: CandidateResult, b: CandidateResult, multiples: number[]): Compared[] {
  const how = metrics.find(({ metric }) => metric === 'service p50') as HowMeasured
  const all = multiples.flatMap((multiple) =>
    a.compiled.map(({ operation }) => {
      const [x, y] = [a, b].map((candidate) => roundsOf(candidate, how, multiple, operation)) as [Rounds, Rounds]
      return { multiple, operation, x, y, pairs: pairsOf(x.byRound, y.byRound) }
    }),
  )
  const scatter = scatterOfRounds(all)
  return all.map(({ multiple, operation, x, y, pairs }) =>
    paired(`service p50 of ${operation} at ${multiple}×, µs`, 'service p50', x.mergedUs, y.mergedUs, pairedRatio(pairs, scatter)),
  )
}

const paired = (number: string, kind: Kept['number'], a: number | null, b: number | null, found: PairedRatio | null): Compared => ({
  number,
  kind,
  a,
  b,
  ratio: found?.interval.mid ?? (a === null || b === null ? null : b / a),
  byChance: found === null ? null : byChance(found),
})

/** Of both in the same start. */
const pairsOf = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>) =>
  [...a].flatMap(([start, value]): [number, number][] => {
    const other = b.get(start)
    return other === undefined ? [] : [[value, other]]
  })

/** By kind of number, the most that equals differed; no less than what their starts let expect, for a single trial of equals may agree by luck. */
export function knownFrom({ engine, rows }: Resolution, candidates: readonly CandidateResult[]): Kept[] {
  const kinds = { p99: /^p99/, 'service p50': /^service p50/, 'CPU per operation': /^CPU/, capacity: /^capacity|^throughput/ } as const
  const expected = betweenStarts(candidates)
  return Object.entries(kinds).flatMap(([kind, pattern]): Kept[] => {
    const number = kind as Kept['number']
    const ratios = rows.flatMap((each) => (each.ratio !== null && pattern.test(each.number) ? Math.exp(Math.abs(Math.log(each.ratio))) : []))
    return ratios.length === 0 ? [] : [{ engine, number, ratio: Math.max(...ratios, factorOf(expected, [engine], number)) }]
  })
}

/** The middle of the open loops that compare candidates; null where no server's CPU was read. */
export const cpuUsPerOperation = ({ trials }: CandidateResult) => median(trials.flatMap((trial) => cpuUsOf(trial) ?? []))
