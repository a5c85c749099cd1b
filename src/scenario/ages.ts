/** Picks by age: so many of them go to rows of the last month, so many to those of the year before. */
import { newestShare } from '../families/sizes.ts'
import type { Path, Report } from './problems.ts'
import type { Entity, Tier, Tiers } from './scenario.ts'
import { span } from './units.ts'

interface Context {
  entities: ReadonlyMap<string, Entity>
  isBroken(entity: string): boolean
}

/** The time that says how old a row is. */
export const creationOf = ({ fields }: Entity) =>
  fields.find(({ generator, optional }) => generator.kind === 'timestamp' && generator.withinMs !== null && optional === undefined)

export const creationWanted = 'give it a timestamp with "within", such as created_at: { type: timestamp, within: 2y }'

/** What each span of time adds to those before it. */
export function tiersOf(picks: readonly Pick<Tier, 'withinMs' | 'pickShare'>[], newest: (spanMs: number) => number): Tiers {
  let before = 0
  const tiers = picks.map(({ withinMs, pickShare }): Tier => {
    const within = withinMs === null ? 1 : newest(withinMs)
    const rowShare = Math.max(0, within - before)
    before = within
    return { withinMs, rowShare, pickShare }
  })
  return { kind: 'tiers', tiers }
}

/** Of `last: { 30d: 90%, 1y: 9% }`; undefined where it means nothing, as was reported. */
export function resolveTiers(
  file: Record<string, number>,
  entity: Entity,
  { entities, isBroken }: Context,
  path: Path,
  report: Report,
): Tiers | undefined {
  const aged = entities.get(entity.owner?.entity ?? entity.name)
  const creation = aged === undefined ? undefined : creationOf(aged)
  if (aged === undefined || creation === undefined) {
    const name = entity.owner?.entity ?? entity.name
    if (!isBroken(name))
      report(path, `nothing says how old a row of ${name} is: ${creationWanted}`, {
        atKey: true,
        lacking: true,
      })
    return undefined
  }
  const picks = Object.entries(file)
    .map(([age, pickShare]) => ({ age, withinMs: span.parse(age), pickShare }))
    .toSorted((a, b) => a.withinMs - b.withinMs)
  const left = 1 - picks.reduce((sum, { pickShare }) => sum + pickShare, 0)
  const [first, last] = [picks[0], picks.at(-1)]
  if (first === undefined || last === undefined) return void report(path, 'expected ages with shares, such as { 30d: 90%, 1y: 9% }')
  if (left < -1e-9) return void report(path, 'the shares add up to more than 100%')
  const isWhole = last.withinMs >= aged.ageMs
  for (const [at, { age, withinMs }] of picks.entries()) {
    const before = picks[at - 1]
    if (withinMs === before?.withinMs) report([...path, age], `this is the same age as ${before.age}`, { atKey: true })
    else if (before !== undefined && before.withinMs >= aged.ageMs)
      report([...path, age], `no row of ${aged.name} is older than ${before.age}: its "${creation.name}" goes back no further`, { atKey: true })
  }
  if (isWhole && left > 1e-9)
    report([...path, last.age], `no row of ${aged.name} is older than ${last.age}: the shares must add up to 100%`, { atKey: true })
  if (newestShare(aged, first.withinMs) * aged.count < 1)
    report([...path, first.age], `of the ${aged.count} rows of ${aged.name} none is as new as this: take a longer span`, { atKey: true })
  const rest = isWhole ? [] : [{ withinMs: null, pickShare: Math.max(0, left) }]
  return tiersOf([...picks, ...rest], (spanMs) => newestShare(aged, spanMs))
}
