/** What `dbtrial resolution` has found on this machine, kept beside the reports for the runs that follow. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { thisProcess } from '../provision/owner.ts'
import type { Result } from '../result/result.ts'

type Kept = NonNullable<Result['resolution']>
const kept = z.array(
  z.strictObject({ machine: z.string(), engine: z.string(), number: z.enum(['p99', 'CPU per operation', 'capacity']), ratio: z.number().min(1) }),
)
const fileIn = (reports: string) => join(reports, 'resolution.json')

/** null: it was not measured on this machine, or the file is of something else. */
export function knownHere(reports: string): Kept | null {
  const own = all(reports).filter(({ machine }) => machine === thisProcess().machine)
  return own.length === 0 ? null : own.map(({ engine, number, ratio }) => ({ engine, number, ratio }))
}

/** What was known of the same engine on this machine is replaced. */
export function keep(reports: string, found: Readonly<Kept>): string {
  const { machine } = thisProcess()
  const others = all(reports).filter((each) => each.machine !== machine || found.every(({ engine }) => engine !== each.engine))
  mkdirSync(reports, { recursive: true })
  writeFileSync(fileIn(reports), `${JSON.stringify([...others, ...found.map((each) => ({ machine, ...each }))], null, 2)}\n`)
  return fileIn(reports)
}

function all(reports: string): z.infer<typeof kept> {
  try {
    return kept.parse(JSON.parse(readFileSync(fileIn(reports), 'utf8')))
  } catch {
    return []
  }
}
