/** Which rows an operation asks for, in a few words: what a plan prints of it. */
import { loadedRows } from '../data/dataset.ts'
import { tierStarts } from '../data/distributions.ts'
import { type Entity, entityOf, type Operation, type Pick, rootOf, type Scenario, stepsOf, type Tiers } from '../scenario/scenario.ts'
import type { Shares } from '../scenario/shares.ts'
import { count, percent } from './render/format.ts'
import { lastText, spanText } from './spans.ts'

/** Of a transaction what its steps pick by age: the rest of it is told with what they write. */
export function pickText(scenario: Scenario, operation: Operation, shares: Shares): string {
  const textOf = (name: string, pick: Pick) => pickOfOne(entityOf(scenario, name), pick, scenario, shares)
  if (operation.kind !== 'transaction') return textOf(operation.entity, operation.pick)
  return stepsOf(operation)
    .flatMap(({ entity, pick }) => (pick.skew.kind === 'tiers' ? [`${entity} ${textOf(entity, pick)}`] : []))
    .join('; ')
}

function pickOfOne(entity: Entity, { skew, miss }: Pick, scenario: Scenario, shares: Shares): string {
  const missed = miss > 0 ? `, ${miss * 100}% miss` : ''
  if (skew.kind === 'tiers') return `picked by age: ${tiersText(entity, skew, scenario, shares)}${missed}`
  return `picked ${skew.kind}${skew.kind === 'zipfian' || skew.kind === 'latest' ? `(${skew.theta})` : ''}${missed}`
}

/** "90 % of 37 rows loaded (2.6M in production) of the last 30 days, 9 % of …, 1 % of … older ones". */
function tiersText(entity: Entity, law: Tiers, scenario: Scenario, shares: Shares): string {
  const owner = rootOf(scenario, entity)
  const loaded = loadedRows(owner, shares[owner.name] as number, scenario)
  const starts = tierStarts(law, loaded)
  return law.tiers
    .map(({ withinMs, rowShare, pickShare }, at) => {
      const rows = (at === 0 ? loaded : (starts[at - 1] as number)) - (starts[at] as number)
      const age = withinMs === null ? 'older' : at === 0 ? `of ${lastText(withinMs)}` : `up to ${spanText(withinMs)}`
      return `${percent(pickShare)} among ${count(rows)} rows ${age} (${count(rowShare * owner.count)} in production)`
    })
    .join(', ')
}
