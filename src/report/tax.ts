/** What the official driver costs beside the wire client: CPU per operation, service time, and what one core of clients can reach through it. */
import { isUsable } from '../assess/capacity/response-curve.ts'
import { markedName } from '../assess/judge/cautions.ts'
import { mergedHistogram, percentileUs } from '../measure/merged.ts'
import type { CandidateResult, Result, TrialResult } from '../result/result.ts'
import { pairedRatio } from '../stats/intervals.ts'
import { median } from '../stats/median.ts'
import { type Block, paragraph, table } from './render/document.ts'
import { count, micros } from './render/format.ts'

export function driverTax({ candidates }: Result): Block[] {
  const rows = candidates.flatMap((candidate) => {
    const starts = startsOf(candidate)
    return starts.length === 0 ? [] : [rowOf(candidate, starts)]
  })
  if (rows.length === 0) return []
  return [
    paragraph(
      'The same mix at the lowest concurrency of the sweep, through the wire client and through the official driver, one right after the other in each start of the server: medians over the starts, ratios within them and where they lie with 95 % (Student’s t on their logarithms, from three starts on). An application pays the driver, the server does not see it: capacities are those of the wire client.',
    ),
    table(
      [
        'candidate',
        'starts',
        'CPU per operation, wire',
        'driver',
        'times',
        'service p50 of the mix, wire',
        'driver',
        'times',
        'one core of driver clients reaches',
      ],
      rows,
      [1, 2, 3, 4, 5, 6, 7, 8],
    ),
  ]
}

/** Loops of one start of the server. */
interface Start {
  wire: TrialResult[]
  driver: TrialResult[]
}

/** Those in which both clients were measured and nobody was in the way. */
function startsOf({ trials }: CandidateResult): Start[] {
  const usable = trials.filter(isUsable)
  const taxed = usable.filter(({ phase }) => phase === 'tax')
  return [...Map.groupBy(taxed, ({ start }) => start)].flatMap(([start, others]) => {
    const concurrency = others[0]?.arrival.concurrency
    const swept = usable.filter((trial) => trial.phase === 'sweep' && trial.start === start && trial.arrival.concurrency === concurrency)
    const { wire = [], driver = [] } = Object.groupBy([...others, ...swept], ({ client }) => client)
    return wire.length === 0 || driver.length === 0 ? [] : [{ wire, driver }]
  })
}

function rowOf(candidate: CandidateResult, starts: Start[]): string[] {
  const cpu = pairsOf(starts, (trials) => median(trials.flatMap(({ resources }) => resources.client.cpuUsPerOperation ?? [])))
  const service = pairsOf(starts, serviceUs)
  const driverCpu = median(cpu.map(([, driver]) => driver))
  return [
    markedName(candidate),
    String(starts.length),
    ...cellsOf(cpu),
    ...cellsOf(service),
    driverCpu === null ? '—' : `${count(1e6 / driverCpu)} operations/s`,
  ]
}

type Pair = [wire: number, driver: number]

function pairsOf(starts: Start[], of: (trials: TrialResult[]) => number | null): Pair[] {
  return starts.flatMap(({ wire, driver }): Pair[] => {
    const [ours, theirs] = [of(wire), of(driver)]
    return ours === null || theirs === null || ours <= 0 || theirs <= 0 ? [] : [[ours, theirs]]
  })
}

/** Both clients, and how many times the wire client's the driver's is. */
function cellsOf(pairs: Pair[]): string[] {
  const [ours, theirs, ratio] = [median(pairs.map(([wire]) => wire)), median(pairs.map(([, driver]) => driver)), median(pairs.map(([a, b]) => b / a))]
  if (ours === null || theirs === null || ratio === null) return ['—', '—', '—']
  const interval = pairedRatio(pairs)?.interval
  return [
    micros(ours),
    micros(theirs),
    interval === undefined ? `${ratio.toFixed(1)}×` : `${interval.mid.toFixed(1)}× (${interval.low.toFixed(1)}–${interval.high.toFixed(1)})`,
  ]
}

/** Of the whole mix, all loops of a start together. */
function serviceUs(trials: TrialResult[]): number | null {
  return percentileUs(mergedHistogram(trials.flatMap(({ operations }) => Object.values(operations).map((each) => each.serviceUs))), 0.5)
}
