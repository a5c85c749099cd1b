/** Section 11: what to watch, and from which value on somebody must act. */
import { cpuFill } from '../../assess/capacity/capacity.ts'
import { isKept } from '../../assess/cost/kept.ts'
import { lateNow } from '../../assess/fleet/latency-of-plan.ts'
import type { CandidateResult, OperationResult } from '../../result/result.ts'
import { baselineAt, isBaseline } from '../baselines.ts'
import { type OperationLimit, operationLimits } from '../operation-limits.ts'
import { spreadText } from '../plan.ts'
import { type Block, heading, list, paragraph, table } from '../render/document.ts'
import { count, micros, microsRange, percent, times } from '../render/format.ts'
import { deadlockLimits, lagLimitsMs, serverLimits } from '../server-limits.ts'
import { spanText } from '../spans.ts'
import { designed, planOf, type Told } from '../told.ts'

export function monitoringSection(told: Told): Block[] {
  const own = designed(told)
  if (own.length === 0) return []
  const products = own.flatMap(({ name, handbook: { alerts = [], exporter } }) =>
    alerts.length === 0
      ? []
      : [
          `${name}: ${alerts.join('; ')}${exporter === undefined ? '' : `. Those that ${exporter.name} has a metric for are rules of Prometheus in design/${name}/alerts.yml`}`,
        ],
  )
  return [
    heading(3, 'The servers'),
    paragraph(
      'As measured is the median of the usable trials at that load on the server of the bench, in parentheses the lowest and the highest of them; a dash: nothing was measured, and the limit is a usual one.',
    ),
    table(['what', 'warn', 'act', ...own.map(({ name }) => `${name}, as measured`)], serverRows(told, own)),
    ...own.flatMap((candidate) => earlierThanCpu(candidate)),
    heading(3, 'The operations'),
    paragraph(
      'Act where the p99 of an operation passes its limit for 5 minutes, over as long as a thousand calls take (an hour, or a day, of those that are rare: a p99 of few calls is the slowest of them); warn halfway there (in ratios) from what was measured at the highest load that was confirmed. Where that lies above the limit already, there is nothing to warn of. In parentheses where the p99 lies with 95 %.',
    ),
    ...own.flatMap((candidate) => operationTable(told, candidate)),
    ...(products.length === 0 ? [] : [heading(3, 'What the products have of their own'), list(products)]),
  ]
}

function serverRows(told: Told, own: CandidateResult[]): string[][] {
  const [low = 1, high = low] = [told.result.trialPlan.multiples[0], told.result.trialPlan.multiples.at(-1)]
  const each = (of: (candidate: CandidateResult) => string) => own.map(of)
  const measured = (what: 'cpu' | 'memory') => (candidate: CandidateResult) => {
    const found = [...new Set([low, high])].flatMap((multiple) => {
      const used = baselineAt(candidate, multiple)[what]
      return used === null ? [] : [`${percent(used.mid)} (${percent(used.low)}–${percent(used.high)}) at ${times(multiple)}`]
    })
    return found.join(', ') || '—'
  }
  const connections = ({ name }: CandidateResult) => {
    const plan = planOf(told, name)
    return plan === null ? '—' : `${spreadText(plan.fleet.now.connections, (value) => count(Math.ceil(value)))} in use at peak, planned`
  }
  const none = each(() => '—')
  return [
    ['CPU of a server', ...limitsOf('cpu'), ...each(measured('cpu'))],
    ['memory of a server', ...limitsOf('memory'), ...each(measured('memory'))],
    ['disk, filled', ...limitsOf('disk'), ...none],
    ['connections, of those allowed', ...limitsOf('connections'), ...each(connections)],
    ['lag of a copy', ...Object.values(lagLimitsMs(told.result.scenario.requirements.rpoMs)).map(spanText), ...none],
    ...(own.some(isKept) ? keptRows(told.result.scenario.requirements.rpoMs).map((row) => [...row, ...none]) : []),
    ['deadlocks in an hour', ...Object.values(deadlockLimits).map(String), ...none],
    ['calls that are tried again', '1 %', '5 %', ...each(conflicts)],
    ['calls that fail', '0.1 %', '1 %', ...each(failed)],
  ]
}

/** Where answers are late long before the cores are busy, the CPU is no alarm. */
function earlierThanCpu({ name, capacity: { objectives, cpu, boundBy } }: CandidateResult): Block[] {
  if (objectives === null || cpu === null || objectives.mid >= cpu.mid) return []
  const share = (cpuFill * objectives.mid) / cpu.mid
  return [
    paragraph(
      `${name}: the first limit is passed at about ${percent(Math.round(100 * share) / 100)} of the CPU (${boundBy}: ${times(objectives.mid)}, where ${percent(cpuFill)} of the cores are busy at ${times(cpu.mid)}), so its alarm is the p99 below; that of the CPU comes later.`,
    ),
  ]
}

const dayMs = 86_400_000

/** A backup that does not come is noticed by nobody who does not look for it. */
function keptRows(rpoMs: number | null): [string, string, string][] {
  const log: [string, string, string][] =
    rpoMs === null || rpoMs === 0 || rpoMs >= dayMs ? [] : [['log that is not archived yet, by its age', spanText(rpoMs / 2), spanText(rpoMs)]]
  return [['newest copy of the data that was finished, by its age', '26 h', '50 h'], ...log]
}

const limitsOf = (what: keyof typeof serverLimits) => Object.values(serverLimits[what]).map(percent)

const sumOf = ({ trials }: CandidateResult, of: (operation: OperationResult) => number) =>
  trials.filter(isBaseline).reduce((sum, trial) => sum + Object.values(trial.operations).reduce((own, operation) => own + of(operation), 0), 0)

function conflicts(candidate: CandidateResult): string {
  const calls = sumOf(candidate, ({ intended }) => intended)
  return calls === 0 ? '—' : `${count(sumOf(candidate, ({ retries }) => retries))} retries in ${count(calls)} calls`
}

function failed(candidate: CandidateResult): string {
  const calls = sumOf(candidate, ({ intended }) => intended)
  const wrong = sumOf(candidate, ({ errors, dropped }) => Object.values(errors).reduce((sum, each) => sum + each, 0) + dropped)
  return calls === 0 ? '—' : `${count(wrong)} of ${count(calls)}`
}

function operationTable(told: Told, candidate: CandidateResult): Block[] {
  const { name } = candidate
  const found = operationLimits(told, candidate)
  if (found === null) return [paragraph(`${name} was not measured at a load that it keeps up with: act at the limits of section 2.`)]
  const rows = found.limits.map((each) => [each.operation, ...limitTexts(each)])
  if (rows.length === 0) return []
  const always = firingText(told, name)
  return [
    table([`${name} at ${times(found.multiple)}`, 'p99 as measured', 'warn', 'act'], rows, [1, 2, 3]),
    ...(always === null ? [] : [paragraph(always)]),
  ]
}

/** An alert that is always on is one that nobody hears. null: none would be. */
function firingText(told: Told, name: string): string | null {
  const plan = planOf(told, name)
  const late = plan === null ? [] : lateNow(plan.latency).filter(({ objective }) => objective === 'p99')
  if (late.length === 0) return null
  const each = late.map(({ operation, totalMs, limitMs }) => `${operation} (${micros(totalMs.p50 * 1000)} of ${micros(limitMs * 1000)})`)
  return `${name}: on the planned servers ${each.join(', ')} more likely than not ${late.length === 1 ? 'passes its limit' : 'pass their limits'} at the average load already (section 10). That is mended first, or ${late.length === 1 ? 'its alert is' : 'their alerts are'} always on.`
}

function limitTexts({ warnUs, actUs, cell: { p99Us, p99IntervalUs: range } }: OperationLimit): string[] {
  const warn = p99Us === null ? '—' : warnUs === null ? 'above the limit' : micros(warnUs)
  return [`${micros(p99Us)}${range === null ? '' : ` (${microsRange(range.low, range.high)})`}`, warn, micros(actUs)]
}
