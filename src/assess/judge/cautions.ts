/** What a candidate's numbers stand for, where that is not what production would run: another major version, less than its maker asks for, a server that was not warm, a harness that was slower, or a driver in between. */

import type { CandidateResult, Result } from '../../result/result.ts'
import { isClientBound } from '../capacity/capacity.ts'
import { bytes } from '../figures/amount.ts'
import { measuredThrough } from './own-evidence.ts'

/** Stands behind the name of such a candidate wherever its numbers are compared. */
export const cautionMark = ' †'

interface Caution {
  /** For a headline. */
  short: string
  whole: string
}

/** Without the candidate's name. */
function cautionsOf(candidate: CandidateResult): Caution[] {
  const { provision, traits, steady } = candidate
  if (provision === null) return []
  const { pinned, minimum } = traits
  const { version, limits } = provision
  const cautions: Caution[] = []
  if (pinned !== undefined && /\d+/.exec(version)?.[0] !== pinned)
    cautions.push({
      short: `ran as version ${version}, not ${pinned}`,
      whole: `ran as version ${version}, another major than ${pinned}, for which this dbtrial is made: its numbers are not those of ${pinned}.`,
    })
  // The limits of a server that somebody else runs are not known.
  if (minimum !== null && provision.kind !== 'external' && (limits.cpus < minimum.cpus || limits.memoryBytes < minimum.memoryBytes)) {
    const size = (cpus: number, memoryBytes: number) =>
      `${cpus} core${cpus === 1 ? '' : 's'}${minimum.memoryBytes > 0 ? ` and ${bytes(memoryBytes)}` : ''}`
    cautions.push({
      short: "ran below its maker's minimum",
      whole: `ran with ${size(limits.cpus, limits.memoryBytes)}, below its maker's minimum of ${size(minimum.cpus, minimum.memoryBytes)} (${minimum.source}): its numbers are not those of a server that its maker supports.`,
    })
  }
  if (steady !== null && !steady.reached)
    cautions.push({
      short: 'was still becoming faster when it was measured',
      whole: `never became level: its throughput still changed after ${Math.round(steady.warmedSeconds)} s of warming. What it does at most is not known: its capacities are lower bounds.`,
    })
  if (isClientBound(candidate))
    cautions.push({
      short: 'had client-bound closed loops only',
      whole:
        'was less busy than the harness in its closed loops (client-bound): its saturation is a lower bound, and what it does at most is not known.',
    })
  if (measuredThrough(candidate) === 'driver')
    cautions.push({
      short: 'was measured through its driver',
      whole:
        'was measured through its driver, whose work is in its times and may have been in its way: its capacities are lower bounds, and rank it beside no candidate that has a wire client.',
    })
  return cautions
}

/** The name, marked where there is something to know about its numbers. */
export const markedName = (candidate: CandidateResult) => `${candidate.name}${cautionsOf(candidate).length > 0 ? cautionMark : ''}`

/** Of tables and sentences that know a name alone. */
export const marking =
  (candidates: readonly CandidateResult[]) =>
  (name: string): string => {
    const own = candidates.find((each) => each.name === name)
    return own === undefined ? name : markedName(own)
  }

/** One sentence for each. */
export function cautionNotes({ candidates }: Pick<Result, 'candidates'>): string[] {
  return candidates.flatMap((candidate) => cautionsOf(candidate).map(({ whole }) => `${candidate.name}${cautionMark} ${whole}`))
}

/** All of them in one sentence; '' where there is none. */
export function cautionLine({ candidates }: Pick<Result, 'candidates'>): string {
  const each = candidates.flatMap((candidate) => {
    const own = cautionsOf(candidate)
    return own.length === 0 ? [] : [`${candidate.name}${cautionMark} ${own.map(({ short }) => short).join(' and ')}`]
  })
  return each.length === 0 ? '' : `Beside every number: ${each.join('; ')}.`
}
