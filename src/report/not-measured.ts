/** What this run does not show, whatever its numbers say. */
import type { Result } from '../result/result.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { count, percent } from './render/format.ts'

/** Requirements that the scenario states and that nothing here could test: they stay with the reader. */
function unjudged({ requirements }: Scenario): string[] {
  const { compliance, regions, rpoMs, rtoMs } = requirements
  const found = [
    ...(compliance.length > 0 ? [`whether an audit for ${compliance.join(', ')} would pass: only what a store must have for one was looked up`] : []),
    ...(regions.length > 0 ? [`that an offer is to be had in ${regions.join(', ')}`] : []),
    ...(rpoMs === null && rtoMs === null ? [] : ['the recovery point and time after a region is lost']),
  ]
  return found.length === 0 ? [] : [`Stated, and neither measured nor judged: ${found.join('; ')}.`]
}

/** A server whose data do not survive a restart, or of which no copy could be kept, has the one start in which it was loaded. */
function startsTold({ candidates, trialPlan }: Result): string[] {
  const { starts } = trialPlan.budget
  const measured = candidates.filter(({ trials }) => trials.length > 0)
  const once = measured.filter(({ restores }) => restores === 0)
  const again = starts > 1 ? measured.filter(({ restores }) => restores > 0) : []
  const whose = (own: Result['candidates']) =>
    own.length === measured.length ? 'each server' : `the server of ${own.map(({ name }) => name).join(', ')}`
  const told = [
    ...(again.length === 0
      ? []
      : [`${whose(again)} was started ${starts} times on the data as they were after the verification; intervals hold what differs between starts.`]),
    ...(once.length === 0
      ? []
      : [
          `all trials lie within one start of ${whose(once)}: layout and JIT state are the same for all of them, rows that were written stayed, and intervals do not hold what another start would change.`,
        ]),
  ]
  return told.map((text) => `${text[0]?.toUpperCase()}${text.slice(1)}`)
}

function neverKilled({ candidates }: Result): string[] {
  const names = candidates.filter(({ kills }) => kills === null).map(({ name }) => name)
  if (names.length === 0) return []
  const whose = names.length === candidates.length ? 'No server' : `The server of ${names.join(', ')}`
  return [
    `${whose} was ${names.length === candidates.length ? '' : 'not '}killed in the middle of its writes (bench.kills, or effort standard): that it keeps what it acknowledges rests on its own word.`,
  ]
}

export function notMeasured(result: Result): string[] {
  const { scenario } = result
  const limited = result.trialPlan.operations.filter((each) => each.scaleLimited)
  const stale = scenario.operations.filter((operation) => operation.stalenessMs !== null).map((operation) => operation.name)
  return [
    'One node: no replication, no zone hops, no network beyond loopback, no failover.',
    ...result.candidates.flatMap(({ name, grownShare }) =>
      (grownShare ?? 0) <= 0.1 ? [] : [`${name} ended with ${percent(grownShare ?? 0)} more rows than were loaded.`],
    ),
    ...result.candidates.flatMap(({ name, restores }) =>
      restores === 0
        ? []
        : [
            `${name} was started again ${restores === 1 ? 'once' : `${restores} times`}, on the data as they were after the verification; it was warmed again.`,
          ],
    ),
    ...startsTold(result),
    result.candidates.some((candidate) => candidate.trials.some((trial) => trial.phase === 'maintenance'))
      ? 'maintenance seen: yes, once at the average load.'
      : 'maintenance seen: no. No checkpoint, flush or compaction was forced during a trial.',
    ...neverKilled(result),
    ...limited.map(
      (each) => `${each.name} is scale-limited: it touched ${count(each.rowsLoaded)} rows, in production ${count(each.rowsProduction)}.`,
    ),
    ...unjudged(scenario),
    ...(stale.length > 0 ? [`Staleness was not exercised: ${stale.join(', ')} always read the only copy.`] : []),
  ]
}
