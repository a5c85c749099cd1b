/** The limits of section 11 as rules of Prometheus. */
import { stringify } from 'yaml'
import type { CandidateResult } from '../result/result.ts'
import { operationLimits } from './operation-limits.ts'
import { micros, percent } from './render/format.ts'
import { serverLimits } from './server-limits.ts'
import type { Told } from './told.ts'

interface Rule {
  alert: string
  expr: string
  for: string
  labels: { severity: 'warn' | 'act' }
  annotations: { summary: string }
}

/** Shares of a server, as node_exporter tells them. */
const shares: Record<keyof typeof serverLimits, string> = {
  cpu: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
  memory: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
  disk: '1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"}',
}
const names: Record<keyof typeof serverLimits, string> = { cpu: 'CPU', memory: 'memory', disk: 'disk' }
const whatFor = '5m'

/** Of the application, which knows its operations: a histogram of seconds with the label `operation`. */
const histogram = 'store_operation_duration_seconds_bucket'

export function alertRules(told: Told, candidate: CandidateResult): string {
  const { handbook, name } = candidate
  const groups = [
    { name: `${name}: servers`, rules: serverRules() },
    { name: `${name}: operations`, rules: operationRules(told, candidate) },
  ]
  const beside = handbook.alerts ?? []
  const head = [
    '# Servers are told by node_exporter; operations by a histogram that the application exports:',
    `# ${histogram.replace(/_bucket$/, '')}, in seconds, with the label "operation".`,
    ...(beside.length === 0
      ? []
      : ['# Not written as rules, because they hang on the exporter of the product:', ...beside.map((each) => `# - ${each}`)]),
  ]
  return `${head.join('\n')}\n${stringify({ groups: groups.filter(({ rules }) => rules.length > 0) }, { lineWidth: 0 })}`
}

function serverRules(): Rule[] {
  return (Object.keys(shares) as (keyof typeof serverLimits)[]).flatMap((what) =>
    (['warn', 'act'] as const).map((severity) => {
      const limit = serverLimits[what][severity]
      return rule(`server_${what}`, `${shares[what]} > ${limit}`, severity, `${names[what]} of {{ $labels.instance }} is above ${percent(limit)}`)
    }),
  )
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
