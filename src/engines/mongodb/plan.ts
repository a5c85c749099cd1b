/** What executionStats tell of one call. */
import type { Document } from 'mongodb'
import type { CallPlan } from '../engine.ts'

/** `store`: the collection that was asked. */
export function planOf(plan: Document, store: string): CallPlan {
  const inner = (plan.stages as Document[] | undefined)?.[0]?.$cursor ?? plan
  const stages = stagesOf((inner.queryPlanner?.winningPlan?.queryPlan ?? inner.queryPlanner?.winningPlan) as Document | undefined, 0)
  const stats = inner.executionStats as Document | undefined
  const lines = stages.map(({ depth, name, index }) => `${'  '.repeat(depth)}${name}${index === undefined ? '' : ` ${index}`}`)
  if (stats === undefined) return { text: lines.join('\n'), read: null, scans: [], sortedRows: null }
  const { nReturned, totalKeysExamined, totalDocsExamined } = stats as Record<string, number>
  lines.push(`returned ${nReturned}, keys examined ${totalKeysExamined}, documents examined ${totalDocsExamined}`)
  // What an index covers is not fetched.
  const rows = totalDocsExamined || totalKeysExamined || 0
  const has = (name: string) => stages.some((stage) => stage.name === name)
  return {
    text: lines.join('\n'),
    read: { rows, returned: nReturned ?? 0 },
    scans: has('COLLSCAN') ? [{ store, rows }] : [],
    sortedRows: has('SORT') ? rows : 0,
  }
}

interface Stage {
  depth: number
  name: string
  index: string | undefined
}

function stagesOf(stage: Document | undefined, depth: number): Stage[] {
  if (stage === undefined || typeof stage.stage !== 'string') return []
  const inputs = [stage.inputStage as Document | undefined, ...((stage.inputStages as Document[] | undefined) ?? [])]
  return [{ depth, name: stage.stage, index: stage.indexName as string | undefined }, ...inputs.flatMap((each) => stagesOf(each, depth + 1))]
}
