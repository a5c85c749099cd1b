/** A run of candidates that are nearly equals, for a command that tells how they differ. */
import { join } from 'node:path'
import type { Result } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { end, tellFault } from './ending.ts'
import { type MeasureOptions, measure, signalCode } from './run.ts'

/** null: it came to no comparison, which has been told. */
export async function measureSideBySide(
  scenario: Scenario,
  options: Omit<MeasureOptions, 'client' | 'endpoint'>,
): Promise<{ result: Result; path: string } | null> {
  const { finished, signal } = await measure(scenario, { ...options, client: 'wire', endpoint: [] })
  const { result, directory } = finished
  const path = join(directory, 'result.json')
  const failed = result.candidates.find((each) => each.failure !== null)
  if (finished.fault !== undefined) tellFault(finished.fault.thrown, path)
  else if (signal !== undefined) end({ code: signalCode(signal), reason: `stopped by ${signal}` })
  else if (failed !== undefined) end({ code: 4, reason: `${failed.name}: ${failed.failure}` })
  else return { result, path }
  return null
}
