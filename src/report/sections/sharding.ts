/** Section 7: how rows are divided, within one server and over several. */
import type { Decision } from '../../assess/decision/decision.ts'
import { type Block, details, heading, paragraph, table } from '../render/document.ts'
import { count, percent, times } from '../render/format.ts'
import type { Told } from '../told.ts'

export const shardingSection = ({ decision }: Told): Block[] => (decision === null ? [] : shardKey(decision))

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
