/**
 * By how much two equals may differ on this machine: measured, where one engine was entered twice (`dbtrial resolution`); else by what the
 * starts of the run itself differ. Whatever differs less is called a tie.
 */
import { samplesNeeded } from '../../measure/decide.ts'
import type { CandidateResult, Result, TrialResult } from '../../result/result.ts'
import { minRepeats, moments, reachOf } from '../../stats/intervals.ts'
import { median } from '../../stats/median.ts'
import { isUsable } from '../capacity/response-curve.ts'

type Kept = NonNullable<Result['resolution']>[number]
/** How many times one equal's number may be the other's. */
export interface KnownResolution extends Kept {
  /** `equals`: two of them were measured; `starts`: nobody has, and what differs between the starts of this run stands in. */
  from: 'equals' | 'starts'
}

/** Of every engine of the result, and every kind of number; nothing where too few starts were measured to know. */
export function resolutionIn(result: Result): KnownResolution[] {
  const measured = result.resolution ?? []
  const standIn = betweenStarts(result.candidates).filter(
    (each) => !measured.some(({ engine, number }) => engine === each.engine && number === each.number),
  )
  return [...measured.map((each) => ({ ...each, from: 'equals' as const })), ...standIn]
}

/** The factor below which two numbers are equals; 1 where nothing tells. */
export function factorOf(known: readonly Kept[], engines: readonly string[], number: Kept['number']): number {
  return Math.max(1, ...known.filter((each) => each.number === number && engines.includes(each.engine)).map((each) => each.ratio))
}

/** A sentence for what is compared. */
export function resolutionText(known: readonly KnownResolution[]): string {
  const by = (from: KnownResolution['from']) => [...new Set(known.filter((each) => each.from === from).map((each) => each.engine))]
  const [equals, starts] = [by('equals'), by('starts')]
  return [
    equals.length === 0
      ? ''
      : `What two equals differed by on this machine, or less, is a tie (measured with ${equals.join(', ')}: ${factorsText(known, 'equals')}).`,
    starts.length === 0
      ? ''
      : `How far two equals differ on this machine was not measured${equals.length === 0 ? '' : ` with ${starts.join(', ')}`} (dbtrial resolution does): what differs less than the starts of a server within this run let expect is a tie (${factorsText(known, 'starts')}).`,
  ]
    .filter((each) => each !== '')
    .join(' ')
}

function factorsText(known: readonly KnownResolution[], from: KnownResolution['from']): string {
  const own = known.filter((each) => each.from === from)
  return [...Map.groupBy(own, (each) => each.number)]
    .map(([number, all]) => {
      const ratios = all.map(({ ratio }) => ratio)
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
      return `${number} ${least === most ? least : `${least} to ${most}`} times`
    })
    .join(', ')
}

/** By engine: how far two candidates that are equals would differ, with 95 %, by the spread between the starts of this run. */
export function betweenStarts(candidates: readonly CandidateResult[]): KnownResolution[] {
  const spreads = {
    p99: candidates.map((candidate) => spreadOf(candidate, p99Of)),
    'service p50': candidates.map((candidate) => spreadOf(candidate, p50Of)),
    'CPU per operation': candidates.map(cpuSpreadOf),
    capacity: candidates.map(({ capacity: { multiple } }) => (multiple === null ? null : reachOfCapacity(multiple))),
  }
  return [...new Set(candidates.map(({ engine }) => engine))].flatMap((engine) =>
    Object.entries(spreads).flatMap(([number, all]): KnownResolution[] => {
      const own = all.filter((each, at) => each !== null && candidates[at]?.engine === engine) as number[]
      // Three starts that agree by luck know nothing: no less than what is usual in this run.
      const usual = median(all.filter((each) => each !== null)) ?? 0
      return own.length === 0 ? [] : [{ engine, number: number as Kept['number'], ratio: Math.exp(Math.max(usual, ...own)), from: 'starts' }]
    }),
  )
}

/** How far the middles of two equals lie apart, on logarithms, by what rounds of one differ; null with fewer than three rounds of anything. */
export function spreadOf(candidate: CandidateResult, of: (trial: TrialResult, operation: string) => number | null): number | null {
  const variances: number[] = []
  let freedom = 0
  let most = 0
  for (const [, rounds] of Map.groupBy(candidate.trials.filter(comparesCandidates), (trial) => `${trial.mix} ${trial.arrival.multiple}`)) {
    let longest = 0
    for (const operation of new Set(rounds.flatMap((trial) => Object.keys(trial.operations)))) {
      const values = rounds.flatMap((trial) => of(trial, operation) ?? [])
      if (values.length < minRepeats) continue
      variances.push(moments(values.map(Math.log)).variance / medianOfChiSquared(values.length - 1))
      longest = Math.max(longest, values.length)
    }
    // Operations of one round share its luck.
    freedom += Math.max(0, longest - 1)
    most = Math.max(most, longest)
  }
  // The middle operation: one that scatters more than the others shows that in its own interval.
  const variance = median(variances)
  return variance === null ? null : reachOf(freedom) * Math.sqrt((2 * variance) / most)
}

/** Over its degrees of freedom, see Wilson and Hilferty, "The distribution of chi-square", 1931. */
const medianOfChiSquared = (freedom: number) => (1 - 2 / (9 * freedom)) ** 3

const comparesCandidates = (trial: TrialResult) => trial.phase === 'confirmation' && isUsable(trial)

/** Only valid rounds compare candidates, and only with samples enough for a p99. */
export function p99Of(trial: TrialResult, operation: string): number | null {
  const response = trial.operations[operation]?.responseUs
  return trial.validity.verdict !== 'valid' || trial.saturated || response == null || response.count < samplesNeeded(0.99) || response.p99 <= 0
    ? null
    : response.p99
}

/** Of fewer samples the middle is that of an outlier. */
export const minServed = 20

/** What server and driver take; a late harness adds to the response, hardly to it. */
export function p50Of(trial: TrialResult, operation: string): number | null {
  const service = trial.operations[operation]?.serviceUs
  return !isUsable(trial) || service === undefined || service.count < minServed || service.p50 <= 0 ? null : service.p50
}

/** CPU per operation of the trials that compare candidates, µs; null where no server's CPU was read. */
export function cpuUsOf(trial: TrialResult): number | null {
  const { server } = trial.resources
  return !comparesCandidates(trial) || trial.arrival.loop !== 'open' || trial.saturated || server === null || trial.throughputPerSecond === 0
    ? null
    : (server.cpuCores / trial.throughputPerSecond / trial.slowdown) * 1e6
}

/** The CPU per operation, µs, by round: geometric means over the rates, each beside the other rounds at its rate. */
export function cpuByRound({ trials }: CandidateResult): Map<number, number> {
  const told = trials.flatMap((trial) => {
    const us = cpuUsOf(trial)
    return us === null || us <= 0 ? [] : [{ round: trial.repeat, rate: `${trial.mix} ${trial.arrival.multiple}`, log: Math.log(us) }]
  })
  const meanOf = (logs: number[]) => logs.reduce((sum, log) => sum + log, 0) / logs.length
  const all = meanOf(told.map(({ log }) => log))
  const usual = new Map([...Map.groupBy(told, ({ rate }) => rate)].map(([rate, own]) => [rate, meanOf(own.map(({ log }) => log))]))
  return new Map(
    [...Map.groupBy(told, ({ round }) => round)].map(([round, own]) => [
      round,
      Math.exp(all + meanOf(own.map(({ log, rate }) => log - (usual.get(rate) as number)))),
    ]),
  )
}

function cpuSpreadOf(candidate: CandidateResult): number | null {
  const values = [...cpuByRound(candidate).values()]
  return values.length < minRepeats ? null : reachOf(values.length - 1) * Math.sqrt((2 * moments(values.map(Math.log)).variance) / values.length)
}

/** Standard errors from the middle to an end of an interval that holds with 80 %, and with 95 %. */
const [ends80, ends95] = [1.2816, 1.96]
const reachOfCapacity = ({ low, mid, high }: NonNullable<CandidateResult['capacity']['multiple']>) =>
  low === high ? null : (ends95 / ends80) * Math.SQRT2 * (high === null ? Math.log(mid / low) : Math.log(high / low) / 2)
