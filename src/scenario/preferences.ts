/** The scenario's own criteria and weights: every name is one that there is, every candidate has its stars, every pair is compared once. */
import type { Path, Report } from './problems.ts'
import { type Preferences, purposes } from './scenario.ts'
import type { ScenarioFile } from './schema.ts'

export function resolvePreferences({ criteria: file }: ScenarioFile, candidates: string[], report: Report): Preferences {
  const own = Object.entries(file?.own ?? {}).map(([name, { stars, source }]) => ({ name, stars, source }))
  const preferences: Preferences = { own, swing: file?.swing ?? {}, pairwise: file?.pairwise ?? [] }
  const known = [...purposes, ...own.map((each) => each.name)]
  for (const { name, stars } of own) checkStars(name, stars, candidates, report)
  for (const name of Object.keys(preferences.swing)) checkName(name, known, ['criteria', 'swing', name], report)
  checkPairs(preferences.pairwise, known, report)
  if (Object.keys(preferences.swing).length > 0 && preferences.pairwise.length > 0)
    report(['criteria', 'pairwise'], 'weights are given in points or by comparing pairs, not both: remove swing or pairwise', { atKey: true })
  return preferences
}

function checkStars(name: string, stars: Record<string, number>, candidates: string[], report: Report): void {
  const path = ['criteria', 'own', name]
  if ((purposes as readonly string[]).includes(name))
    report(path, `"${name}" is judged from what was measured and planned: give your own criterion another name`, { atKey: true })
  for (const each of Object.keys(stars))
    if (!candidates.includes(each))
      report([...path, 'stars', each], `there is no candidate "${each}"`, { atKey: true, meant: { name: each, known: candidates } })
  const missing = candidates.filter((each) => stars[each] === undefined)
  if (missing.length > 0)
    report([...path, 'stars'], `no stars for ${missing.join(', ')}: every candidate needs one to five`, { atKey: true, lacking: true })
}

function checkName(name: string, known: string[], path: Path, report: Report, atKey = true): void {
  if (!known.includes(name)) report(path, `there is no criterion "${name}"`, { atKey, meant: { name, known } })
}

/** A pair that nobody compared would be guessed, and consistency could not be told. */
function checkPairs(pairs: Preferences['pairwise'], known: string[], report: Report): void {
  const names = [...new Set(pairs.flatMap(({ more, less }) => [more, less]))]
  const seen = new Set<string>()
  for (const [index, { more, less }] of pairs.entries()) {
    const path = ['criteria', 'pairwise', index]
    for (const name of [more, less]) checkName(name, known, path, report, false)
    if (more === less) report(path, `"${more}" is compared with itself`)
    const pair = [more, less].sort().join(' and ')
    if (seen.has(pair)) report(path, `${pair} are compared twice`)
    seen.add(pair)
  }
  const missing = names.flatMap((a, at) =>
    names.slice(at + 1).flatMap((b) => {
      const pair = [a, b].sort().join(' and ')
      return seen.has(pair) ? [] : [pair]
    }),
  )
  if (missing.length > 0)
    report(
      ['criteria', 'pairwise'],
      `${missing[0]} are not compared${missing.length > 1 ? `, nor are ${missing.length - 1} more pairs` : ''}: compare every two of those that you name`,
      {
        atKey: true,
        lacking: true,
      },
    )
}
