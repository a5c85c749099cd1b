/** How far several runs of one scenario agree, to be read off: the spread of each number, which intervals hold the middle, who is in or out, who ranks where. */

import type { CandidateResult, Result } from '../../result/result.ts'
import { median } from '../../stats/median.ts'
import type { Decision } from '../decision/decision.ts'
import type { PooledNumber } from './pool.ts'

export interface CandidateAgreement {
  candidate: string
  /** How far the runs lie from their middle at most, in per cent of it; null where fewer than two runs tell. */
  saturationSpreadPercent: number | null
  cpuPerOperationSpreadPercent: number | null
  /** Of each capacity: runs whose 80 % interval holds the middle of the runs, of those that tell. */
  intervalsHold: Record<'saturation' | 'cpu' | 'objectives', { held: number; of: number }>
  /** By run. `probabilityIn`: that of the hard constraint that is likeliest to fail; null: nothing was decided. `rank` null: out, or not ranked. */
  runs: { startedAt: string; out: boolean; probabilityIn: number | null; rank: number | null }[]
  /** Almost surely in, in one run, and almost surely out in another. */
  flips: boolean
}
export interface Agreement {
  candidates: CandidateAgreement[]
  /** No two candidates are in one order in one run and in the other in another; those that share a rank are in none. */
  ranksAgree: boolean
}

/** Surer than this is in; less sure than its rest is out. */
const sure = 0.9

/** `decisions`: of each run by itself, in the order of `runs`, the first begun first; null: it decides nothing. */
export function agreementOf(runs: readonly Result[], decisions: readonly (Decision | null)[], numbers: readonly PooledNumber[]): Agreement {
  const newest = runs.at(-1) as Result
  const candidates = newest.candidates.map(({ name }): CandidateAgreement => {
    const own = runs.map((run) => run.candidates.find((each) => each.name === name) as CandidateResult)
    const verdicts = runs.map(({ startedAt }, at) => ({ startedAt, ...standingOf(name, decisions[at] ?? null) }))
    const told = verdicts.flatMap(({ probabilityIn }) => probabilityIn ?? [])
    const spread = (number: PooledNumber['number']) => spreadPercent(numbers.find((each) => each.candidate === name && each.number === number))
    return {
      candidate: name,
      saturationSpreadPercent: spread('saturation'),
      cpuPerOperationSpreadPercent: spread('CPU per operation'),
      intervalsHold: { saturation: heldIn(own, 'saturation'), cpu: heldIn(own, 'cpu'), objectives: heldIn(own, 'objectives') },
      runs: verdicts,
      flips: told.some((share) => share > sure) && told.some((share) => share < 1 - sure),
    }
  })
  return { candidates, ranksAgree: ranksAgree(candidates) }
}

function spreadPercent(number: PooledNumber | undefined): number | null {
  const values = (number?.runs ?? []).filter((each) => each !== null)
  if (values.length < 2) return null
  const middle = median(values) as number
  return 100 * Math.max(...values.map((value) => Math.abs(value / middle - 1)))
}

function heldIn(runs: CandidateResult[], kind: 'saturation' | 'cpu' | 'objectives'): { held: number; of: number } {
  const intervals = runs.flatMap(({ capacity }) => capacity[kind] ?? [])
  const middle = median(intervals.map(({ mid }) => mid)) ?? 0
  return { held: intervals.filter(({ low, high }) => low <= middle && middle <= (high ?? Number.POSITIVE_INFINITY)).length, of: intervals.length }
}

function standingOf(name: string, decision: Decision | null): Omit<CandidateAgreement['runs'][number], 'startedAt'> {
  const candidate = decision?.candidates.find((each) => each.name === name)
  const shares = (candidate?.constraints ?? []).flatMap(({ probability }) => probability ?? [])
  return {
    out: candidate?.out === true,
    // Of the constraint that is likeliest to fail: they hang together, and their product would count one doubt several times.
    probabilityIn: shares.length === 0 ? null : Math.min(...shares),
    rank: decision?.ranking.standings.find((each) => each.name === name)?.rank ?? null,
  }
}

/** Runs in which one of a pair is not ranked have no order of it. */
function ranksAgree(candidates: readonly CandidateAgreement[]): boolean {
  return candidates.every((first, at) =>
    candidates.slice(at + 1).every((second) => {
      const orders = first.runs.flatMap(({ rank }, run) => {
        const other = second.runs[run]?.rank ?? null
        return rank === null || other === null || rank === other ? [] : [Math.sign(rank - other)]
      })
      return new Set(orders).size <= 1
    }),
  )
}
