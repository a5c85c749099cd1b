/** Two results of one scenario, operation by operation and rate by rate: faster, slower or tie, and what else is different. */
import { canonical, type Value } from '../../data/value.ts'
import { TrialError } from '../../errors.ts'
import type { Index, Store } from '../../families/model.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import { type Interval, ratioOf } from '../../stats/intervals.ts'
import { median } from '../../stats/median.ts'
import { assess } from './assess.ts'
import type { Cell } from './at-multiple.ts'
import { type CapacityKind, capacityDifference, capacityKinds } from './capacity-difference.ts'
import { cautionNotes, markedName } from './cautions.ts'
import { type ComparedRow, comparedRows, type Verdict, verdictOf } from './compared-times.ts'
import { cpuByRound, factorOf, type KnownResolution, resolutionIn, resolutionText } from './machine-resolution.ts'
import { atOneSpeed } from './one-speed.ts'

/** What a server does at most, and what an operation costs it. */
export interface ComparedNumber {
  candidate: string
  /** CPU in µs; capacities in multiples of the average load. */
  number: 'CPU per operation' | `capacity: ${CapacityKind}`
  baseline: number | null
  result: number | null
  /** Result over baseline. */
  ratio: Interval | null
  /** `slower`: more CPU, or less capacity. */
  verdict: Verdict
  undetermined: string | null
  regression: boolean
}
export interface Comparison {
  tolerance: number
  /** Names of those that ran in either result as another version, or below their maker's minimum, and a sentence for each. */
  marked: string[]
  cautions: string[]
  /** By how much equals differ on this machine: what differs less is a tie. */
  resolution: string
  /** How far the two were told at one speed of their machine; '': nobody timed either. */
  speed: string
  /** What is not the same, besides the times: models, statements, versions, machines. */
  differences: string[]
  rows: ComparedRow[]
  numbers: ComparedNumber[]
  /** Objectives held before and missed now, wrong answers, broken invariants, failures. */
  broken: string[]
  regressions: number
}

/** @throws TrialError, exit code 2, where the two measured different things. */
export function compare(givenBaseline: Result, givenResult: Result, tolerance: number): Comparison {
  checkComparable(givenBaseline, givenResult)
  const { results, isOne, said } = atOneSpeed([givenBaseline, givenResult])
  const [baseline, result] = results as [Result, Result]
  const pairs = result.candidates.flatMap((after) => {
    const before = baseline.candidates.find((each) => each.name === after.name)
    return before === undefined ? [] : [{ before, after }]
  })
  const known = knownOf(baseline, result)
  const rows = pairs.flatMap(({ before, after }) => comparedRows(before, after, result.trialPlan.multiples, tolerance, known, isOne))
  const numbers = pairs.flatMap(({ before, after }) => comparedNumbers(before, after, tolerance, known))
  return {
    tolerance,
    marked: pairs.filter((pair) => Object.values(pair).some((each) => markedName(each) !== each.name)).map(({ after }) => after.name),
    cautions: [...cautionNotes(baseline).map((note) => `in the baseline ${note}`), ...cautionNotes(result).map((note) => `in the result ${note}`)],
    resolution: resolutionText(known),
    speed: [said, isOne ? 'Times are as they were measured, their ratios at the full speed of the cores.' : '']
      .filter((each) => each !== '')
      .join(' '),
    differences: [...differingRuns(baseline, result), ...pairs.flatMap(({ before, after }) => differingCandidates(before, after))],
    rows,
    numbers,
    broken: brokenSince(baseline, result, rows, numbers),
    regressions: [...rows, ...numbers].filter((row) => row.regression).length,
  }
}

/** Of both: a machine that was measured with equals is known; else the run whose starts differ more tells. */
function knownOf(baseline: Result, result: Result): KnownResolution[] {
  const all = [...resolutionIn(result), ...resolutionIn(baseline)]
  const measured = all.filter(({ from }) => from === 'equals')
  return [...measured, ...all.filter((each) => !measured.some(({ engine, number }) => engine === each.engine && number === each.number))]
}

function comparedNumbers(before: CandidateResult, after: CandidateResult, tolerance: number, known: KnownResolution[]): ComparedNumber[] {
  const compared = (
    number: ComparedNumber['number'],
    values: (number | null)[],
    ratio: Interval | null,
    worse: Interval | null,
    doubt = `too few starts for an interval of ${number}`,
  ): ComparedNumber => {
    const kind = number === 'CPU per operation' ? number : 'capacity'
    const verdict = verdictOf(worse, tolerance, factorOf(known, [after.engine], kind))
    const [baseline = null, result = null] = values
    const isKnown = baseline !== null && result !== null
    return {
      candidate: after.name,
      number,
      baseline,
      result,
      ratio,
      verdict,
      undetermined: ratio !== null ? null : isKnown ? doubt : `one of the two does not tell ${number}`,
      regression: verdict === 'slower',
    }
  }
  const [was, is] = [before, after].map((candidate) => [...cpuByRound(candidate).values()]) as [number[], number[]]
  const cpu = ratioOf(was, is)
  return [
    compared('CPU per operation', [median(was), median(is)], cpu, cpu),
    ...capacityKinds.map((kind) => {
      const ratio = capacityDifference(before, after, kind)?.ratio ?? null
      const worse = ratio === null ? null : { ...ratio, low: 1 / ratio.high, mid: 1 / ratio.mid, high: 1 / ratio.low }
      const own = [before.capacity[kind], after.capacity[kind]]
      const isOpen = own.some((each) => each?.high === null)
      return compared(
        `capacity: ${kind}`,
        own.map((each) => each?.mid ?? null),
        ratio,
        worse,
        isOpen ? `capacity: ${kind} is a lower bound in one of the two` : undefined,
      )
    }),
  ]
}

/** Of the scenario, all that must be equal. */
const sameParts = ({ scenario: { candidates: _, seed: __, ...parts } }: Result) => new Map<string, unknown>(Object.entries(parts))

/** @throws TrialError, exit code 2, where the two measured different things. */
export function checkComparable(baseline: Result, result: Result): void {
  const differing: string[] = []
  const note = (what: string, before: unknown, after: unknown) => {
    if (text(before) !== text(after)) differing.push(what)
  }
  const [before, after] = [sameParts(baseline), sameParts(result)]
  for (const name of new Set([...before.keys(), ...after.keys()])) note(`the scenario's ${name}`, before.get(name), after.get(name))
  note(`the seed (${baseline.seed}, ${result.seed})`, baseline.seed, result.seed)
  note('the generated data', baseline.dataHash, result.dataHash)
  note(`the effort (${baseline.trialPlan.effort}, ${result.trialPlan.effort})`, baseline.trialPlan.effort, result.trialPlan.effort)
  note(`the multiples (${baseline.trialPlan.multiples}, ${result.trialPlan.multiples})`, baseline.trialPlan.multiples, result.trialPlan.multiples)
  if (result.candidates.every((after) => baseline.candidates.every((before) => before.name !== after.name))) differing.push('the candidates')
  if (differing.length > 0)
    throw new TrialError('not-comparable', `the two results measured different things: ${differing.join(', ')}`, {
      hint: 'run the same scenario with the same seed and effort',
      exitCode: 2,
    })
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
  const [was, is] = [before.model, after.model]
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
function brokenSince(baseline: Result, result: Result, rows: ComparedRow[], numbers: ComparedNumber[]): string[] {
  const before = assess(baseline)
  return assess(result).candidates.flatMap((now) => {
    const then = before.candidates.find((each) => each.name === now.name)
    if (then === undefined) return []
    const found: string[] = []
    if (now.failure !== null && then.failure === null) found.push(`${now.name}: failed: ${now.failure}`)
    if (now.wrong > then.wrong) found.push(`${now.name}: ${now.wrong} wrong answers, ${then.wrong} before`)
    for (const name of now.brokenInvariants) if (!then.brokenInvariants.includes(name)) found.push(`${now.name}: invariant ${name} is broken`)
    const times = rows.filter((row) => row.candidate === now.name)
    const isCapacityLess = numbers.some((each) => each.candidate === now.name && each.number !== 'CPU per operation' && each.verdict === 'slower')
    for (const at of now.at) {
      if (at.outcome !== 'missed' || then.at.find((each) => each.multiple === at.multiple)?.outcome !== 'met') continue
      const missed = at.cells.filter((cell) => cell.outcome === 'missed' && isWorse(cell, at.multiple, times, isCapacityLess))
      if (missed.length > 0)
        found.push(`${now.name}: objectives missed at ${at.multiple}×, met before: ${missed.map(({ operation }) => operation).join(', ')}`)
    }
    return found
  })
}

/** Two equals may lie on either side of a limit: a miss is worse where it lies in errors, in a p99 that is slower, or, of a saturated server, in its capacity. */
function isWorse({ operation, missedByErrors, backlog }: Cell, multiple: number, times: ComparedRow[], isCapacityLess: boolean): boolean {
  const own = times.find((row) => row.operation === operation && row.multiple === multiple && row.metric === 'response p99')
  return missedByErrors || own?.verdict === 'slower' || (backlog !== null && isCapacityLess)
}

const text = (value: unknown) => canonical(JSON.parse(JSON.stringify(value ?? null)) as Value)
