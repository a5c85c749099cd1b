/** The full speed of this machine's cores, as runs have met it, kept beside the reports: a host that is shared may not have it while one run lasts. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../errors.ts'
import { thisProcess } from '../provision/owner.ts'
import type { Result } from '../result/result.ts'
import { note } from './output.ts'

/** `us`: of the timed piece of code, which runs as fast as this CPU and this Node let it. */
const kept = z.array(z.strictObject({ machine: z.string(), us: z.number().positive() }))
const fileIn = (reports: string) => join(reports, 'speed.json')
const here = () => [thisProcess().machine, cpus()[0]?.model.trim() ?? '', process.version].join(' · ')
/** Of fewer windows the fastest twentieth is a matter of luck. */
const fewestWindows = 400

/** null: nobody has timed this machine, or the file is of something else. */
export function knownSpeedUs(reports: string): number | null {
  return all(reports).find(({ machine }) => machine === here())?.us ?? null
}

/** Only what is faster than what is known says something new. */
export function keepSpeed(reports: string, { fullSpeedUs: us, candidates }: Pick<Result, 'fullSpeedUs' | 'candidates'>): void {
  const known = knownSpeedUs(reports)
  const windows = candidates.flatMap(({ trials }) => trials).reduce((sum, { timeline }) => sum + timeline.length, 0)
  if (us === null || windows < fewestWindows || (known !== null && known <= us)) return
  const machine = here()
  try {
    mkdirSync(reports, { recursive: true })
    const others = all(reports).filter((each) => each.machine !== machine)
    const whole = `${fileIn(reports)}.${process.pid}`
    writeFileSync(whole, `${JSON.stringify([...others, { machine, us }], null, 2)}\n`)
    renameSync(whole, fileIn(reports))
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
