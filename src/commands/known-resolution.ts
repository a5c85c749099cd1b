/** What `dbtrial resolution` has found on this machine, kept beside the reports for the runs that follow. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { thisProcess } from '../provision/owner.ts'
import { comparedNumbers, type Result } from '../result/result.ts'
import type { Effort } from '../scenario/scenario.ts'

type Kept = NonNullable<Result['resolution']>
const kept = z.array(
  z.strictObject({ machine: z.string(), effort: z.string(), engine: z.string(), number: z.enum(comparedNumbers), ratio: z.number().min(1) }),
)
const fileIn = (reports: string) => join(reports, 'resolution.json')

/** null: it was not measured on this machine with this effort, or the file is of something else. Longer trials repeat better than short ones. */
export function knownHere(reports: string, asked: Effort): Kept | null {
  const own = all(reports).filter(({ machine, effort }) => machine === thisProcess().machine && effort === asked)
  return own.length === 0 ? null : own.map(({ engine, number, ratio }) => ({ engine, number, ratio }))
}

/** What was known of the same engine on this machine with this effort is replaced. */
export function keep(reports: string, effort: Effort, found: Readonly<Kept>): string {
  const { machine } = thisProcess()
  const isReplaced = (each: z.infer<typeof kept>[number]) =>
    each.machine === machine && each.effort === effort && found.some(({ engine }) => engine === each.engine)
  const others = all(reports).filter((each) => !isReplaced(each))
  mkdirSync(reports, { recursive: true })
  writeFileSync(fileIn(reports), `${JSON.stringify([...others, ...found.map((each) => ({ machine, effort, ...each }))], null, 2)}\n`)
  return fileIn(reports)
}

function all(reports: string): z.infer<typeof kept> {
  try {
    return kept.parse(JSON.parse(readFileSync(fileIn(reports), 'utf8')))
  } catch {
    return []
  }
}
