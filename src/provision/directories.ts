/** The directory of a run. */
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { thisProcess } from './owner.ts'
import { dataParent, passageMode } from './places.ts'

/** On a real disk, for this run's servers; its owner stands in it. `base`: the place that the user chose. */
export function makeRunDirectory(base?: string): string {
  const directory = mkdtempSync(join(dataParent(base), `run-${process.pid}-`))
  chmodSync(directory, passageMode)
  writeFileSync(join(directory, 'owner.json'), JSON.stringify(thisProcess()), { mode: 0o600 })
  return directory
}
