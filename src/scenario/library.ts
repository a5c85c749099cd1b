/** The scenarios that dbtrial brings: their names, and copies of them to start from. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const libraryDirectory = fileURLToPath(new URL('../../scenarios/', import.meta.url))
export const pathInLibrary = (name: string) => join(libraryDirectory, `${name}.yaml`)

/** In the order of the alphabet. */
export function scenarioNames(): string[] {
  return readdirSync(libraryDirectory)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort()
}

/** A scenario of the library under a name of one's own. Its totals go: they hold for no other numbers. */
export function copied(from: string, name: string): string {
  const text = readFileSync(pathInLibrary(from), 'utf8')
  const about = `# Begun as a copy of ${from}: every number is a guess until you replace it. Rows, rates and limits are what the answer rests on.\n`
  return text
    .replaceAll(/^# (Load|Data): .*\n/gm, '')
    .replace(/^(# yaml-language-server: .*\n)?/, (first) => first + about)
    .replace(/^name: .*$/m, `name: ${name}`)
}
