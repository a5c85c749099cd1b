/** `dbtrial resolution SCENARIO`: one engine enters twice under two names; how far do the two differ? */
import { existsSync } from 'node:fs'
import { assess } from '../assess/judge/assess.ts'
import { cautionLine } from '../assess/judge/cautions.ts'
import { type PooledResolution, pooledEquals } from '../assess/judge/pooled-equals.ts'
import { knownFrom, type Resolution, resolutionOf } from '../assess/judge/resolution.ts'
import { engineNamed } from '../engines/registry.ts'
import { TrialError } from '../errors.ts'
import type { ProvisionKind } from '../provision/choose.ts'
import { type Result, readResult } from '../result/result.ts'
import { effortOf } from '../run/plan.ts'
import type { Effort, Scenario } from '../scenario/scenario.ts'
import { coloured } from '../terminal/style.ts'
import { columns } from '../terminal/tables.ts'
import { decideIfCompared } from './assess.ts'
import { end } from './ending.ts'
import { keep } from './known-resolution.ts'
import { print } from './output.ts'
import { resultPath } from './runs.ts'
import { prepareScenario } from './scenario.ts'
import { measureSideBySide } from './side-by-side.ts'

export interface ResolutionOptions {
  engine?: string
  effort?: Effort
  provision: ProvisionKind
  seed?: string
  out: string
  data?: string
  json?: boolean
  quiet?: boolean
}

/** `names`: one scenario, which is measured; or results of trials of equals, which are summed up. */
export async function resolution(names: string[], options: ResolutionOptions): Promise<void> {
  const saved = names.map((name) => resultPath(name, options.out)).filter((path) => path.endsWith('.json') && existsSync(path))
  if (saved.length === names.length)
    return pooled(
      saved.map((path) => readResult(path)),
      options.json === true,
    )
  const [name, another] = names as [string, ...string[]]
  if (another !== undefined)
    throw new TrialError('several-scenarios', `resolution measures one scenario, or sums up saved results: ${names.join(', ')} are neither`, {
      hint: 'give one scenario, or paths of results',
      exitCode: 2,
    })
  const scenario = twice(
    prepareScenario(name, {
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.engine === undefined ? {} : { candidates: options.engine }),
    }),
  )
  const effort = effortOf(scenario.bench, options.effort)
  if (effort === 'smoke')
    throw new TrialError('nothing-compared', 'a smoke run compares nothing', { hint: 'leave --effort out, or ask for quick', exitCode: 2 })
  const measured = await measureSideBySide(scenario, options)
  if (measured === null) return
  const { result, path } = measured
  const found = resolutionFrom(result)
  if (found.rows.every(({ ratio }) => ratio === null))
    return end({
      code: 4,
      reason: `no number of both is known, so nothing was learnt of this machine; its trials are in ${path}`,
    })
  const file = keep(options.out, effort, knownFrom(found, result.candidates))
  print(options.json ? JSON.stringify(found) : coloured(`${resolutionText(found, effort, cautionLine(result))}\n\n${path}\n${file}`))
}

function resolutionFrom(result: Result): Resolution {
  const assessment = assess(result)
  return resolutionOf(result, assessment, decideIfCompared(result, assessment)?.decision ?? null)
}

function pooled(results: Result[], json: boolean): void {
  for (const { candidates, startedAt } of results)
    if (candidates.length !== 2 || candidates[0]?.engine !== candidates[1]?.engine)
      throw new TrialError(
        'no-equals',
        `the run of ${startedAt} is of ${candidates.map(({ name }) => name).join(', ')}, and not of one engine entered twice`,
        {
          hint: 'give results that dbtrial resolution wrote',
          exitCode: 2,
        },
      )
  const twiceGiven = results.find(({ startedAt }, at) => results.findIndex((each) => each.startedAt === startedAt) < at)
  if (twiceGiven !== undefined)
    throw new TrialError('same-result', `the run of ${twiceGiven.startedAt} is given twice: it would count as two`, {
      hint: 'give it once',
      exitCode: 2,
    })
  const found = pooledEquals(results.map(resolutionFrom))
  print(json ? JSON.stringify(found, null, 2) : coloured(pooledEqualsText(found)))
}

function pooledEqualsText({ engines, trials, trialsWithDifference, rows, eliminations }: PooledResolution): string {
  return [
    `${trials} trials of equals (${engines.join(', ')}): in ${trialsWithDifference} of them a capacity, a p99 at the average load or CPU per operation was called different; in ${eliminations} one was out and the other was not.`,
    columns(
      [
        ['number', 'trials', 'different', 'most, times'],
        ...rows.map((row) => [row.number, String(row.trials), String(row.different), row.largestRatio === null ? '—' : row.largestRatio.toFixed(2)]),
      ],
      1,
    ),
  ].join('\n\n')
}

/** The first candidate, under two names. */
function twice(scenario: Scenario): Scenario {
  const [first] = scenario.candidates
  if (first === undefined) throw new TrialError('no-candidate', `${scenario.name} has no candidate`, { hint: 'name one with --engine', exitCode: 2 })
  const { engine } = first
  return { ...scenario, candidates: ['a', 'b'].map((which) => ({ ...first, engine: engineNamed(engine).name, name: `${engine}-${which}` })) }
}

/** `caution`: what to know beside every number; '': nothing. */
export function resolutionText({ engine, rows, eliminated }: Resolution, effort: Effort, caution: string): string {
  const shown = (value: number | null) => (value === null ? '—' : Number(value.toPrecision(3)).toLocaleString('en'))
  const different = rows.filter(({ verdict }) => verdict === 'different').length
  return [
    `${engine} twice: ${different === 0 ? 'nothing is called different' : `${different} of ${rows.length} numbers are called different`}${eliminated.length > 0 ? `; ${eliminated.join(', ')} is out` : ''}.`,
    columns(
      [['number', 'a', 'b', 'b ÷ a', ''], ...rows.map((each) => [each.number, shown(each.a), shown(each.b), shown(each.ratio), each.verdict])],
      1,
    ),
    `From now on runs of effort ${effort} on this machine call nothing of this engine different that differs less than that.`,
    ...(caution === '' ? [] : [caution]),
  ].join('\n\n')
}
