/** Who else used the machine: what a run that began beside others says of all its numbers. */
import { busyText } from '../host/busy.ts'
import type { Result } from '../result/result.ts'

/** One sentence for a headline; '' where the machine was quiet. */
export function neighbourLine({ calibration }: Pick<Result, 'calibration'>): string {
  const busy = calibration?.busy ?? null
  if (busy === null) return ''
  return `Before anything was measured the machine was busy, ${busyText(busy)}: what is slow here may be slow because of them.`
}
