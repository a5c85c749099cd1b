/** Section 7: how rows are divided, within one server and over several. */
import type { Decision } from '../../assess/decision/decision.ts'
import { type Block, code, details, heading, list, paragraph, table } from '../render/document.ts'
import { count, percent, times } from '../render/format.ts'
import { designed, planOf, type Told } from '../told.ts'

export function shardingSection(told: Told): Block[] {
  const { decision } = told
  return [...byTime(told), ...(decision === null ? [] : [...planned(told, decision.months), ...shardKey(decision)])]
}

/** What lies in parts by its time, what does not, each with its reason; and what that asks of those who run it. */
function byTime(told: Told): Block[] {
  const own = designed(told).map((candidate) => ({
    ...candidate,
    reasons: candidate.model.stores.flatMap(({ name, division }) => (division === undefined ? [] : [`${name}: ${division.why}`])),
  }))
  const asked = own.filter(({ reasons }) => reasons.length > 0)
  if (asked.length === 0) return []
  return [
    heading(3, 'Parts by time'),
    ...asked.flatMap(({ name, reasons, handbook: { upkeep = [] } }) => [
      paragraph(`${name}:`),
      list(reasons),
      ...(upkeep.length === 0
        ? []
        : [
            paragraph(
              `Each time that a part has passed the next one is made, long before its first row comes, and the oldest is dropped: for the first time so (with the way back in design/${name}/upkeep):`,
            ),
            code('sql', upkeep.map(({ up }) => `${up};`).join('\n\n')),
          ]),
    ]),
  ]
}

/** Who divides rows, and into how many parts by the plan. */
function planned(told: Told, months: number): Block[] {
  const rows = designed(told).flatMap(({ name, traits }) => {
    const plan = planOf(told, name)
    if (plan === null) return []
    const { now, horizon } = plan.fleet
    const parts = (n: number) => (traits.plan?.topology.kind === 'ring' ? 'all servers share the rows' : n === 1 ? 'none' : `${n} shards`)
    return [
      [name, parts(now.parts), parts(horizon.parts), traits.sharding === undefined ? '—' : `${traits.sharding.value} (${traits.sharding.source})`],
    ]
  })
  if (rows.length === 0) return []
  return [
    table(['candidate', 'divided now', `in month ${months}`, 'how it divides rows'], rows),
    paragraph(
      'Shards that the plan does not need are no safety: each call that asks all of them, each change of the schema and each backup costs more. When a table is better partitioned by time, and when shards are needed, stands in section 10 under “What changes, and when”.',
    ),
  ]
}

function shardKey({ shards }: Decision): Block[] {
  if (shards === null) return []
  const { key, keys, strategies, moved } = shards
  return [
    heading(3, 'If it must be sharded'),
    paragraph(
      `Shard ${key.entity} by ${key.field}${key.shardInKey === null ? '' : `, and write the shard into each ${key.shardInKey} that is made, so that a row is found by it, too`}: ${count(key.cardinality)} values, the heaviest holds ${percentSmall(key.heaviestShare)} of the rows, ${percent(key.crossShard)} of the calls on it must ask every shard. Adding a ninth shard to eight moves ${percent(moved.consistentHashing)} of the rows with consistent hashing, ${percent(moved.modulo)} with the remainder of the hash; ${percent(moved.least)} must move.`,
    ),
    details('keys and strategies that were weighed', [
      table(
        ['key', 'values', 'heaviest', 'calls to every shard'],
        keys.map((each) => [
          `${each.entity}.${each.field}${each.shardInKey === null ? '' : `, shard in ${each.shardInKey}`}`,
          count(each.cardinality),
          percentSmall(each.heaviestShare),
          percent(each.crossShard),
        ]),
        [1, 2, 3],
      ),
      table(
        ['strategy', 'load of the heaviest of 8 shards over the average', 'rows', 'what to know'],
        strategies.map((each) => [each.name, times(each.loadImbalance), times(each.rowsImbalance), each.note]),
        [1, 2],
      ),
    ]),
  ]
}

const percentSmall = (share: number) => (share < 0.001 ? `${(share * 100).toPrecision(1)} %` : percent(share))
