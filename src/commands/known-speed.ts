/** The full speed of this machine's cores, as runs have met it, kept beside the reports: a host that is shared may not have it while one run lasts. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../errors.ts'
import { thisProcess } from '../provision/owner.ts'
import { note } from './output.ts'

/** `us`: of the timed piece of code. */
const kept = z.array(z.strictObject({ machine: z.string(), us: z.number().positive() }))
const fileIn = (reports: string) => join(reports, 'speed.json')

/** null: nobody has timed this machine, or the file is of something else. */
export function knownSpeedUs(reports: string): number | null {
  return all(reports).find(({ machine }) => machine === thisProcess().machine)?.us ?? null
}

/** Only what is faster than what is known says something new. */
export function keepSpeed(reports: string, us: number | null): void {
  const known = knownSpeedUs(reports)
  if (us === null || (known !== null && known <= us)) return
  const { machine } = thisProcess()
  try {
    mkdirSync(reports, { recursive: true })
    const others = all(reports).filter((each) => each.machine !== machine)
    writeFileSync(fileIn(reports), `${JSON.stringify([...others, { machine, us }], null, 2)}\n`)
  } catch (error) {
    note(`the speed of this machine could not be kept for later runs: ${messageOf(error)}`)
  }
}

function all(reports: string): z.infer<typeof kept> {
  try {
    return kept.parse(JSON.parse(readFileSync(fileIn(reports), 'utf8')))
  } catch {
    return []
  }
}
