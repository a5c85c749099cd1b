/** Rows expire by themselves once they are old enough; before that they were written out. */
import { leavingRows } from '../../families/archive.ts'
import type { Compiled } from '../engine.ts'
import { id } from './cql.ts'

/** Of a time to live: twenty years. */
const maxSeconds = 630_720_000
const daySeconds = 86_400

export function archiveOf({ scenario, model }: Pick<Compiled, 'scenario' | 'model'>): string[] {
  return leavingRows(scenario).flatMap(({ entity, days, owned }) => {
    const own = new Set([entity, ...owned].map(({ name }) => name))
    const tables = model.stores.filter((store) => own.has(store.entity))
    const base = tables.filter((store) => store.base)
    return [
      `# every month, ${entity.name}: files of all rows, before any of them is ${days} days old`,
      ...base.map(({ name }) => `dsbulk unload -k dbtrial -t ${name} -url "$FILES/${name}" --connector.csv.compression gzip`),
      'rclone copy "$FILES" "archive:$BUCKET/$(date -u +%F)"',
      ...(days * daySeconds > maxSeconds
        ? ['# a time to live is twenty years at most: rows are deleted by their keys, and leave tombstones behind']
        : [
            '# rows that are written from now on leave their tables by themselves; older ones are deleted by their keys, and leave tombstones behind',
            ...tables.map(({ name }) => `cqlsh -e 'ALTER TABLE dbtrial.${id(name)} WITH default_time_to_live = ${days * daySeconds}'`),
          ]),
    ]
  })
}
