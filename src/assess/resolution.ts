/** How far two equals differ: one engine entered twice under two names, every number that a report compares side by side. */
import { median } from '../measure/median.ts'
import type { CandidateResult, Result } from '../result.ts'
import type { Assessment } from './assess.ts'
import type { Decision } from './decision.ts'
import { type Interval, pairedRatio } from './intervals.ts'
import { isUsable } from './response-curve.ts'

export interface ResolutionRow {
  number: string
  a: number | null
  b: number | null
  /** b over a; null where one of them is not known. */
  ratio: number | null
  /** What a report would say of the two. */
  verdict: 'tie' | 'different'
}
export interface Resolution {
  engine: string
  rows: ResolutionRow[]
  /** Names of the equals that a hard constraint put out, while it kept the other. */
  eliminated: string[]
}
/** How many times one equal's number was the other's, the most of its kind; a report calls nothing different that differs less. */
export interface KnownResolution {
  engine: string
  number: 'p99' | 'CPU per operation' | 'capacity'
  ratio: number
}

/** Of an interval that holds a number with 80 %: its reach with 95 %, on logarithms. */
const reachOf = ({ low, mid, high }: { low: number; mid: number; high: number | null }) =>
  ((1.96 / 1.2816) * Math.log(Math.max(high ?? Number.POSITIVE_INFINITY, mid) / Math.max(1e-9, Math.min(low, mid)))) / 2

/** The first two candidates of the result are the equals. */
export function resolutionOf(result: Result, assessment: Assessment, decision: Decision | null): Resolution {
  const [a, b] = result.candidates as [CandidateResult, CandidateResult]
  const capacities = (['saturation', 'cpu', 'objectives'] as const).map((kind): ResolutionRow => {
    const [x, y] = [a.capacity[kind], b.capacity[kind]]
    const ratio = x === null || y === null ? null : y.mid / x.mid
    const isDifferent = x !== null && y !== null && Math.abs(Math.log(y.mid / x.mid)) > Math.hypot(reachOf(x), reachOf(y))
    return row(`capacity: ${kind}`, x?.mid ?? null, y?.mid ?? null, ratio, isDifferent)
  })
  const times = result.trialPlan.multiples.flatMap((multiple) =>
    a.compiled.map(({ operation }): ResolutionRow => {
      const [x, y] = [a, b].map(
        ({ name }) =>
          assessment.candidates
            .find((each) => each.name === name)
            ?.at.find((at) => at.multiple === multiple)
            ?.cells.find((cell) => cell.operation === operation)?.p99Us ?? null,
      ) as [number | null, number | null]
      const compared = assessment.comparisons.find((each) => each.operation === operation && each.multiple === multiple)
      return row(
        `p99 of ${operation} at ${multiple}×, µs`,
        x,
        y,
        x === null || y === null ? null : y / x,
        compared !== undefined && compared.verdict !== 'tie',
      )
    }),
  )
  const work = pairedRatio(cpuPairs(a, b))
  const isOut = ({ name }: CandidateResult) => decision?.candidates.find((each) => each.name === name)?.out === true
  return {
    engine: a.engine,
    rows: [
      ...capacities,
      row(
        'CPU per operation, µs',
        cpuUsPerOperation(a),
        cpuUsPerOperation(b),
        work?.interval.mid ?? null,
        work !== null && excludesOne(work.interval),
      ),
      ...times,
    ],
    eliminated: isOut(a) === isOut(b) ? [] : [a, b].filter(isOut).map(({ name }) => name),
  }
}

/** The most that equals differed, by kind of number. */
export function knownFrom({ engine, rows }: Resolution): KnownResolution[] {
  const kinds = { p99: /^p99/, 'CPU per operation': /^CPU/, capacity: /^capacity/ } as const
  return Object.entries(kinds).flatMap(([number, pattern]): KnownResolution[] => {
    const ratios = rows.flatMap((each) => (each.ratio !== null && pattern.test(each.number) ? Math.exp(Math.abs(Math.log(each.ratio))) : []))
    return ratios.length === 0 ? [] : [{ engine, number: number as KnownResolution['number'], ratio: Math.max(...ratios) }]
  })
}

/** The factor below which two numbers are equals on this machine; 1 where nobody has measured it. */
export function factorOf(known: readonly KnownResolution[] | null, engines: readonly string[], number: KnownResolution['number']): number {
  return Math.max(1, ...(known ?? []).filter((each) => each.number === number && engines.includes(each.engine)).map((each) => each.ratio))
}

const row = (number: string, a: number | null, b: number | null, ratio: number | null, isDifferent: boolean): ResolutionRow => ({
  number,
  a,
  b,
  ratio,
  verdict: isDifferent ? 'different' : 'tie',
})
const excludesOne = ({ low, high }: Interval) => low > 1 || high < 1

type Trial = CandidateResult['trials'][number]
const isOpen = (trial: Trial) => trial.arrival.loop === 'open' && trial.phase === 'confirmation' && isUsable(trial) && !trial.saturated
const cpuUs = ({ resources: { server }, throughputPerSecond }: Trial) =>
  server === null || throughputPerSecond === 0 ? null : (server.cpuCores / throughputPerSecond) * 1e6

/** The middle of the open loops that compare candidates; null where no server's CPU was read. */
export const cpuUsPerOperation = ({ trials }: CandidateResult) => median(trials.filter(isOpen).flatMap((trial) => cpuUs(trial) ?? []))

/** Trials of both at the same rate in the same start. */
function cpuPairs(a: CandidateResult, b: CandidateResult): [number, number][] {
  return a.trials.filter(isOpen).flatMap((trial) => {
    const other = b.trials.find((each) => isOpen(each) && each.repeat === trial.repeat && each.arrival.multiple === trial.arrival.multiple)
    const [x, y] = [cpuUs(trial), other === undefined ? null : cpuUs(other)]
    return x === null || y === null ? [] : [[x, y] as [number, number]]
  })
}
