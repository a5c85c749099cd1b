/** What a durability means in a server's own words: `docker/<engine>/<durability>.conf`, the same for processes and containers. */
import { readFileSync } from 'node:fs'
import type { Durability } from '../scenario/scenario.ts'

/** Text of the file, in the server's own format. */
export function configurationOf(engine: string, durability: Durability): string {
  return readFileSync(new URL(`../../docker/${engine}/${durability}.conf`, import.meta.url), 'utf8')
}

/** Its settings, for formats of one `name = value` or `name value` a line. */
export function settingsOf(engine: string, durability: Durability): Record<string, string> {
  const lines = configurationOf(engine, durability)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map((line) => /^(\w+)\s*[=: ]\s*(.*)$/.exec(line)?.slice(1, 3) as [string, string]))
}
