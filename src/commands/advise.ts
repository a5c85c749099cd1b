/** `dbtrial advise RESULT`: what a run gives reason to do otherwise is tried on fresh servers, beside the design as it is. */
import { bytes } from '../assess/figures/amount.ts'
import { assess } from '../assess/judge/assess.ts'
import { type Fix, fixesOf } from '../assess/judge/fixes.ts'
import { type ResolutionRow, resolutionOf } from '../assess/judge/resolution.ts'
import { TrialError } from '../errors.ts'
import type { ProvisionKind } from '../provision/choose.ts'
import { type CandidateResult, type Result, readResult } from '../result/result.ts'
import { effortOf } from '../run/plan.ts'
import type { Effort, Scenario } from '../scenario/scenario.ts'
import { coloured } from '../terminal/style.ts'
import { columns } from '../terminal/tables.ts'
import { print } from './output.ts'
import { resultPath } from './runs.ts'
import { measureSideBySide } from './side-by-side.ts'

export interface AdviseOptions {
  candidate?: string
  effort?: Effort
  provision: ProvisionKind
  out: string
  data?: string
  json?: boolean
  quiet?: boolean
}

/** Each has a server of its own, and minutes of its own. */
const maxTried = 3

interface Tried extends Fix {
  rows: ResolutionRow[]
  indexBytes: { before: number; after: number }
  verdict: string
}

export async function advise(path: string, options: AdviseOptions): Promise<void> {
  const before = readResult(resultPath(path, options.out))
  const asked = askedOf(before, options.candidate)
  const found = asked.map((candidate) => ({ candidate, fixes: fixesOf(candidate, before.scenario) })).find(({ fixes }) => fixes.length > 0)
  if (found === undefined) {
    print(options.json === true ? '[]' : asked.map(({ name }) => `${name}: nothing to try. ${lookedFor}`).join('\n'))
    return
  }
  const fixes = found.fixes.slice(0, maxTried)
  const scenario = withFixes(before.scenario, found.candidate.name, fixes)
  if (effortOf(scenario.bench, options.effort) === 'smoke')
    throw new TrialError('nothing-compared', 'a smoke run compares nothing', { hint: 'ask for quick with --effort quick', exitCode: 2 })
  const measured = await measureSideBySide(scenario, options)
  if (measured === null) return
  const tried = fixes.map((fix, at) => triedOf(fix, measured.result, at + 1))
  print(options.json === true ? JSON.stringify(tried) : coloured(`${adviceText(found.candidate.name, tried)}\n\n${measured.path}`))
}

const lookedFor =
  'As far as its server tells, no index of it went unused in every trial, and no list reads, throws away or sorts many rows that an index of its own would spare it.'

function askedOf({ candidates }: Result, name: string | undefined): CandidateResult[] {
  const asked = candidates.filter((candidate) => name === undefined || candidate.name === name)
  if (asked.length > 0) return asked
  throw new TrialError('unknown-candidate', `the result has no candidate "${name}"`, {
    hint: `it has ${candidates.map((each) => each.name).join(', ')}`,
    exitCode: 2,
  })
}

/** The candidate as it was, and one more for each fix. */
export function withFixes(scenario: Scenario, name: string, fixes: readonly Fix[]): Scenario {
  const own = scenario.candidates.find((candidate) => candidate.name === name)
  if (own === undefined) throw new Error(`${name} is in no scenario`)
  return {
    ...scenario,
    candidates: [own, ...fixes.map(({ change }, at) => ({ ...own, name: `${name}-${at + 1}`, indexChanges: [...(own.indexChanges ?? []), change] }))],
  }
}

function triedOf(fix: Fix, result: Result, at: number): Tried {
  const pair = [result.candidates[0], result.candidates[at]] as [CandidateResult, CandidateResult]
  const both: Result = { ...result, candidates: pair }
  const { rows } = resolutionOf(both, assess(both), null)
  const [before, after] = pair.map(indexBytesOf) as [number, number]
  return { ...fix, rows, indexBytes: { before, after }, verdict: verdictOf(rows) }
}

const indexBytesOf = ({ storage }: CandidateResult) => (storage.at.at(-1)?.indexes ?? []).reduce((sum, each) => sum + each.bytes, 0)

/** Of a capacity and of a throughput more is better, of everything else less. */
const isBetter = ({ number, ratio }: ResolutionRow) => ratio !== null && /^(capacity|throughput)/.test(number) === ratio > 1

function verdictOf(rows: readonly ResolutionRow[]): string {
  const different = rows.filter(({ verdict }) => verdict === 'different')
  const better = different.filter(isBetter).length
  if (different.length === 0) return 'nothing that is timed differs by more than equals do'
  if (better === different.length) return 'worth it: what differs is better'
  return better === 0 ? 'not worth it: what differs is worse' : 'mixed: some of what differs is better, and some is worse'
}

export function adviceText(name: string, tried: readonly Tried[]): string {
  return tried
    .map(({ what, why, rows, indexBytes: { before, after }, verdict }) =>
      [
        `${name} ${what} (${why}): ${verdict}. Its indexes take ${bytes(after)} in place of ${bytes(before)} as loaded.`,
        columns([['number', 'as designed', what.split(' ')[0] as string, 'ratio', ''], ...rows.filter(isTold).map(cellsOf)], 1),
      ].join('\n\n'),
    )
    .join('\n\n')
}

/** What differs, and the numbers that a design is chosen by. */
const isTold = ({ number, verdict }: ResolutionRow) => verdict === 'different' || /^(capacity|throughput|CPU)/.test(number)
const shown = (value: number | null) => (value === null ? '—' : Number(value.toPrecision(3)).toLocaleString('en'))
const cellsOf = ({ number, a, b, ratio, verdict }: ResolutionRow) => [number, shown(a), shown(b), shown(ratio), verdict]
