/** What `dbtrial resolution` has found on this machine, kept beside the reports for the runs that follow. */
import { z } from 'zod'
import { thisProcess } from '../provision/owner.ts'
import { comparedNumbers, type Result } from '../result/result.ts'
import type { Effort } from '../scenario/scenario.ts'
import { KeptFile } from './kept.ts'

type Kept = NonNullable<Result['resolution']>
const kept = new KeptFile(
  'resolution.json',
  z.array(z.strictObject({ machine: z.string(), effort: z.string(), engine: z.string(), number: z.enum(comparedNumbers), ratio: z.number().min(1) })),
)

/** null: it was not measured on this machine with this effort, or the file is of something else. Longer trials repeat better than short ones. */
export function knownHere(reports: string, asked: Effort): Kept | null {
  const own = kept.read(reports).filter(({ machine, effort }) => machine === thisProcess().machine && effort === asked)
  return own.length === 0 ? null : own.map(({ engine, number, ratio }) => ({ engine, number, ratio }))
}

/** What was known of the same engine on this machine with this effort is replaced. */
export function keep(reports: string, effort: Effort, found: Readonly<Kept>): string {
  const { machine } = thisProcess()
  const engines = new Set(found.map(({ engine }) => engine))
  const others = kept.read(reports).filter((each) => each.machine !== machine || each.effort !== effort || !engines.has(each.engine))
  return kept.write(reports, [...others, ...found.map((each) => ({ machine, effort, ...each }))])
}
