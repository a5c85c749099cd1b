/** What the host took of a run by pausing the server's cores: the share of each candidate's windows that was left out, or why nobody saw it. */
import type { CandidateResult, Result, TrialResult } from '../result/result.ts'
import { percent } from './render/format.ts'

/** Of all trials of all candidates, one sentence. */
export function pausesLine({ host, candidates }: Pick<Result, 'host' | 'candidates'>): string {
  const watched = candidates.filter(({ trials }) => trials.some(({ hostPauses }) => hostPauses !== null))
  if (watched.length === 0) return `pauses of the host on the server’s cores were not seen: ${host.pausesUnseen ?? 'no trial was watched'}`
  return `pauses of the host on the server’s cores: ${watched.map(ofCandidate).join('; ')}`
}

function ofCandidate({ name, trials }: CandidateResult): string {
  const all = trials.flatMap(({ hostPauses }) => hostPauses ?? [])
  const total = (of: (each: (typeof all)[number]) => number) => all.reduce((sum, each) => sum + of(each), 0)
  const count = total((each) => each.count)
  const leftOut = total((each) => each.windowsLeftOut)
  const limits = [...new Set(all.flatMap((each) => each.limitMs ?? []))].sort((a, b) => a - b)
  const longest = Math.max(...all.map((each) => each.longestMs))
  const seen = count === 0 ? `none above ${limits.join(' or ')} ms` : `${count} above ${limits.join(' or ')} ms, the longest ${longest.toFixed(1)} ms`
  return `${name} ${seen}, ${percent(leftOut / total((each) => each.windows))} of its windows left out`
}

/** Of one trial, beside its reasons. */
export const leftOut = ({ hostPauses }: Pick<TrialResult, 'hostPauses'>): string[] =>
  hostPauses === null || hostPauses.windowsLeftOut === 0
    ? []
    : [
        `${hostPauses.windowsLeftOut} of ${hostPauses.windows} windows left out: the host paused the server’s cores for up to ${hostPauses.longestMs.toFixed(1)} ms`,
      ]
