/** Results as arguments name them: a file, the directory of a run, or `last`; and `dbtrial list`, which shows the runs that there are. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assess } from '../assess/judge/assess.ts'
import { messageOf, TrialError } from '../errors.ts'
import { commandLine } from '../invocation.ts'
import { finding } from '../report/headline.ts'
import { type Result, readResult } from '../result/result.ts'
import { columns } from '../terminal/tables.ts'
import { print } from './output.ts'

const fileName = 'result.json'

/** Path of the result that the argument means. */
export function resultPath(argument: string, reports: string): string {
  if (argument === 'last') return lastRuns(1, undefined, reports)[0] as string
  return existsSync(argument) && statSync(argument).isDirectory() ? join(argument, fileName) : argument
}

/** Newest first; of one scenario, or of that of the newest run where several have to be of one. @throws TrialError, exit code 2, where there are fewer. */
export function lastRuns(count: number, scenario: string | undefined, reports: string): string[] {
  const all = pathsIn(reports)
  const wanted = scenario ?? (count > 1 && all[0] !== undefined ? scenarioOf(all[0]) : undefined)
  const found = all.filter((path) => wanted === undefined || scenarioOf(path) === wanted).slice(0, count)
  if (found.length === count) return found
  const there = [...new Set(all.map(scenarioOf))]
  throw new TrialError(
    'too-few-runs',
    `last: there ${found.length === 1 ? 'is 1 run' : `are ${found.length} runs`}${wanted === undefined ? '' : ` of ${wanted}`} in ${reports}, ${count} ${count === 1 ? 'is' : 'are'} needed`,
    { hint: found.length > 0 ? `measure it once more: ${commandLine('run', wanted as string)}` : hintAt(there), exitCode: 2 },
  )
}

const hintAt = (there: string[]) =>
  there.length === 0 ? 'run a scenario first, or give the path of a result' : `there are runs of ${there.join(', ')}`

/** `reports/<scenario>/<UTC>-<seed>/result.json`: names sort by time. */
function pathsIn(reports: string): string[] {
  const directories = (path: string) => (existsSync(path) ? readdirSync(path, { withFileTypes: true }).filter((each) => each.isDirectory()) : [])
  return directories(reports)
    .flatMap((scenario) =>
      directories(join(reports, scenario.name)).map((run) => ({ name: run.name, path: join(reports, scenario.name, run.name, fileName) })),
    )
    .filter(({ path }) => existsSync(path))
    .sort((a, b) => b.name.localeCompare(a.name))
    .map(({ path }) => path)
}

const scenarioOf = (path: string) => dirname(dirname(path)).split('/').at(-1) as string

export function list(scenario: string | undefined, { out, json }: { out: string; json?: boolean }): void {
  const runs = pathsIn(out)
    .filter((path) => scenario === undefined || scenarioOf(path) === scenario)
    .map((path) => describe(path))
  if (json) print(JSON.stringify(runs, null, 2))
  else if (runs.length === 0) print(`no runs in ${out}`)
  else
    print(
      columns([
        ['begun', 'scenario', 'effort', 'candidates', 'what it says', 'directory'],
        ...runs.map((run) => [
          run.startedAt.slice(0, 16).replace('T', ' '),
          run.scenario,
          run.effort,
          run.candidates.join(', '),
          run.headline,
          run.directory,
        ]),
      ]),
    )
}

interface Run {
  directory: string
  scenario: string
  startedAt: string
  status: Result['status'] | 'unreadable'
  effort: string
  candidates: string[]
  headline: string
}

function describe(path: string): Run {
  const directory = dirname(path)
  try {
    const result = readResult(path)
    const { startedAt, status, trialPlan, candidates } = result
    return {
      directory,
      scenario: scenarioOf(path),
      startedAt,
      status,
      effort: trialPlan.effort,
      candidates: candidates.map((each) => each.name),
      headline: finding(result, assess(result)).text,
    }
  } catch (error) {
    return { directory, scenario: scenarioOf(path), startedAt: '', status: 'unreadable', effort: '', candidates: [], headline: messageOf(error) }
  }
}
