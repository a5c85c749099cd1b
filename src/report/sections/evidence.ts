/** Section 15: every trial, whether it counts, on which machine, and how to run it again. */
import { measuredThrough } from '../../assess/judge/own-evidence.ts'
import type { Result } from '../../result/result.ts'
import { conflicts } from '../conflicts.ts'
import { environment } from '../environment.ts'
import { failures } from '../failures.ts'
import { parity } from '../parity.ts'
import { type Block, code, details, heading, paragraph } from '../render/document.ts'
import { rightAnswers } from '../right-answers.ts'
import { storageTable } from '../storage.ts'
import { driverTax } from '../tax.ts'
import { eliminated, type Told } from '../told.ts'
import { trialDetails } from '../trials.ts'
import { workload } from '../workload.ts'
import { statements } from './access-patterns.ts'
import { dataModel } from './data-model.ts'

export function evidenceSection(told: Told): Block[] {
  const { result, assessment, charts } = told
  return [
    heading(3, 'Right answers'),
    ...rightAnswers(result, assessment),
    ...failures(result),
    ...conflicts(result),
    heading(3, 'Throughput'),
    paragraph(
      'A closed loop keeps a fixed number of operations in flight. It shows what the client and the server get through together; it hides waiting, so no objective is judged on it. ' +
        clientText(result),
    ),
    ...charts('throughput'),
    ...charts('scalability'),
    ...driverTax(result),
    heading(3, 'The course of single trials'),
    paragraph(
      'Warming ends where throughput is level, by change points over windows of 250 ms. A server that compiles what it runs is first warmed with all cores of the machine, with its compiler’s threads before all others where this machine permits it, until the compiler is idle or its time is over; nothing of that counts. Maintenance is a checkpoint, flush, compaction or log rewrite that was asked for in the middle of a trial.',
    ),
    ...result.candidates.flatMap(({ name }) => courses(name, charts('course'))),
    heading(3, 'Storage and loading'),
    paragraph(
      'Loading is timed alike for all: with all cores of the machine, before each server is bound to its own, until what was loaded is on the disk and refused where it breaks a promise: indexes, unique values and foreign keys, where the engine has them, are inside the clock.',
    ),
    ...charts('storage'),
    storageTable(result),
    heading(3, 'The same promise'),
    paragraph('What was asked of each server, what was set, and what the server itself said it runs with.'),
    ...result.candidates.flatMap(parity),
    ...othersOf(told),
    heading(3, 'Validity of every trial'),
    paragraph(
      'valid: the harness was out of the way. client-bound: it worked more than 65 % of its core, in a closed loop also more than the server of its own, or an operation was over a limit with the gaps in which the harness did not turn, and within it without them: then the trial decides nothing for that operation, neither that its limit is met nor that it is missed, and a closed loop nothing of saturation but a lower bound. noisy: others used more than a tenth of a core of those of the server or of the harness, or half a core of them for 250 ms. Noisy and broken trials count for nothing.',
    ),
    ...result.candidates.flatMap(trialDetails),
    ...workload(result),
    heading(3, 'Environment'),
    ...environment(result),
    heading(3, 'Do it again'),
    code('sh', `make bench scenario=${result.scenario.name} effort=${result.trialPlan.effort} seed=${result.seed}`),
    paragraph(`Content hash ${result.contentHash}, data hash ${result.dataHash}: equal for every run of the same scenario, seed and version.`),
  ]
}

/** Of one candidate, folded: two pictures of each trial. */
function courses(name: string, charts: Block[]): Block[] {
  const kinds = ['warm-up', 'maintenance', 'noisy'].filter((kind) => charts.some((each) => isCourse(each, kind, name)))
  const own = kinds.flatMap((kind) => charts.filter((each) => isCourse(each, kind, name)))
  const said = kinds.map((kind) => (kind === 'noisy' ? 'a disturbed trial' : kind)).join(', ')
  return own.length === 0 ? [] : [details(`${name}: ${said}`, own)]
}

const isCourse = (block: Block, kind: string, name: string) =>
  block.kind === 'chart' && [`course-${kind}-${name}.png`, `course-${kind}-${name}-resources.png`].includes(block.chart.file)

/** A product without a wire client is asked through its driver in every run, all others where the run was told to. */
function clientText({ candidates }: Pick<Result, 'candidates'>): string {
  const measured = candidates.filter(({ trials }) => trials.length > 0)
  const driven = measured.filter((each) => measuredThrough(each) === 'driver')
  if (driven.length > 0 && driven.length === measured.length) return 'Load goes through the official driver, whose work is in all times.'
  const others = driven.length === 0 ? '' : `; that of ${driven.map(({ name }) => name).join(', ')} through its driver, whose work is in its times`
  return `Load goes through the wire client, whose cost no server sees${others}. What the official driver costs beside it is told below.`
}

/** Models of those that are out of the ranking. */
function othersOf(told: Told): Block[] {
  const others = eliminated(told)
  if (others.length === 0) return []
  return [
    heading(3, 'Models of the candidates that are out of the ranking'),
    ...others.map((candidate) =>
      details(`${candidate.name}: ${candidate.model.family}`, [...dataModel(candidate, told.result), ...statements(candidate)]),
    ),
  ]
}
