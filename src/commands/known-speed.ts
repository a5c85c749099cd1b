/** The full speed of this machine's cores, as runs have met it, kept beside the reports: a host that is shared may not have it while one run lasts. */
import { cpus } from 'node:os'
import { z } from 'zod'
import { messageOf } from '../errors.ts'
import { thisProcess } from '../provision/owner.ts'
import type { Result } from '../result/result.ts'
import { KeptFile } from './kept.ts'
import { note } from './output.ts'

/** `us`: of the timed piece of code, which runs as fast as this CPU and this Node let it. */
const kept = new KeptFile('speed.json', z.array(z.strictObject({ machine: z.string(), us: z.number().positive() })))
const here = () => [thisProcess().machine, cpus()[0]?.model.trim() ?? '', process.version].join(' · ')
/** Of fewer windows the fastest twentieth is a matter of luck. */
const minWindows = 400

/** null: nobody has timed this machine, or the file is of something else. */
export function knownSpeedUs(reports: string): number | null {
  return kept.read(reports).find(({ machine }) => machine === here())?.us ?? null
}

/** Only what is faster than what is known says something new. */
export function keepSpeed(reports: string, { fullSpeedUs: us, candidates }: Pick<Result, 'fullSpeedUs' | 'candidates'>): void {
  const known = knownSpeedUs(reports)
  const windows = candidates.flatMap(({ trials }) => trials).reduce((sum, { timeline }) => sum + timeline.length, 0)
  if (us === null || windows < minWindows || (known !== null && known <= us)) return
  const machine = here()
  try {
    const others = kept.read(reports).filter((each) => each.machine !== machine)
    kept.write(reports, [...others, { machine, us }])
  } catch (error) {
    note(`the speed of this machine could not be kept for later runs: ${messageOf(error)}`)
  }
}
