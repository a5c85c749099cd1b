/** What EXPLAIN tells of one call, in numbers. */
import type { CallPlan } from '../engine.ts'

/** A node of EXPLAIN (ANALYZE, FORMAT JSON); counts are means over its loops. */
export interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

/** `storeOf`: the store that a relation is of. */
export function readPlan(root: PlanNode, storeOf: (relation: string) => string): Omit<CallPlan, 'text'> {
  const nodes = nodesOf(root)
  const tables = nodes.filter((node) => node['Relation Name'] !== undefined && node['Node Type'].endsWith('Scan'))
  const whole = tables.filter((node) => node['Node Type'] === 'Seq Scan')
  const sorts = nodes.filter((node) => node['Node Type'].endsWith('Sort'))
  return {
    read: { rows: sumOf(tables, lookedAt), returned: Math.round(root['Actual Rows'] * root['Actual Loops']) },
    scans: [...Map.groupBy(whole, (node) => storeOf(node['Relation Name'] as string))].map(([store, own]) => ({ store, rows: sumOf(own, lookedAt) })),
    sortedRows: sumOf(sorts, (node) => sumOf(node.Plans ?? [], (child) => Math.round(child['Actual Rows'] * child['Actual Loops']))),
  }
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]
const sumOf = (nodes: PlanNode[], of: (node: PlanNode) => number) => nodes.reduce((sum, node) => sum + of(node), 0)

/** Found, or thrown away. */
const lookedAt = (node: PlanNode) =>
  Math.round((node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * node['Actual Loops'])
