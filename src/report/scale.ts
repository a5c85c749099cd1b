/** Calls on the rows of production, in words: which take too long there, and what every architect would do about it. */
import { type AtScale, type AtScaleNow, isSlow } from '../assess/capacity/at-scale.ts'
import type { Decision } from '../assess/decision/decision.ts'
import { count, micros } from './render/format.ts'

const duration = (seconds: number) => micros(seconds * 1e6)

/** For a headline. */
export const slowShort = ({ operation, now, limitMs }: AtScaleNow) =>
  `${operation} would take ${duration(now.p50)} on the rows of production, of ${duration(limitMs / 1000)} allowed`

/** One sentence for each call that is more likely than not to take longer in production than its limit. */
export function slowAtScale({ atScale }: { atScale: readonly AtScale[] }, horizon: number): string[] {
  return atScale
    .filter(isSlow)
    .map(
      ({ operation, limitMs, now, horizon: then, probabilityNow, probability }) =>
        `${operation} is at risk: on the rows of production a call takes about ${duration(now.p50)} (${duration(now.p10)}–${duration(now.p90)}), ${duration(then.p50)} in month ${horizon}, of ${duration(limitMs / 1000)} allowed; longer in ${share(probabilityNow)} of the draws now, in ${share(probability)} in month ${horizon}. Measured on fewer rows; what each adds is assumed.`,
    )
}

const share = (probability: number) => `${Math.round(probability * 100)} %`

/** Called less often, it is a job, and somebody may wait for it. */
const rarePerSecond = 1

/** What would mend them, once for each operation: it is the same for all stores. */
export function rollupAdvice({ candidates, months }: Pick<Decision, 'candidates' | 'months'>): string[] {
  const slow = new Map(
    candidates.flatMap(({ atScale }) =>
      atScale.filter((each) => each.rollup !== null && isSlow(each)).map((each) => [each.operation, each] as const),
    ),
  )
  return [...slow.values()].map((each) => adviceOn(each, months))
}

function adviceOn({ operation, rows, rollup, perSecond }: AtScale, months: number): string {
  if (rollup === null) return ''
  const { by, writers, writesPerSecond, stalenessMs } = rollup
  const kept =
    writers.length === 0
      ? 'a summary table'
      : `a summary table that ${writers.join(' and ')} update${writers.length === 1 ? 's' : ''} (${count(writesPerSecond)} a second)`
  const instead = `then a call reads ${count(rollup.rows)} rows in place of ${count(rows.now)}, or ${count(rows.horizon)} in month ${months}`
  const fewer = rollup.rows <= rows.measured ? `, fewer than the ${count(rows.measured)} it was measured on` : ''
  const job = stalenessMs === null ? '' : ` An answer may be ${ageText(stalenessMs)} old, so a job that refreshes the summary as often is enough.`
  const rare = perSecond < rarePerSecond ? ` It is called ${count(perSecond * 60)} times a minute: a looser limit is the other way.` : ''
  return `Keep ${operation} rolled up by the ${by}: ${kept}; ${instead}${fewer}.${job} What keeping it up costs was not measured.${rare}`
}

function ageText(ms: number): string {
  const units: [string, number][] = [
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ]
  const [name, size] = units.find(([, each]) => ms >= each) ?? ['second', 1000]
  return `${count(ms / size)} ${name}${ms === size ? '' : 's'}`
}
