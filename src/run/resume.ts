/** Continuing an interrupted run: what must be equal so that its trials belong together, and the trials that are done. */
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { canonical, type Value } from '../data/value.ts'
import { TrialError } from '../errors.ts'
import { type Result, readResult, type TrialResult } from '../result/result.ts'

export interface Resumed {
  directory: string
  result: Result
}

/** Of a run's directory, or its result.json. @throws TrialError, exit code 2, where there is nothing to continue. */
export function readInterrupted(path: string): Resumed {
  const directory = basename(path) === 'result.json' ? dirname(path) : path
  if (!existsSync(join(directory, 'result.json')))
    throw new TrialError('nothing-to-resume', `${directory} holds no result.json`, {
      hint: 'give the directory of an interrupted run, as it was printed when it was stopped',
      exitCode: 2,
    })
  const result = readResult(join(directory, 'result.json'))
  if (result.status === 'complete')
    throw new TrialError('nothing-to-resume', `${directory} holds a complete run: there is nothing to continue`, {
      hint: 'run without --resume',
      exitCode: 2,
    })
  return { directory, result }
}

/** @throws TrialError, exit code 2, naming what differs. */
export function checkResumable({ directory, result }: Resumed, now: Result): void {
  const differing: string[] = []
  const note = (what: string, before: unknown, after: unknown) => {
    if (canonical(plain(before)) !== canonical(plain(after))) differing.push(what)
  }
  const { host } = now
  if (host.machine !== result.host.machine) differing.push('the machine')
  note('its kernel, cores or memory', hardware(result.host), hardware(host))
  note('the seed', result.seed, now.seed)
  note('the effort', result.trialPlan.effort, now.trialPlan.effort)
  note('the candidates', result.scenario.candidates, now.scenario.candidates)
  note('the scenario', { ...result.scenario, candidates: null }, { ...now.scenario, candidates: null })
  note('the generated data', result.dataHash, now.dataHash)
  if (differing.length === 0) note('models, statements or the trial plan', result.contentHash, now.contentHash)
  if (differing.length > 0)
    throw new TrialError('not-resumable', `the run in ${directory} cannot be continued: different are ${differing.join(', ')}`, {
      hint: 'continue with the same command on the same machine, or run without --resume',
      exitCode: 2,
    })
}

/** Trials of a candidate that ran to its end so far; of one that failed, none. */
export function trialsBefore(resumed: Resumed | undefined, candidate: string): TrialResult[] {
  const before = resumed?.result.candidates.find((each) => each.name === candidate)
  return before === undefined || before.failure !== null ? [] : before.trials
}

/** Which start of the servers comes now. */
export function nextStart(resumed: Resumed | undefined): number {
  const trials = resumed?.result.candidates.flatMap((candidate) => candidate.trials) ?? []
  return resumed === undefined ? 1 : Math.max(1, ...trials.map((trial) => trial.start)) + 1
}

const hardware = ({ platform, kernel, cpu, cores, memoryBytes }: Result['host']) => ({ platform, kernel, cpu, cores, memoryBytes })
const plain = (value: unknown) => JSON.parse(JSON.stringify(value ?? null)) as Value
