/** The plans of three runs of one day beside each other: node bin/node24.mjs test/golden/side-by-side.ts */
import { fileURLToPath } from 'node:url'
import { assess } from '../../src/assess/judge/assess.ts'
import type { FleetPlan } from '../../src/assess/fleet/candidate-plan.ts'
import { type Decision, decide } from '../../src/assess/decision/decision.ts'
import { readPrices } from '../../src/assess/cost/prices.ts'
import { cost, fleet } from '../../src/report/plan.ts'
import { columns } from '../../src/terminal/tables.ts'
import { type oldCommits, oldResult } from './old-results.ts'

export function oldDecision(commit: (typeof oldCommits)[number]): Decision {
  const result = oldResult(commit)
  return decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-26') }).decision
}

const neededText = ({ needed }: FleetPlan) => (needed === null ? '—' : cost(needed))

export function sideBySide(decisions: ReadonlyMap<string, Decision>): string {
  const names = [...decisions.values()][0]?.candidates.map((each) => each.name) ?? []
  const rows = names.flatMap((name) =>
    [...decisions].map(([commit, { candidates }], at) => {
      const own = candidates.find((each) => each.name === name)
      const open = own?.constraints.flatMap(({ name: constraint, state, probability }) =>
        state === 'holds' ? [] : [`${constraint} ${state}${probability === null ? '' : ` ${probability.toFixed(2)}`}`],
      )
      const plan = own?.plan
      return [
        at === 0 ? name : '',
        commit,
        own?.out === true ? 'out' : 'in',
        open?.join(', ') || '—',
        ...(plan == null
          ? [own?.noPlan ?? '', '', '', '']
          : [fleet(plan.fleet.now), neededText(plan.fleet.now), fleet(plan.fleet.horizon), neededText(plan.fleet.horizon)]),
      ]
    }),
  )
  return columns([['candidate', 'run', '', 'not certain', 'servers now', 'draws need, USD a month', 'servers at the horizon', 'draws need then'], ...rows])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { oldCommits: commits } = await import('./old-results.ts')
  process.stdout.write(`${sideBySide(new Map(commits.map((commit) => [commit, oldDecision(commit)])))}\n`)
}
