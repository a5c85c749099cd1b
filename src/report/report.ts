/** What a report says, in order: the answer, the evidence, the models, the conditions, how to do it again. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Decision } from '../assess/decision/decision.ts'
import { bytes } from '../assess/figures/amount.ts'
import type { Assessment } from '../assess/judge/assess.ts'
import type { Cell } from '../assess/judge/at-multiple.ts'
import { cautionNotes, markedName } from '../assess/judge/cautions.ts'
import type { CandidateResult, Result, TrialResult } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { sharesText } from '../scenario/shares.ts'
import { answer } from './answer.ts'
import { drawCharts } from './charts/charts.ts'
import { environment, isUnknownLimit } from './environment.ts'
import { failures } from './failures.ts'
import { headline } from './headline.ts'
import { leftOut } from './host-pauses.ts'
import { slowed } from './host-speed.ts'
import { capacityPlan } from './plan.ts'
import { type Block, type Chart, code, type Document, details, heading, list, paragraph, table } from './render/document.ts'
import { count, micros, microsRange, outcomeMarks, percent, seconds, times } from './render/format.ts'
import { toHtml } from './render/html.ts'
import { toMarkdown } from './render/markdown.ts'
import { commonMix, comparisons } from './rivals.ts'
import { driverTax } from './tax.ts'
import { verdict as verdictOf } from './verdict.ts'
import { workload } from './workload.ts'

/** Writes report.md, report.html and charts/ beside the result; returns their paths. */
export async function writeReport(
  directory: string,
  result: Result,
  assessment: Assessment,
  decision: Decision | null,
): Promise<{ markdown: string; html: string }> {
  const charts = await drawCharts(result, assessment, decision)
  const document = makeDocument(result, assessment, decision, charts)
  mkdirSync(join(directory, 'charts'), { recursive: true })
  for (const chart of charts) replace(join(directory, 'charts', basename(chart.file)), chart.png)
  const markdown = join(directory, 'report.md')
  const html = join(directory, 'report.html')
  replace(markdown, toMarkdown(document))
  replace(html, toHtml(document, `dbtrial: ${result.scenario.name}`))
  return { markdown, html }
}

function replace(path: string, content: string | Buffer): void {
  try {
    writeFileSync(`${path}.new`, content)
    renameSync(`${path}.new`, path)
  } catch (error) {
    rmSync(`${path}.new`, { force: true })
    throw error
  }
}

export function makeDocument(result: Result, assessment: Assessment, decision: Decision | null, charts: Chart[]): Document {
  const { scenario } = result
  const chart = (prefix: string): Block[] => charts.filter((each) => each.file.startsWith(prefix)).map((each) => ({ kind: 'chart', chart: each }))
  const notes = cautionNotes(result)
  const cautions = notes.length === 0 ? [] : [list(notes)]
  return [
    heading(1, `${scenario.name}: ${result.candidates.map((candidate) => candidate.name).join(', ')} on trial`),
    { kind: 'callout', ...headline(result, assessment) },
    paragraph(scenario.summary),
    paragraph(
      `Run of ${result.startedAt.slice(0, 16).replace('T', ' ')} UTC, effort ${result.trialPlan.effort}, seed ${result.seed}, ${count(result.trialPlan.rows)} rows (${percentOf(result.trialPlan.share)} of production${named(result.trialPlan.shares, scenario)}).`,
    ),
    heading(2, 'The answer'),
    ...answer(result, assessment, scenario),
    ...chart('load-full'),
    ...chart('load-partial'),
    ...(decision === null
      ? []
      : [
          heading(2, 'The verdict'),
          ...cautions,
          ...verdictOf(decision),
          heading(2, 'Capacity and cost'),
          ...chart('cost'),
          ...capacityPlan(decision, result.startedAt),
        ]),
    heading(2, 'Objectives'),
    ...objectives(result, assessment, scenario),
    ...chart('objectives'),
    ...chart('percentiles'),
    ...commonMix(result, assessment),
    ...comparisons(assessment, result),
    heading(2, 'Throughput'),
    paragraph(
      'A closed loop keeps a fixed number of operations in flight. It shows what the client and the server get through together; it hides waiting, so no objective is judged on it. Load goes through the wire client, whose cost no server sees; what the official driver costs beside it is told below.',
    ),
    ...chart('throughput'),
    ...chart('scalability'),
    ...driverTax(result),
    heading(2, 'The course of single trials'),
    paragraph(
      'Warming ends where throughput has settled, by change points over windows of 250 ms. A server that compiles what it runs is first warmed with all cores of the machine, with its compiler’s threads before all others where this machine permits it, until the compiler is idle or its time is over; nothing of that counts. Maintenance is a checkpoint, flush, compaction or log rewrite that was asked for in the middle of a trial.',
    ),
    ...chart('course'),
    heading(2, 'Storage and loading'),
    paragraph(
      'Loading is timed alike for all: with all cores of the machine, before each server is bound to its own, until what was loaded is on the disk and refused where it breaks a promise: indexes, unique values and foreign keys, where the engine has them, are inside the clock.',
    ),
    ...chart('storage'),
    storageTable(result),
    heading(2, 'Right answers'),
    ...rightAnswers(result, assessment),
    heading(2, 'What could not be done, and what was emulated'),
    ...excuses(result),
    ...failures(result),
    heading(2, 'The same promise'),
    paragraph('What was asked of each server, what was set, and what the server itself said it runs with.'),
    ...result.candidates.flatMap(parity),
    heading(2, 'Physical models'),
    paragraph('Each engine gets the model that an expert in it would draw.'),
    ...result.candidates.flatMap(model),
    heading(2, 'Validity of every trial'),
    paragraph(
      'valid: the harness was out of the way. client-bound: it worked more than 65 % of its core, or an operation was over a limit with the gaps in which the harness did not turn, and within it without them: then the trial decides nothing for that operation, neither that its limit is met nor that it is missed. noisy: others used more than a tenth of a core of those of the server or of the harness, or half a core of them for 250 ms. Noisy and broken trials count for nothing.',
    ),
    ...result.candidates.flatMap((candidate) =>
      candidate.trials.length === 0 ? [] : [details(`${candidate.name}: ${validityCounts(candidate.trials)}`, [trials(candidate)])],
    ),
    ...workload(result),
    heading(2, 'Environment'),
    ...environment(result),
    heading(2, 'Not measured'),
    list(notMeasured(result, scenario)),
    heading(2, 'Do it again'),
    code('sh', `make bench scenario=${scenario.name} effort=${result.trialPlan.effort} seed=${result.seed}`),
    paragraph(`Content hash ${result.contentHash}, data hash ${result.dataHash}: equal for every run of the same scenario, seed and version.`),
  ]
}

const named = (shares: Result['trialPlan']['shares'], scenario: Scenario) =>
  Object.keys(shares).length === 0 ? '' : `: ${sharesText(scenario, shares)}`
const percentOf = (share: number) => `${Number((share * 100).toPrecision(2))} %`

function objectives(result: Result, assessment: Assessment, scenario: Scenario): Block[] {
  if (assessment.candidates.every((each) => each.at.every((at) => at.outcome === 'not run'))) {
    return [paragraph(`Nothing was measured: ${result.candidates.map((candidate) => candidate.failure ?? 'stopped before').join('; ')}`)]
  }
  const tables = result.trialPlan.multiples.flatMap((multiple) => {
    // One column a candidate, whose text wraps: four candidates fit a page.
    const head = ['operation', 'objective', ...result.candidates.map((candidate) => `${markedName(candidate)}: p99 · p50`)]
    const rows = scenario.operations.map((operation) => {
      const limits = operation.objectives.map((objective) => `${objective.name} ${micros(objective.limitMs * 1000)}`).join(', ')
      const cells = assessment.candidates.map((each) => {
        const cell = each.at.find((at) => at.multiple === multiple)?.cells.find((own) => own.operation === operation.name)
        if (cell === undefined) return '—'
        return cell.p50Us === null ? p99Text(cell) : `${p99Text(cell)} · ${micros(cell.p50Us)}${rangeText(cell.p50IntervalUs)}`
      })
      return [operation.name, limits || '—', ...cells]
    })
    return [heading(3, `At ${times(multiple)} the average load (${count(rateAt(scenario, multiple))} operations per second)`), table(head, rows)]
  })
  const legend =
    'Response time from the intended start: percentiles of the merged histograms of all valid trials at this rate, and in parentheses where they lie with 95 %, by a bootstrap over the starts of the server and their trials (from three starts on; one start knows nothing of the next); a dash where a p99 would need more samples, or the server was saturated. ✓ met and ✗ missed with 95 % probability by the response curve over all rates, in which a burst counts once; ? undetermined: too few samples, fewer than a hundred calls in every trial, fewer rows touched than in production, or missed only while the harness itself was late; what would take longer than its limit on the rows of production is ✗ with 95 % probability, else ?.'
  return [paragraph(legend), ...tables]
}

const rateAt = (scenario: Scenario, multiple: number) =>
  scenario.operations.reduce((sum, operation) => sum + operation.ratePerSecond * (operation.scales ? multiple : 1), 0)

const rangeText = (interval: Cell['p99IntervalUs']) => (interval === null ? '' : ` (${microsRange(interval.low, interval.high)})`)

function p99Text(cell: Cell): string {
  const mark = outcomeMarks[cell.outcome] ?? cell.outcome
  const scaled = cell.atScale === null ? '' : `${micros(cell.atScale.now.p50 * 1e6)} on production’s rows`
  const told = toldText(cell)
  return [`${mark} ${scaled}`.trim(), told].filter((each) => each !== '').join(scaled === '' ? ' ' : '; on fewer ')
}

function toldText(cell: Cell): string {
  if (cell.backlog !== null) return `saturated: the backlog grows by ${cell.backlog.toFixed(2)} s per s`
  const few = cell.undecided === 'few' ? `of ${cell.intended} calls` : ''
  if (cell.p99Us === null) return few
  const failed = cell.errors + cell.dropped
  return [
    `${micros(cell.p99Us)}${rangeText(cell.p99IntervalUs)}`,
    failed > 0 ? `${failed} failed` : '',
    cell.scaleLimited ? 'scale-limited' : '',
    cell.undecided === 'late' ? 'harness late' : '',
    few,
  ]
    .filter((each) => each !== '')
    .join(', ')
}

function storageTable(result: Result): Block {
  const total = (parts: { bytes: number }[]) => parts.reduce((sum, part) => sum + part.bytes, 0)
  const rows = result.candidates.flatMap((candidate) => {
    const at = candidate.storage.at.at(-1)
    if (at === undefined || candidate.load === null) return []
    const { load, storage } = candidate
    return [
      [
        markedName(candidate),
        count(load.rows),
        seconds(load.seconds),
        `${count(load.rows / load.seconds)}/s`,
        bytes(total(at.tables)),
        at.indexes.length === 0 ? '—' : bytes(total(at.indexes)),
        storage.bytesPerRow === null ? '—' : `${Math.round(storage.bytesPerRow)} B`,
      ],
    ]
  })
  return table(['candidate', 'rows', 'load time', 'load speed', 'tables', 'indexes', 'bytes per row, indexes included'], rows, [1, 2, 3, 4, 5, 6])
}

function rightAnswers(result: Result, assessment: Assessment): Block[] {
  const rows = result.candidates.map((candidate, index) => {
    const judged = candidate.trials.reduce((sum, trial) => sum + Object.values(trial.operations).reduce((own, each) => own + each.wrong, 0), 0)
    const broken = assessment.candidates[index]?.brokenInvariants ?? []
    return [
      candidate.name,
      count(candidate.verification.checked),
      String(candidate.verification.wrong),
      String(judged),
      candidate.invariants.length === 0 ? '—' : broken.length === 0 ? `all ${candidate.invariants.length} ok` : `broken: ${broken.join(', ')}`,
    ]
  })
  const invariants = result.candidates.flatMap((candidate) =>
    candidate.invariants.length === 0
      ? []
      : [
          details(`${candidate.name}: invariants after the replay`, [
            table(
              ['invariant', '', 'detail'],
              candidate.invariants.map((each) => [each.name, each.ok ? '✓' : '✗', each.detail]),
            ),
          ]),
        ],
  )
  const differences = result.candidates.flatMap((candidate) =>
    candidate.verification.differences.map((each) =>
      code('', `${candidate.name} ${each.operation}(${each.parameters})\nexpected ${each.expected}\ngot      ${each.got}`),
    ),
  )
  return [
    paragraph(
      'Before any timing, the same operations ran on an in-memory reference and on each candidate, and every answer was compared exactly. During the replay one answer in a thousand was kept and judged; afterwards the invariants were checked.',
    ),
    table(['candidate', 'answers compared', 'wrong', 'wrong during the replay', 'invariants'], rows, [1, 2, 3]),
    ...differences,
    ...invariants,
  ]
}

function excuses(result: Result): Block[] {
  const excused = result.excuses.map(
    (excuse) => `${excuse.engine}${excuse.operation === null ? '' : `, ${excuse.operation}`}: ${excuse.reason} (${excuse.bottleneck})`,
  )
  const emulated = result.candidates.flatMap((candidate) => [
    ...new Set(candidate.model.emulations.map((each) => `${candidate.name}, ${each.operation}: ${each.how}`)),
  ])
  const flows = result.trialPlan.warnings
  return [
    excused.length + emulated.length === 0 ? paragraph('Every candidate does every operation natively.') : list([...excused, ...emulated]),
    ...(flows.length > 0 ? [heading(3, 'Warnings about the scenario'), list(flows)] : []),
  ]
}

function parity(candidate: CandidateResult): Block[] {
  if (candidate.parity.length === 0) return []
  const bad = candidate.parity.filter((each) => !each.ok && !isUnknownLimit(candidate, each)).length
  return [
    details(`${candidate.name}, durability ${candidate.durability}: ${bad === 0 ? 'all as asked' : `${bad} not as asked`}`, [
      table(
        ['what', 'asked', 'set', 'effective', ''],
        candidate.parity.map((each) => [
          each.what,
          each.asked,
          each.set,
          each.effective,
          each.ok ? '✓' : isUnknownLimit(candidate, each) ? '—' : '✗',
        ]),
      ),
    ]),
  ]
}

function model(candidate: CandidateResult): Block[] {
  const { stores, family } = candidate.model
  const rows = stores.flatMap((store) => [
    [
      store.name,
      store.partition.join(', ') || '—',
      store.clustering.map((each) => `${each.column}${each.descending ? ' desc' : ''}`).join(', ') || '—',
      store.reason,
    ],
    ...store.indexes.map((index) => [
      `  index ${index.name}`,
      index.columns.map((each) => `${each.field}${each.descending ? ' desc' : ''}`).join(', '),
      index.include.join(', ') || '—',
      index.reason,
    ]),
  ])
  const plans = candidate.explanations.flatMap((each) => [heading(3, each.operation), code('', each.plan)])
  return [
    heading(3, `${candidate.name}: ${family}`),
    table(['store', 'key', 'clustering or carried columns', 'why'], rows),
    details(`${candidate.name}: definitions`, [code('sql', candidate.ddl.join(';\n\n'))]),
    details(
      `${candidate.name}: statements`,
      candidate.compiled.flatMap((each) => [heading(3, each.operation), code('sql', each.statements.join(';\n'))]),
    ),
    ...(plans.length > 0 ? [details(`${candidate.name}: how the server runs the reads`, plans)] : []),
  ]
}

function validityCounts(all: TrialResult[]): string {
  const counts = new Map<string, number>()
  for (const trial of all) counts.set(trial.validity.verdict, (counts.get(trial.validity.verdict) ?? 0) + 1)
  return [...counts].map(([verdictName, n]) => `${n} ${verdictName}`).join(', ')
}

function trials(candidate: CandidateResult): Block {
  const rows = candidate.trials.map((trial) => [
    trial.phase,
    trial.arrival.loop === 'open'
      ? `${trial.arrival.multiple === null ? '' : times(trial.arrival.multiple)} (${count(trial.arrival.ratePerSecond ?? 0)}/s)`
      : `${trial.arrival.concurrency} in flight`,
    String(trial.connections),
    `${count(trial.throughputPerSecond)}/s`,
    trial.resources.server?.cpuCores.toFixed(2) ?? '—',
    percent(trial.resources.client.busyShare),
    trial.resources.others?.cpuCores.toFixed(2) ?? '—',
    trial.arrival.loop === 'open' ? trial.outcome : '—',
    trial.validity.verdict,
    [...saturation(trial), ...slowed(trial), ...leftOut(trial), ...trial.validity.reasons].join('; '),
  ])
  return table(
    ['phase', 'load', 'connections', 'done', 'server cores', 'harness busy', 'others cores', 'outcome', 'validity', 'reasons'],
    rows,
    [2, 3, 4, 5, 6],
  )
}

/** Of response times that are as long as the trial lets them become, nothing is told but that. */
const saturation = ({ saturated, backlog }: TrialResult) =>
  saturated ? [`saturated: the backlog grows by ${(backlog ?? 0).toFixed(2)} s per s`] : []

/** Requirements that the scenario states and that nothing here could test: they stay with the reader. */
function unjudged({ requirements }: Scenario): string[] {
  const { compliance, regions, rpoMs, rtoMs } = requirements
  const found = [
    ...(compliance.length > 0 ? [`whether an audit for ${compliance.join(', ')} would pass: only what a store must have for one was looked up`] : []),
    ...(regions.length > 0 ? [`that an offer is to be had in ${regions.join(', ')}`] : []),
    ...(rpoMs === null && rtoMs === null ? [] : ['the recovery point and time after a region is lost']),
  ]
  return found.length === 0 ? [] : [`Stated, and neither measured nor judged: ${found.join('; ')}.`]
}

function notMeasured(result: Result, scenario: Scenario): string[] {
  const { starts } = result.trialPlan.budget
  const limited = result.trialPlan.operations.filter((each) => each.scaleLimited)
  const stale = scenario.operations.filter((operation) => operation.stalenessMs !== null).map((operation) => operation.name)
  return [
    'One node: no replication, no zone hops, no network beyond loopback, no failover.',
    ...result.candidates.flatMap(({ name, grownShare }) =>
      (grownShare ?? 0) <= 0.1 ? [] : [`${name} ended with ${percent(grownShare ?? 0)} more rows than were loaded.`],
    ),
    ...result.candidates.flatMap(({ name, restores }) =>
      restores === 0
        ? []
        : [
            `${name} was started again ${restores === 1 ? 'once' : `${restores} times`}, on the data as they were after the verification; it was warmed again.`,
          ],
    ),
    starts > 1
      ? `Each server was started ${starts} times on the data as they were after the verification; intervals hold what differs between starts.`
      : 'All trials lie within one start of each server: layout and JIT state are the same for all of them, and intervals do not hold what another start would change.',
    result.candidates.some((candidate) => candidate.trials.some((trial) => trial.phase === 'maintenance'))
      ? 'maintenance seen: yes, once at the average load.'
      : 'maintenance seen: no. No checkpoint, flush or compaction was forced during a trial.',
    ...limited.map(
      (each) => `${each.name} is scale-limited: it touched ${count(each.rowsLoaded)} rows, in production ${count(each.rowsProduction)}.`,
    ),
    ...unjudged(scenario),
    ...(stale.length > 0 ? [`Staleness was not exercised: ${stale.join(', ')} always read the only copy.`] : []),
  ]
}
