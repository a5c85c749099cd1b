/** `dbtrial run`: from options to a finished run: signals, where servers come from, what is printed, the exit code. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assess } from '../assess/judge/assess.ts'
import type { ClientKind } from '../engines/engine.ts'
import { engineNamed } from '../engines/registry.ts'
import { messageOf, TrialError } from '../errors.ts'
import { commandLine, sameCommandWith } from '../invocation.ts'
import { chooseProvisioners, type ProvisionKind } from '../provision/choose.ts'
import { checkLoopback, type ExternalServer, parseEndpoint } from '../provision/external.ts'
import { startGuard } from '../provision/guard.ts'
import { local } from '../provision/local.ts'
import { makeDirectory } from '../provision/places.ts'
import { sweepProcesses } from '../provision/sweep.ts'
import { writeReport } from '../report/report.ts'
import { type Result, writeResult } from '../result/result.ts'
import { bench, type Finished, planFor } from '../run/bench.ts'
import { effortOf } from '../run/plan.ts'
import { readInterrupted } from '../run/resume.ts'
import { abortable } from '../run/taking.ts'
import type { Effort, Scenario } from '../scenario/scenario.ts'
import { catchStrayErrors } from '../stray-errors.ts'
import { decisionScreen } from '../terminal/decision.ts'
import { startProgress } from '../terminal/progress.ts'
import { coloured } from '../terminal/style.ts'
import { summaryText } from '../terminal/tables.ts'
import { decideIfCompared } from './assess.ts'
import { end, endingOf, findingsOf, tellFault } from './ending.ts'
import { knownHere } from './known-resolution.ts'
import { keepSpeed, knownSpeedUs } from './known-speed.ts'
import { note, print } from './output.ts'
import { prepareScenario } from './scenario.ts'
import { addStepSummary, runMarkdown } from './step-summary.ts'

export interface RunOptions {
  candidates?: string
  effort?: Effort
  client: ClientKind
  provision: ProvisionKind
  endpoint: string[]
  allowRemote?: boolean
  data?: string
  seed?: string
  out: string
  resume?: string
  json?: boolean
  quiet?: boolean
  allowNative?: boolean
  failOn: string
}

/** A run that was told to stop and cannot, whatever holds it, is ended. */
const stopWithinMs = 15_000
/** A terminal's Ctrl-C comes twice, from it and from the launcher. */
const sameSignalMs = 500

/** What a run is measured with, whoever tells of it. */
export type MeasureOptions = Omit<RunOptions, 'failOn'>

export async function run(name: string, options: RunOptions): Promise<void> {
  const failOn = findingsOf(options.failOn)
  const { finished, signal } = await measure(prepareScenario(name, options), options)
  const { fault } = finished
  await tell(finished, options).catch((error: unknown) => {
    if (fault === undefined) throw error
    note(messageOf(error)) // What ended the run is told last.
  })
  if (fault !== undefined) tellFault(fault.thrown, join(finished.directory, 'result.json'))
  else if (signal !== undefined) end({ code: signalCode(signal), reason: `stopped by ${signal}` })
  else end(endingOf(finished.result, assess(finished.result), failOn))
}

/** Signals, guard, servers, progress around one run; and the signal that ended it. */
export async function measure(scenario: Scenario, options: MeasureOptions): Promise<{ finished: Finished; signal: NodeJS.Signals | undefined }> {
  checkNative(scenario, options.allowNative === true)
  const effort = effortOf(scenario.bench, options.effort)
  const servers = await endpointsOf(scenario, options)
  const resume = options.resume === undefined ? undefined : readInterrupted(options.resume)
  makeWritable(options.out)
  const stop = stopOnSignals()
  const guard = startGuard(options.data)
  const provisionersOf = chooseProvisioners(options.provision, servers, guard)
  catchStrayErrors((error) => {
    tellFault(error)
    process.exit(1) // Servers die with this process, the guard removes the rest; what was measured so far is on the disk.
  })
  const progress = startProgress(planFor(scenario, effort, options.client), scenario, options.quiet === true || options.json === true)
  await abortable(sweep(scenario, provisionersOf, options.data, stop.signal), stop.signal).catch(() => {}) // An aborted run ends below, with an empty result.
  const finished = await bench(scenario, {
    effort,
    client: options.client,
    provisionersOf,
    reports: options.out,
    ...(options.data === undefined ? {} : { data: options.data }),
    ...(resume === undefined ? {} : { resume }),
    resolution: knownHere(options.out, effort),
    knownSpeedUs: knownSpeedUs(options.out),
    signal: stop.signal,
    progress,
  }).finally(() => progress.close())
  keepSpeed(options.out, finished.result)
  // What was left behind by an abort, the guard looks after.
  if (finished.result.status === 'complete') guard.done()
  return { finished, signal: stop.signalled() }
}

/** First what was found, then the files: a disk that has no room for a report takes nothing away from the result. */
async function tell({ result, directory, unsaved }: Finished, options: RunOptions): Promise<void> {
  const assessment = assess(result)
  const decision = decideIfCompared(result, assessment)?.decision ?? null
  const assessed: Result = { ...result, assessment: { ...assessment, decision } }
  if (options.json) print(JSON.stringify(assessed))
  else print(coloured(`${summaryText(result, assessment)}\n${decision === null ? '' : `\n${decisionScreen(decision, result)}\n`}`))
  addStepSummary(() => runMarkdown(result, assessment, decision))
  if (unsaved !== undefined) throw unsaved
  try {
    // What was measured is safe on the disk already; only now what follows from it is added.
    writeResult(directory, assessed)
    const written = await writeReport(directory, result, assessment, decision)
    if (!options.json) print(`${join(directory, 'result.json')}\n${written.markdown}\n${written.html}`)
  } catch (error) {
    note(`the report could not be written: ${messageOf(error)}`)
    note(`→ the result is in ${join(directory, 'result.json')}; make room, then: ${commandLine('report', directory)}`)
  }
  if (result.status === 'interrupted') note(`to continue: ${sameCommandWith('resume', directory)}`)
}

/** Whatever earlier runs left and nobody owns any more. */
async function sweep(
  scenario: Scenario,
  provisionersOf: ReturnType<typeof chooseProvisioners>,
  data: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (data !== undefined) sweepProcesses(data)
  // Locks lie in the usual place, wherever servers run; they go last, because they say of everything else whose owner is gone.
  const all = new Set([...scenario.candidates.flatMap((candidate) => provisionersOf(candidate.name)).filter((each) => each !== local), local])
  for (const provisioner of all) await provisioner.sweep(signal).catch(() => {}) // Where it cannot be asked it cannot be used either, and says so then.
}

interface Stop {
  signal: AbortSignal
  signalled: () => NodeJS.Signals | undefined
}

/** The first signal ends the run in order, with the partial result; the second at once. */
function stopOnSignals(): Stop {
  const controller = new AbortController()
  let signalled: NodeJS.Signals | undefined
  let at = 0
  // Servers die with this process, the guard removes the rest.
  const endNow = (why: string) => {
    end({ code: signalCode(signalled), reason: why })
    process.exit()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (signalled !== undefined) {
        if (performance.now() - at > sameSignalMs) endNow(`stopped by ${signalled}, at once by the second signal`)
        return
      }
      signalled = signal
      at = performance.now()
      note(`${signal}: stopping the servers and writing what was measured`)
      controller.abort(new Error(`stopped by ${signal}`))
      setTimeout(() => endNow(`stopped by ${signal}; it did not end in order within ${stopWithinMs / 1000} s`), stopWithinMs).unref()
    })
  }
  // A launcher that was killed outright cannot pass a signal on: without it nobody waits for this run.
  const launcher = Number(process.env.DBTRIAL_LAUNCHER)
  if (launcher === process.ppid) setInterval(() => process.ppid !== launcher && controller.abort(new Error('the launcher ended')), 1000).unref()
  return { signal: controller.signal, signalled: () => signalled }
}

/** @throws TrialError, exit code 2, before anything is reached. */
async function endpointsOf(scenario: Scenario, options: MeasureOptions): Promise<Map<string, ExternalServer>> {
  const servers = new Map<string, ExternalServer>()
  for (const text of options.endpoint) {
    const [name = '', ...rest] = text.split('=')
    const candidate = scenario.candidates.find((each) => each.name === name)
    if (candidate === undefined || rest.length === 0) {
      // What was given may be a URL with its password: it is not repeated unless it is a name.
      const isNamed = rest.length > 0 && /^[a-z][a-z0-9_+]*$/i.test(name)
      throw new TrialError('bad-endpoint', isNamed ? `--endpoint ${name}: there is no candidate of that name` : '--endpoint expects NAME=URL', {
        hint: `candidates are ${scenario.candidates.map((each) => each.name).join(', ')}`,
        exitCode: 2,
      })
    }
    const beside = candidate.pooler ?? candidate.cache?.engine
    if (beside !== undefined)
      throw new TrialError('bad-endpoint', `--endpoint ${name}: its ${beside} runs beside a server of our own, and nowhere else`, {
        hint: `leave the endpoint out, or the ${candidate.pooler === undefined ? 'cache' : 'pooler'}`,
        exitCode: 2,
      })
    const server = parseEndpoint(name, engineNamed(candidate.engine), rest.join('='))
    if (options.allowRemote !== true) await checkLoopback(name, server)
    servers.set(name, server)
  }
  return servers
}

/** A scenario is untrusted text: its own statements run only when the user says so. */
function checkNative(scenario: Scenario, allowed: boolean): void {
  for (const operation of scenario.operations) {
    for (const engine of Object.keys(operation.native)) {
      if (!engineNamed(engine).native)
        throw new TrialError('native-unsupported', `operations.${operation.name}.native: ${engine} takes no statements of the scenario`, {
          hint: 'remove it',
          exitCode: 2,
        })
      if (!allowed)
        throw new TrialError('native-refused', `operation "${operation.name}" brings its own statement for ${engine}`, {
          hint: 'read it, then run again with --allow-native',
          exitCode: 2,
        })
    }
  }
}

export const signalCode = (signal: NodeJS.Signals | undefined) => ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })[signal as 'SIGINT'] ?? 1

/** Found out before the hour's run, not after it. */
function makeWritable(directory: string): void {
  const probe = join(directory, `.probe-${process.pid}`)
  try {
    makeDirectory(directory)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new TrialError('out-not-writable', `reports cannot be written to ${directory}: ${messageOf(error)}`, {
      hint: 'give another place with --out',
      exitCode: 2,
    })
  }
}
