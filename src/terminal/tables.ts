/** What the commands print on stdout, as plain text tables. */
import { stripVTControlCharacters } from 'node:util'
import { bytes } from '../assess/figures/amount.ts'
import type { Assessment } from '../assess/judge/assess.ts'
import { markedName } from '../assess/judge/cautions.ts'
import { printable } from '../controls.ts'
import type { Compiled } from '../engines/engine.ts'
import { embeddedName } from '../families/document/model.ts'
import type { PhysicalModel } from '../families/model.ts'
import { cacheLines } from '../report/cache-hits.ts'
import { headline } from '../report/headline.ts'
import { speedLine } from '../report/host-speed.ts'
import { count, micros, outcomeMarks, seconds, times } from '../report/render/format.ts'
import { intervalText } from '../report/rivals.ts'
import type { Result } from '../result/result.ts'
import type { TrialPlan } from '../run/plan.ts'
import { entityOf, type Scenario } from '../scenario/scenario.ts'
import { sharesText } from '../scenario/shares.ts'
import { terminalWidth } from './style.ts'

/** A column keeps so many characters where a table has to be narrowed. */
const narrowestColumn = 10

/** Columns padded to their widest cell; from `numericFrom` on to the right. On a terminal too narrow for them the widest wrap their words. */
export function columns(rows: string[][], numericFrom = Number.POSITIVE_INFINITY, width = terminalWidth()): string {
  const natural = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  const widths = narrowed(natural, width)
  return rows
    .flatMap((row) => {
      const cells = widths.map((own, at) => wrapped(row[at] ?? '', own))
      const lines = Math.max(1, ...cells.map((cell) => cell.length))
      return Array.from({ length: lines }, (_, line) =>
        cells
          .map((cell, at) => {
            const text = cell[line] ?? ''
            return at >= numericFrom ? text.padStart(widths[at] as number) : text.padEnd(widths[at] as number)
          })
          .join('  ')
          .trimEnd(),
      )
    })
    .join('\n')
}

/** The widest columns give first. */
function narrowed(natural: number[], width: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, own) => sum + own + 2, -2)
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths))
    if ((widths[widest] as number) <= narrowestColumn) break
    widths[widest] = (widths[widest] as number) - 1
  }
  return widths
}

/** Between words where that is possible. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const at = space > rest.length - rest.trimStart().length ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  return [...lines, rest]
}

const marksText = '✓ met and ✗ missed with 95 % probability; ? undetermined: too few answers, or neither is sure enough; excused: it cannot do it.'

/** The answer on one screen. */
export function summaryText(result: Result, assessment: Assessment): string {
  const { scenario } = result
  const parts: string[] = [headline(result, assessment).text]
  for (const multiple of result.trialPlan.multiples) {
    const rows = scenario.operations.map((operation) => [
      operation.name,
      operation.objectives.map((objective) => `${objective.name} ${micros(objective.limitMs * 1000)}`).join(' '),
      ...assessment.candidates.map((each) => {
        const cell = each.at.find((at) => at.multiple === multiple)?.cells.find((own) => own.operation === operation.name)
        if (cell === undefined) return '—'
        if (cell.atScale !== null) return `${micros(cell.atScale.now.p50 * 1e6)} on production's rows ${outcomeMarks[cell.outcome] ?? ''}`
        const found =
          cell.p99Us !== null ? micros(cell.p99Us) : cell.backlog !== null ? 'saturated' : cell.undecided === 'few' ? `${cell.intended} calls` : ''
        return `${found} ${outcomeMarks[cell.outcome] ?? ''}`.trim()
      }),
    ])
    parts.push(
      `p99 response at ${times(multiple)} the average load\n${columns([['operation', 'objective', ...result.candidates.map(markedName)], ...rows], 2)}`,
    )
  }
  parts.push(marksText)
  const verdicts = assessment.candidates.map((each, index) => {
    const candidate = result.candidates[index]
    const range = intervalText(candidate?.capacity.multiple ?? null)
    return [
      candidate === undefined ? each.name : markedName(candidate),
      each.mix,
      ...each.at.map((at) => `${at.outcome}${at.notTested.length > 0 && at.outcome === 'met' ? ` (${at.notTested.length} not tested)` : ''}`),
      range,
      candidate === undefined || candidate.verification.checked === 0 ? 'not checked' : `${each.wrong} of ${candidate.verification.checked}`,
      each.brokenInvariants.length > 0
        ? `✗ ${each.brokenInvariants.join(', ')}`
        : candidate === undefined || candidate.invariants.length === 0
          ? 'not checked'
          : 'ok',
    ]
  })
  parts.push(
    columns([
      ['candidate', 'mix', ...result.trialPlan.multiples.map((multiple) => `at ${times(multiple)}`), 'capacity', 'wrong answers', 'invariants'],
      ...verdicts,
    ]),
  )
  parts.push(...cacheLines(result))
  const excuses = result.excuses.map(
    (excuse) =>
      `${excuse.engine}${excuse.operation === null ? '' : `, ${excuse.operation}`}: ${excuse.reason}${excuse.operation === null ? ` (${excuse.bottleneck})` : ''}`,
  )
  // Who had no server says so in its excuse already.
  const told = new Set(result.excuses.filter((excuse) => excuse.operation === null).map((excuse) => excuse.engine))
  const failures = result.candidates
    .filter((candidate) => candidate.failure !== null && !told.has(candidate.name))
    .map((candidate) => `${candidate.name} ${candidate.provision === null ? 'did not start' : 'failed'}: ${candidate.failure}`)
  const speed = speedLine(result)
  if (speed !== null) parts.push(speed)
  if (excuses.length + failures.length > 0) parts.push([...excuses, ...failures].join('\n'))
  return stripVTControlCharacters(parts.join('\n\n'))
}

export function planText(scenario: Scenario, plan: TrialPlan, models: { candidate: string; model: PhysicalModel }[]): string {
  const operations = plan.operations.map((each) => [
    each.name,
    `${count(each.ratePerSecond)}/s`,
    count(each.rowsLoaded),
    count(each.rowsProduction),
    each.scaleLimited ? 'scale-limited' : '',
    each.resolved,
  ])
  const total = plan.phases.reduce((sum, phase) => sum + phase.predictedSeconds, 0)
  const notes = models.flatMap(({ candidate, model }) => [
    ...model.excuses.map((excuse) => `${candidate} is excused from ${excuse.operation}: ${excuse.reason}`),
    ...model.emulations.map((each) => `${candidate}, ${each.operation}: ${each.how}`),
  ])
  const { data } = plan
  return [
    `${scenario.name}: ${scenario.candidates.map((candidate) => candidate.name).join(', ')}, effort ${plan.effort}, seed ${scenario.seed}${scenario.bench.security === 'on' ? ', security on' : ''}`,
    `${count(plan.rows)} rows, ${Number((plan.share * 100).toPrecision(2))} % of production (${sharesText(scenario, plan.shares)}); data : memory ${(data.loadedBytes / data.memoryBytes).toPrecision(2)} loaded (${bytes(data.loadedBytes)}), ${(data.productionBytes / data.memoryBytes).toPrecision(2)} in production (${bytes(data.productionBytes)})`,
    columns([['operation', 'rate', 'rows loaded', 'in production', '', 'resolved'], ...operations]),
    columns(
      [
        ['phase', 'predicted'],
        ...plan.phases.map((phase) => [phase.name, seconds(phase.predictedSeconds)]),
        ['all', `${(total / 60).toFixed(1)} min`],
      ],
      1,
    ),
    ...(notes.length > 0 ? [[...new Set(notes)].join('\n')] : []),
    ...(plan.warnings.length > 0 ? [plan.warnings.map((warning) => `warning: ${warning}`).join('\n')] : []),
  ].join('\n\n')
}

export function modelText(compiled: Compiled): string {
  const { model } = compiled
  const texts = compiled.scenario.entities.flatMap((entity) =>
    entity.fields.flatMap(({ generator }) => (generator.kind === 'enum' ? generator.values : [])),
  )
  const stores = model.stores.map((store) =>
    [`${store.name}: ${store.reason}`, ...store.indexes.map((index) => `  index ${index.name}: ${index.reason}`)].join('\n'),
  )
  const statements = compiled.programs.flatMap((each, index) =>
    each === null || compiled.operations[index]?.internal
      ? []
      : [`${each.operation}\n${each.shown.map((text) => `  ${text.replaceAll('\n', '\n  ')}`).join('\n')}`],
  )
  const examples = documentExamples(compiled)
  const notes = [
    ...model.excuses.map((excuse) => `excused from ${excuse.operation}: ${excuse.reason}`),
    ...new Set(model.emulations.map((each) => `${each.operation}: ${each.how}`)),
  ]
  const text = [
    `-- ${compiled.engine} (${model.family})`,
    stores.join('\n'),
    '-- definitions',
    [...compiled.ddl, ...compiled.afterLoad].join(';\n'),
    ...(examples.length > 0 ? ['-- documents', examples.join('\n')] : []),
    '-- statements',
    statements.join('\n\n'),
    ...(notes.length > 0 ? ['-- excuses and emulations', notes.join('\n')] : []),
  ].join('\n\n')
  // Values of the scenario stand in definitions as they are: none of them begins a line of its own.
  const broken = texts.filter((value) => value.trim() !== '' && printable(value) !== value)
  return broken.reduce((all, value) => all.replaceAll(value, () => printable(value)), text)
}

/** The shape of a document, where owners embed their rows. */
function documentExamples({ model, scenario }: Compiled): string[] {
  if (model.family !== 'document') return []
  return model.stores.map((store) => {
    const entity = entityOf(scenario, store.entity)
    const shape = Object.fromEntries(
      entity.fields.map((field) => [entity.key[0] === field.name && entity.key.length === 1 ? '_id' : field.name, field.type]),
    )
    for (const name of store.embedded) {
      const { fields } = entityOf(scenario, name)
      const line = Object.fromEntries(fields.filter((field) => field.generator.kind !== 'ownerKey').map((field) => [field.name, field.type]))
      Object.assign(shape, { [embeddedName(entity, name)]: [line] })
    }
    return `${store.name} ${JSON.stringify(shape)}`
  })
}
