/** Which operations ask for rows that were archived: those lie in object storage, where no statement finds them. */
import { harmonic } from '../data/distributions.ts'
import { newestShare } from '../families/sizes.ts'
import { creationOf } from './ages.ts'
import { type Entity, entityOf, type List, type Operation, type Pick, rootOf, type Scenario, type Step, stepsOf } from './scenario.ts'

export interface ArchivedRead {
  /** What asks for them, and how often. */
  what: string
  /** Else it only comes to them where nothing newer is left. */
  isCertain: boolean
}

/** Fewer are a matter of chance. */
const minShare = 0.001
const percentOf = (share: number) => `${Number((share * 100).toPrecision(2))} %`

/** null: nothing does. */
export function archivedReads(scenario: Scenario, operation: Operation): ArchivedRead | null {
  const reads = stepsOf(operation).flatMap((step) => {
    const entity = entityOf(scenario, step.entity)
    const root = rootOf(scenario, entity)
    return root.archiveAfterMs === undefined || newestShare(root, root.archiveAfterMs) === 1 ? [] : (readOf(step, root, root.archiveAfterMs) ?? [])
  })
  return reads.find(({ isCertain }) => isCertain) ?? reads[0] ?? null
}

function readOf(step: Operation | Step, root: Entity, afterMs: number): ArchivedRead | null {
  const certain = (what: string) => ({ what, isCertain: true })
  switch (step.kind) {
    case 'insert':
    case 'transaction':
      return null
    case 'aggregate':
      return step.over !== null && step.over.ms <= afterMs ? null : certain(`adds up rows of ${root.name} of any age`)
    case 'search':
      return certain(`finds rows of ${root.name} of any age`)
    case 'list':
      return step.over != null && step.over.ms <= afterMs ? null : listed(step, root, afterMs)
  }
  if (step.kind === 'update' && step.via !== null) return null
  const share = archivedShare(step.pick, root, afterMs)
  return share < minShare ? null : certain(`asks for archived rows of ${root.name} in ${percentOf(share)} of its calls`)
}

/** The newest rows come first, as a rule before any that was archived. */
function listed({ order, deepShare, pick }: List & { pick: Pick }, root: Entity, afterMs: number): ArchivedRead {
  const [first] = order
  if (first?.field !== creationOf(root)?.name || !first?.descending) return { what: `reads rows of ${root.name} of any age`, isCertain: true }
  const share = deepShare * archivedShare(pick, root, afterMs)
  if (share >= minShare) return { what: `begins at archived rows of ${root.name} in ${percentOf(share)} of its calls`, isCertain: true }
  return { what: `comes to archived rows of ${root.name} where there are too few newer ones for a page`, isCertain: false }
}

/** Share of the picks that go to rows which are older. */
export function archivedShare({ skew, miss }: Pick, root: Entity, afterMs: number): number {
  const inTables = newestShare(root, afterMs)
  const found = 1 - miss
  if (skew.kind === 'latest') return found * (1 - harmonic(Math.max(1, inTables * root.count), skew.theta) / harmonic(root.count, skew.theta))
  // Other laws spread what they ask for over rows of any age.
  if (skew.kind !== 'tiers') return found * (1 - inTables)
  let [newer, older] = [0, 0]
  for (const { rowShare, pickShare } of skew.tiers) {
    const behind = rowShare === 0 ? 0 : Math.min(1, Math.max(0, (newer + rowShare - inTables) / rowShare))
    older += pickShare * behind
    newer += rowShare
  }
  return found * older
}
