/** The limits of section 11 as rules of Prometheus: of servers, of operations, and of the product under the names of its exporter. */
import { stringify } from 'yaml'
import type { CandidateResult } from '../result/result.ts'
import { operationLimits } from './operation-limits.ts'
import { micros, percent } from './render/format.ts'
import { deadlockLimits, lagLimitsMs, serverLimits } from './server-limits.ts'
import type { Told } from './told.ts'

interface Rule {
  alert: string
  expr: string
  for: string
  labels: { severity: 'warn' | 'act' }
  annotations: { summary: string }
}

/** Shares of a server, as node_exporter tells them. */
const shares = {
  cpu: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
  memory: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
  disk: '1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"}',
}
const names: Record<keyof typeof shares, string> = { cpu: 'CPU', memory: 'memory', disk: 'disk' }
const whatFor = '5m'

/** Of the application, which knows its operations: a histogram of seconds with the label `operation`. */
const histogram = 'store_operation_duration_seconds_bucket'

export function alertRules(told: Told, candidate: CandidateResult): string {
  const { handbook, name } = candidate
  const groups = [
    { name: `${name}: servers`, rules: serverRules() },
    { name: `${name}: operations`, rules: operationRules(told, candidate) },
    { name: `${name}: product`, rules: productRules(handbook.exporter, told.result.scenario.requirements.rpoMs) },
  ]
  const beside = handbook.alerts ?? []
  const head = [
    '# Servers are told by node_exporter; operations by a histogram that the application exports:',
    `# ${histogram.replace(/_bucket$/, '')}, in seconds, with the label "operation".`,
    ...(handbook.exporter === undefined ? [] : [`# Figures of the product are those of ${handbook.exporter.name}.`]),
    ...(beside.length === 0
      ? []
      : [`# What its makers watch${handbook.exporter === undefined ? ', not written as rules' : ''}:`, ...beside.map((each) => `# - ${each}`)]),
  ]
  return `${head.join('\n')}\n${stringify({ groups: groups.filter(({ rules }) => rules.length > 0) }, { lineWidth: 0 })}`
}

function serverRules(): Rule[] {
  return (Object.keys(shares) as (keyof typeof shares)[]).flatMap((what) =>
    (['warn', 'act'] as const).map((severity) => {
      const limit = serverLimits[what][severity]
      return rule(`server_${what}`, `${shares[what]} > ${limit}`, severity, `${names[what]} of {{ $labels.instance }} is above ${percent(limit)}`)
    }),
  )
}

/** By the limits of the table where every product has such a figure, then what only this one has. */
function productRules(exporter: CandidateResult['handbook']['exporter'], rpoMs: number | null): Rule[] {
  if (exporter === undefined) return []
  const { lagSeconds, connectionShare, deadlocksAnHour, rules } = exporter
  const lag = lagLimitsMs(rpoMs)
  const both = (what: string, figure: string | undefined, limits: { warn: number; act: number }, summary: (limit: number) => string) =>
    figure === undefined
      ? []
      : (['warn', 'act'] as const).map((severity) => rule(what, `(${figure}) > ${limits[severity]}`, severity, summary(limits[severity])))
  return [
    ...both('lag', lagSeconds, { warn: lag.warn / 1000, act: lag.act / 1000 }, (limit) => `a copy is more than ${limit} s behind`),
    ...both(
      'connections',
      connectionShare,
      serverLimits.connections,
      (limit) => `more than ${percent(limit)} of the connections of {{ $labels.instance }} are in use`,
    ),
    ...both('deadlocks', deadlocksAnHour, deadlockLimits, (limit) => `more than ${limit} deadlocks in an hour on {{ $labels.instance }}`),
    ...rules.map(({ alert, expr, for: during, severity, summary }) => ({ alert, expr, for: during, labels: { severity }, annotations: { summary } })),
  ]
}

function operationRules(told: Told, candidate: CandidateResult): Rule[] {
  const { operations } = told.result.scenario
  return (operationLimits(told, candidate)?.limits ?? []).flatMap(({ operation, warnUs, actUs }) => {
    const perSecond = operations.find(({ name }) => name === operation)?.ratePerSecond ?? 0
    const p99 = `histogram_quantile(0.99, sum by (le) (rate(${histogram}{operation="${operation}"}[${windowOf(perSecond)}])))`
    const above = (us: number, severity: 'warn' | 'act') =>
      rule(`p99_${operation}`, `${p99} > ${us / 1e6}`, severity, `the p99 of ${operation} is above ${micros(us)}`)
    return [...(warnUs === null ? [] : [above(Math.round(warnUs), 'warn')]), above(actUs, 'act')]
  })
}

/** A p99 of fewer calls is the slowest of them. */
const minCalls = 1000
const windows = [
  ['5m', 300],
  ['1h', 3600],
] as const

/** The shortest that so many calls fall into; those of the rarest are as old as a day. */
const windowOf = (perSecond: number) => windows.find(([, seconds]) => perSecond * seconds >= minCalls)?.[0] ?? '1d'

const rule = (what: string, expr: string, severity: 'warn' | 'act', summary: string): Rule => ({
  alert: `${what}_${severity}`,
  expr,
  for: whatFor,
  labels: { severity },
  annotations: { summary },
})
