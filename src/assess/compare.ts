/** Two results of one scenario, operation by operation and rate by rate: faster, slower or tie, and what else is different. */
import { canonical, type Value } from '../data/value.ts'
import { TrialError } from '../errors.ts'
import { median } from '../measure/median.ts'
import type { Index, PhysicalModel, Store } from '../model/model.ts'
import type { CandidateResult, Result, TrialResult } from '../result.ts'
import { assess } from './assess.ts'
import { type Interval, ratioOf } from './intervals.ts'
import { factorOf } from './resolution.ts'

export type Verdict = 'faster' | 'slower' | 'tie' | 'undetermined'

/** `service p50`: what server and driver take; `response p99`: what a user waits, queueing included. */
export type Metric = 'service p50' | 'response p99'

export interface ComparedRow {
  candidate: string
  operation: string
  multiple: number
  metric: Metric
  /** Medians of the rounds, µs. */
  baselineUs: number | null
  resultUs: number | null
  /** Result over baseline; null with fewer than three rounds of either. */
  ratio: Interval | null
  verdict: Verdict
  /** Why nothing can be said; null: something can. */
  undetermined: string | null
  /** Slower by more than the tolerance, the whole interval. */
  regression: boolean
}
export interface Comparison {
  tolerance: number
  /** What is not the same, besides the times: models, statements, versions, machines. */
  differences: string[]
  rows: ComparedRow[]
  /** Objectives held before and missed now, wrong answers, broken invariants, failures. */
  broken: string[]
  regressions: number
}

const metrics: { metric: Metric; usable: TrialResult['validity']['verdict'][]; of: (trial: TrialResult, operation: string) => number | undefined }[] =
  [
    // A late harness adds to the response, hardly to the service time.
    { metric: 'service p50', usable: ['valid', 'client-bound'], of: (trial, operation) => trial.operations[operation]?.serviceUs.p50 },
    {
      metric: 'response p99',
      usable: ['valid'],
      of: (trial, operation) => (trial.saturated ? undefined : trial.operations[operation]?.responseUs?.p99),
    },
  ]
/** A percentile of fewer samples is that of one outlier. */
const fewestSamples: Record<Metric, number> = { 'service p50': 20, 'response p99': 299 }

/** As an interval needs them, see `ratioOf`. */
const fewestRounds = 3

/** @throws TrialError, exit code 2, where the two measured different things. */
export function compare(baseline: Result, result: Result, tolerance: number): Comparison {
  checkComparable(baseline, result)
  const pairs = result.candidates.flatMap((after) => {
    const before = baseline.candidates.find((each) => each.name === after.name)
    return before === undefined ? [] : [{ before, after }]
  })
  const rows = pairs.flatMap(({ before, after }) => {
    const factor = factorOf(result.resolution ?? baseline.resolution, [after.engine], 'p99')
    return comparedRows(before, after, result.trialPlan.multiples, Math.max(tolerance, factor - 1))
  })
  return {
    tolerance,
    differences: [...differingRuns(baseline, result), ...pairs.flatMap(({ before, after }) => differingCandidates(before, after))],
    rows,
    broken: brokenSince(baseline, result),
    regressions: rows.filter((row) => row.regression).length,
  }
}

/** @throws TrialError, exit code 2, where the two measured different things. */
export function checkComparable(baseline: Result, result: Result): void {
  const differing: string[] = []
  const note = (what: string, before: unknown, after: unknown) => {
    if (text(before) !== text(after)) differing.push(what)
  }
  const { candidates: _before, seed: _s, ...scenarioBefore } = baseline.scenario
  const { candidates: _after, seed: _t, ...scenarioAfter } = result.scenario
  for (const name of new Set([...Object.keys(scenarioBefore), ...Object.keys(scenarioAfter)]))
    note(`the scenario's ${name}`, scenarioBefore[name], scenarioAfter[name])
  note(`the seed (${baseline.seed}, ${result.seed})`, baseline.seed, result.seed)
  note('the generated data', baseline.dataHash, result.dataHash)
  note(`the effort (${baseline.trialPlan.effort}, ${result.trialPlan.effort})`, baseline.trialPlan.effort, result.trialPlan.effort)
  note(`the levels (${baseline.trialPlan.multiples}, ${result.trialPlan.multiples})`, baseline.trialPlan.multiples, result.trialPlan.multiples)
  if (result.candidates.every((after) => baseline.candidates.every((before) => before.name !== after.name))) differing.push('the candidates')
  if (differing.length > 0)
    throw new TrialError('not-comparable', `the two results measured different things: ${differing.join(', ')}`, {
      hint: 'run the same scenario with the same seed and effort',
      exitCode: 2,
    })
}

function comparedRows(before: CandidateResult, after: CandidateResult, multiples: number[], tolerance: number): ComparedRow[] {
  const operations = after.compiled.map((each) => each.operation).filter((name) => before.compiled.some((each) => each.operation === name))
  return multiples.flatMap((multiple) =>
    operations.flatMap((operation) =>
      metrics.map(({ metric, usable, of }): ComparedRow => {
        const rounds = (candidate: CandidateResult) => {
          const all = candidate.trials.filter(
            (trial) => trial.phase === 'confirmation' && trial.mix !== 'common' && trial.arrival.multiple === multiple,
          )
          const valid = all.filter((trial) => usable.includes(trial.validity.verdict))
          const values = valid
            .filter((trial) => (trial.operations[operation]?.serviceUs.count ?? 0) >= fewestSamples[metric])
            .map((trial) => of(trial, operation))
            .filter((value) => value !== undefined && value > 0) as number[]
          return { all: all.length, valid: valid.length, values }
        }
        const [first, second] = [rounds(before), rounds(after)]
        const [was, is] = [first.values, second.values]
        const ratio = ratioOf(was, is)
        const verdict = ratio === null ? 'undetermined' : ratio.low > 1 + tolerance ? 'slower' : ratio.high < 1 / (1 + tolerance) ? 'faster' : 'tie'
        return {
          candidate: after.name,
          operation,
          multiple,
          metric,
          baselineUs: median(was),
          resultUs: median(is),
          ratio,
          verdict,
          undetermined: ratio === null ? (tooFew('baseline', first, metric) ?? tooFew('result', second, metric) ?? 'no ratio') : null,
          regression: verdict === 'slower',
        }
      }),
    ),
  )
}

/** What one side lacks for a ratio; null: nothing. */
function tooFew(side: string, { all, valid, values }: { all: number; valid: number; values: number[] }, metric: Metric): string | null {
  if (values.length >= fewestRounds) return null
  if (all < fewestRounds) return `the ${side} has ${all} of the ${fewestRounds} rounds that a ratio needs (effort smoke has one)`
  if (valid < fewestRounds) return `only ${valid} of the ${side}'s ${all} rounds are valid, ${fewestRounds} are needed`
  return `too few calls in the ${side}'s rounds for a ${metric.split(' ')[1]} (${fewestSamples[metric]} each)`
}

function differingRuns(baseline: Result, result: Result): string[] {
  const found: string[] = []
  const note = (what: string, before: unknown, after: unknown) => {
    if (text(before) !== text(after)) found.push(`${what}: ${String(before)} → ${String(after)}`)
  }
  note('dbtrial', baseline.dbtrial, result.dbtrial)
  note('machine', machineOf(baseline), machineOf(result))
  note('Node.js', baseline.host.node, result.host.node)
  note('client of the replay', baseline.trialPlan.client, result.trialPlan.client)
  const only = (here: Result, there: Result) =>
    here.candidates.filter((each) => there.candidates.every((other) => other.name !== each.name)).map((each) => each.name)
  for (const name of only(baseline, result)) found.push(`${name}: only in the baseline`)
  for (const name of only(result, baseline)) found.push(`${name}: only in the result`)
  return found
}

const machineOf = ({ host }: Result) => `${host.cpu}, ${host.cores} cores, ${host.platform} ${host.kernel}`

function differingCandidates(before: CandidateResult, after: CandidateResult): string[] {
  const found: string[] = []
  const note = (what: string, was: string, is: string) => {
    if (was !== is) found.push(`${after.name}: ${what}: ${was} → ${is}`)
  }
  note('version', before.provision?.version ?? 'no server', after.provision?.version ?? 'no server')
  note('where it ran', placeOf(before), placeOf(after))
  note('connections', connectionsOf(before), connectionsOf(after))
  for (const parity of after.parity)
    note(parity.what, before.parity.find((each) => each.what === parity.what)?.effective ?? 'not stated', parity.effective)
  const [was, is] = [before.model, after.model] as unknown as [PhysicalModel, PhysicalModel]
  for (const store of was.stores)
    if (is.stores.every((each) => each.name !== store.name)) found.push(`${after.name}: store ${store.name} is gone${serving(store.serves)}`)
  for (const store of is.stores) {
    const old = was.stores.find((each) => each.name === store.name)
    if (old === undefined) found.push(`${after.name}: store ${store.name} is new${serving(store.serves)}`)
    else found.push(...differingStores(after.name, old, store))
  }
  for (const { operation, statements } of after.compiled) {
    const old = before.compiled.find((each) => each.operation === operation)
    if (old === undefined) found.push(`${after.name}: ${operation} runs now, and was excused`)
    else if (text(old.statements) !== text(statements))
      found.push(`${after.name}: ${operation} has other statements: ${old.statements.join(' · ')} → ${statements.join(' · ')}`)
  }
  for (const { operation } of before.compiled)
    if (after.compiled.every((each) => each.operation !== operation)) found.push(`${after.name}: ${operation} is excused now, and ran`)
  return found
}

function differingStores(candidate: string, before: Store, after: Store): string[] {
  const shape = ({ columns, include, where, unique, kind }: Index) => text({ columns, include, where, unique, kind })
  const found: string[] = []
  for (const index of before.indexes)
    if (after.indexes.every((each) => shape(each) !== shape(index)))
      found.push(`${candidate}: index ${indexText(before, index)} is gone${serving(index.serves)}`)
  for (const index of after.indexes)
    if (before.indexes.every((each) => shape(each) !== shape(index)))
      found.push(`${candidate}: index ${indexText(after, index)} is new${serving(index.serves)}`)
  const rest = ({ indexes: _, serves: __, reason: ___, ...own }: Store) => text(own)
  if (rest(before) !== rest(after)) found.push(`${candidate}: store ${after.name} has other columns or another key`)
  return found
}

const indexText = (store: Store, index: Index) =>
  `on ${store.name} (${index.columns.map((each) => `${each.field}${each.descending ? ' desc' : ''}`).join(', ')})`
const serving = (operations: string[]) => (operations.length === 0 ? '' : `; it serves ${operations.join(', ')}`)
const placeOf = ({ provision }: CandidateResult) =>
  provision === null
    ? 'nowhere'
    : `${provision.kind}, cores ${provision.enforced.cpu}, memory ${provision.enforced.memory}${provision.image === null ? '' : `, ${provision.image.name}`}`

/** As the sweep of each run chose them. */
function connectionsOf({ trials }: CandidateResult): string {
  return [...new Set(trials.filter((trial) => trial.phase === 'confirmation').map((trial) => trial.connections))].join(', ') || 'none'
}

/** Worse in kind, not in time. */
function brokenSince(baseline: Result, result: Result): string[] {
  const before = assess(baseline)
  return assess(result).candidates.flatMap((now) => {
    const then = before.candidates.find((each) => each.name === now.name)
    if (then === undefined) return []
    const found: string[] = []
    if (now.failure !== null && then.failure === null) found.push(`${now.name}: failed: ${now.failure}`)
    if (now.wrong > then.wrong) found.push(`${now.name}: ${now.wrong} wrong answers, ${then.wrong} before`)
    for (const name of now.brokenInvariants) if (!then.brokenInvariants.includes(name)) found.push(`${now.name}: invariant ${name} is broken`)
    for (const at of now.at)
      if (at.outcome === 'missed' && then.at.find((each) => each.multiple === at.multiple)?.outcome === 'met')
        found.push(`${now.name}: objectives missed at ${at.multiple}×, met before: ${at.missed.join(', ')}`)
    return found
  })
}

const text = (value: unknown) => canonical(JSON.parse(JSON.stringify(value ?? null)) as Value)
