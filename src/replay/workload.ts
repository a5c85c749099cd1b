/** Whether a trial asked for the rows that the laws of its operations give: the realised draws against others of the same law. */
import type { Dataset } from '../data/dataset.ts'
import { DrawnParameters } from '../data/drawn.ts'
import { drawBuckets, type Recording } from '../measure/recorder.ts'
import type { Operation } from '../scenario/scenario.ts'
import type { TrialSpec } from './arrivals.ts'
import { closedStartMs, startsOf } from './arrivals.ts'
import { bucketOf } from './executor.ts'

/** Draws of each law, where no new row can be drawn yet: once for all trials. */
const lawDraws = 2 ** 18
/** Draws of each start, where new rows are drawn: they hang on the schedule of the trial. */
const drawsOfStart = 4
/** Beyond so many standard deviations of the normal that χ² is turned into: 3 in 10 million, for each operation of each trial. */
const maxDeviations = 5
const minExpected = 5

/** By operation; null: it draws no row by a law, or drew none. */
export interface WorkloadCheck {
  /** Share of the draws that fall into the bucket of rows that the law draws most. */
  asked: (number | null)[]
  realised: (number | null)[]
  /** Picks of each tier, where rows are picked by age. */
  tiers: (number[] | null)[]
  /** What differs from its law; null: nothing. */
  fault: string | null
}

export class Workload {
  readonly #dataset: Dataset
  readonly #operations: Operation[]
  /** By operation, for all candidates: a law asks for the same rows of each. */
  readonly #laws: Map<string, Uint32Array>

  constructor(dataset: Dataset, operations: Operation[], laws = new Map<string, Uint32Array>()) {
    this.#dataset = dataset
    this.#operations = operations
    this.#laws = laws
  }

  check(spec: TrialSpec, block: number, recording: Recording): WorkloadCheck {
    const expected = this.#expected(spec, block, recording)
    const check: WorkloadCheck = { asked: [], realised: [], tiers: recording.operations.map(({ tiers }) => tiers && [...tiers]), fault: null }
    const faults: string[] = []
    for (const [index, { draws }] of recording.operations.entries()) {
      const law = expected[index] ?? null
      const isDrawn = law !== null && totalOf(draws) > 0 && totalOf(law) > 0
      const heaviest = isDrawn ? law.indexOf(Math.max(...law)) : 0
      check.asked.push(isDrawn ? shareOf(law, heaviest) : null)
      check.realised.push(isDrawn ? shareOf(draws, heaviest) : null)
      if (!isDrawn) continue
      const { statistic, freedom } = twoSamples(draws, law)
      if (deviations(statistic, freedom) > maxDeviations)
        faults.push(`${this.#operations[index]?.name} (χ² ${Math.round(statistic)} at ${freedom} degrees of freedom)`)
    }
    if (faults.length > 0) check.fault = `workload: other rows were asked for than the law gives: ${faults.join(', ')}`
    return check
  }

  /** Draws by bucket; null where they cannot be told: new rows were drawn, and which starts were sent hung on the server. */
  #expected(spec: TrialSpec, block: number, recording: Recording): (Uint32Array | null)[] {
    const params = this.#params(spec.stream, block, spec.stream)
    const trialMs = spec.loop === 'open' ? (spec.warmUpSeconds + spec.seconds) * 1000 : (recording.completed + spec.concurrency) * closedStartMs
    const hangsOnSchedule = recording.operations.map((_, index) => params.drawsNewRowsFromMs(index) < trialMs)
    const scheduled = spec.loop === 'open' && hangsOnSchedule.includes(true) ? this.#drawSchedule(spec, block, hangsOnSchedule) : []
    return recording.operations.map(({ attempts, dropped }, index) => {
      if (attempts === 0 || (hangsOnSchedule[index] && dropped > 0)) return null
      return hangsOnSchedule[index] ? (scheduled[index] ?? null) : this.#law(index)
    })
  }

  #params(stream: string, block: number, picks: string): DrawnParameters {
    return new DrawnParameters(this.#dataset, this.#operations, stream, block, 0, picks)
  }

  #law(operation: number): Uint32Array {
    const name = this.#operations[operation]?.name ?? ''
    const known = this.#laws.get(name)
    if (known !== undefined) return known
    const params = this.#params('law', 0, 'law')
    const draws = new Uint32Array(drawBuckets)
    for (let n = 0; n < lawDraws; n++) {
      params.next(operation)
      count(params, draws)
    }
    this.#laws.set(name, draws)
    return draws
  }

  /** The starts of the window, drawn again with other random numbers over the same new rows. */
  #drawSchedule(spec: TrialSpec, block: number, isWanted: boolean[]): Uint32Array[] {
    const draws = this.#operations.map(() => new Uint32Array(drawBuckets))
    const fromNs = spec.warmUpSeconds * 1e9
    const endNs = fromNs + spec.seconds * 1e9
    for (let again = 0; again < drawsOfStart; again++) {
      const params = this.#params(spec.stream, block, `${spec.stream} again ${again}`)
      for (const starts = startsOf(spec); starts.nextNs < endNs; starts.advance()) {
        const { operation, nextNs } = starts
        const ordinal = params.schedule(operation, nextNs / 1e6)
        if (nextNs < fromNs || !isWanted[operation]) continue
        params.draw(operation, ordinal, nextNs / 1e6)
        count(params, draws[operation] as Uint32Array)
      }
    }
    return draws
  }
}

function count(params: DrawnParameters, draws: Uint32Array): void {
  for (const { isPicked, row } of params.steps) {
    if (!isPicked) continue
    const bucket = bucketOf(row)
    draws[bucket] = (draws[bucket] as number) + 1
  }
}

const totalOf = (draws: Uint32Array) => draws.reduce((sum, each) => sum + each, 0)
const shareOf = (draws: Uint32Array, bucket: number) => (draws[bucket] as number) / totalOf(draws)

/** Pearson's χ² for the hypothesis that two samples have one law; buckets are pooled until at least 5 of each are expected. */
export function twoSamples(a: Uint32Array, b: Uint32Array): { statistic: number; freedom: number } {
  const [inA, inB] = [totalOf(a), totalOf(b)]
  const fewest = (minExpected * (inA + inB)) / Math.min(inA, inB)
  const pooled: { a: number; b: number }[] = []
  let open = { a: 0, b: 0 }
  for (let bucket = 0; bucket < a.length; bucket++) {
    open.a += a[bucket] as number
    open.b += b[bucket] as number
    if (open.a + open.b < fewest) continue
    pooled.push(open)
    open = { a: 0, b: 0 }
  }
  const last = pooled.at(-1) ?? { a: 0, b: 0 }
  last.a += open.a
  last.b += open.b
  const ratio = Math.sqrt(inB / inA)
  const statistic = pooled.reduce((sum, each) => sum + (ratio * each.a - each.b / ratio) ** 2 / (each.a + each.b), 0)
  return { statistic, freedom: Math.max(0, pooled.length - 1) }
}

/** χ² as a standard normal: Wilson and Hilferty, "The distribution of chi-square", 1931. */
export function deviations(statistic: number, freedom: number): number {
  if (freedom === 0) return 0
  const spread = 2 / (9 * freedom)
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread)
}
