/** Every trial with its validity, and why. */
import type { CandidateResult, TrialResult } from '../result/result.ts'
import { leftOut } from './host-pauses.ts'
import { slowed } from './host-speed.ts'
import { type Block, details, table } from './render/document.ts'
import { count, percent, times } from './render/format.ts'

function validityCounts(all: TrialResult[]): string {
  const counts = new Map<string, number>()
  for (const trial of all) counts.set(trial.validity.verdict, (counts.get(trial.validity.verdict) ?? 0) + 1)
  return [...counts].map(([verdictName, n]) => `${n} ${verdictName}`).join(', ')
}

/** Folded; nothing of a candidate that was never measured. */
export function trialDetails(candidate: CandidateResult): Block[] {
  return candidate.trials.length === 0 ? [] : [details(`${candidate.name}: ${validityCounts(candidate.trials)}`, [trials(candidate)])]
}

function trials(candidate: CandidateResult): Block {
  const rows = candidate.trials.map((trial) => [
    trial.phase,
    trial.arrival.loop === 'open'
      ? `${trial.arrival.multiple === null ? '' : times(trial.arrival.multiple)} (${count(trial.arrival.ratePerSecond ?? 0)}/s)`
      : `${trial.arrival.concurrency} in flight`,
    String(trial.connections),
    `${count(trial.throughputPerSecond)}/s`,
    trial.resources.server?.cpuCores.toFixed(2) ?? '—',
    percent(trial.resources.client.busyShare),
    trial.resources.others?.cpuCores.toFixed(2) ?? '—',
    trial.arrival.loop === 'open' ? trial.outcome : '—',
    trial.validity.verdict,
    [...saturation(trial), ...slowed(trial), ...leftOut(trial), ...trial.validity.reasons].join('; '),
  ])
  return table(
    ['phase', 'load', 'connections', 'done', 'server cores', 'harness busy', 'others cores', 'outcome', 'validity', 'reasons'],
    rows,
    [2, 3, 4, 5, 6],
  )
}

/** Of response times that are as long as the trial lets them become, nothing is told but that. */
const saturation = ({ saturated, backlog }: TrialResult) =>
  saturated ? [`saturated: the backlog grows by ${(backlog ?? 0).toFixed(2)} s per s`] : []
