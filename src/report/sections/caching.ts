/** Section 6: which answers could be kept, what that would take off the store, and by which rules. */
import { drawsOfTop } from '../../assess/demand/popularity.ts'
import { bytes } from '../../assess/figures/amount.ts'
import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import { entityOf, type Operation, type OperationOf, type Scenario, writtenEntities } from '../../scenario/scenario.ts'
import { cacheBlocks } from '../cache-hits.ts'
import { compositeBlocks } from '../composites.ts'
import { hotAndCold } from '../picked-by-age.ts'
import { type Block, heading, list, paragraph, table } from '../render/document.ts'
import { count, percent } from '../render/format.ts'
import { spanText } from '../spans.ts'
import type { Told } from '../told.ts'

export function cachingSection({ result, decision }: Told): Block[] {
  const { scenario } = result
  const gets = scenario.operations.flatMap((each) => (each.kind === 'get' && !each.internal ? [each] : []))
  const kept = scenario.operations.flatMap(keptAnswer)
  const aged = hotAndCold(scenario)
  if (gets.length + kept.length + aged.length === 0) return []
  return [
    ...(gets.length === 0
      ? []
      : [
          heading(3, 'What a cache would hold'),
          paragraph(
            'Calls by key, and how many of them go to the rows that are asked for most, by the law that the scenario states and the rows of today (derived; how the trials drew is in section 15). A cache that holds a tenth of the rows answers at most the share of that column.',
          ),
          table(
            ['calls by key', 'a second', 'to the hottest 1 %', 'to the hottest 10 %', '10 % of the rows take', 'an answer may be old', 'made old by'],
            gets.map((each) => rowOf(each, scenario)),
            [1, 2, 3, 4],
          ),
        ]),
    ...aged,
    ...(kept.length === 0 ? [] : [list(kept)]),
    ...cacheBlocks(result),
    ...(decision === null ? [] : compositeBlocks(decision, 'cache in front')),
    heading(3, 'Rules for a cache'),
    paragraph('Practice, not measured here:'),
    list(rules),
  ]
}

const rules = [
  'Time to live: no longer than the answer may be old. Where it may not be old at all, the write that changes a row removes its key once it is committed; it does not write the new value there, because two writers could leave the older one.',
  'Spread the times to live by a tenth, so that keys that were filled together do not expire together.',
  'Let one caller load a key that is missing while the others wait for it: else all of them ask the store at once when a hot key expires.',
  'Plan the store for the day on which the cache is empty: section 10 plans it without one.',
]

function rowOf(operation: OperationOf<'get'>, scenario: Scenario): string[] {
  const entity = entityOf(scenario, operation.entity)
  const part = (share: number) => percent(drawsOfTop(operation.pick.skew, entity.count, Math.max(1, share * entity.count)))
  const size = rowBytes(entity, operation.fields) + ownedBytes(scenario, entity, operation.with)
  const held = [operation.entity, ...operation.with]
  const writers = scenario.operations.filter((each) => !each.internal && writtenEntities(each).some((name) => held.includes(name)))
  return [
    operation.name,
    count(operation.ratePerSecond),
    part(0.01),
    part(0.1),
    bytes(0.1 * entity.count * size),
    operation.stalenessMs === null ? 'no' : `for ${spanText(operation.stalenessMs)}`,
    writers.map(({ name }) => name).join(', ') || 'no operation here',
  ]
}

/** One answer for all callers: as long as it may be old, it need not be asked for again. */
function keptAnswer(operation: Operation): string[] {
  const { name, kind, stalenessMs, ratePerSecond } = operation
  if (kind !== 'aggregate' || stalenessMs === null || stalenessMs === 0 || operation.where.some(({ constant }) => constant === null)) return []
  const calls = ratePerSecond * (stalenessMs / 1000)
  if (calls <= 1) return []
  return [
    `${name} may be ${spanText(stalenessMs)} old and is asked ${count(calls)} times in that time: an answer that is kept so long takes ${percent(1 - 1 / (1 + calls))} of its calls off the store (derived).`,
  ]
}
