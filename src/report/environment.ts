/** The conditions of a run: where the servers ran and under which limits, the machine, the time of each phase. */

import { bytes } from '../assess/figures/amount.ts'
import { markedName } from '../assess/judge/cautions.ts'
import { busyText } from '../host/busy.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import { pausesLine } from './host-pauses.ts'
import { speedLine } from './host-speed.ts'
import { type Block, details, list, table } from './render/document.ts'
import { count, micros, seconds } from './render/format.ts'

/** Its trials belong to more starts of its server than the last process made: an earlier one made the others. */
export function isResumed({ trials, restores, restarts }: Pick<CandidateResult, 'trials' | 'restores' | 'restarts'>): boolean {
  return new Set(trials.map(({ start }) => start)).size > 1 + restores + restarts.length
}

/** What follows from the limits is nothing that a server with unknown limits promised. */
export function isUnknownLimit(candidate: CandidateResult, parity: CandidateResult['parity'][number]): boolean {
  return parity.sizing === true && candidate.provision?.kind === 'external'
}

export function environment(result: Result): Block[] {
  const { host, calibration } = result
  const servers = result.candidates.flatMap((candidate) => {
    const { provision } = candidate
    return provision === null
      ? []
      : [
          [
            markedName(candidate),
            provision.version,
            `${provision.kind}: ${provision.origin}`,
            provision.cores.length === 0 ? 'unknown' : `${provision.limits.cpus} CPU (${provision.enforced.cpu}, core ${provision.cores.join(', ')})`,
            provision.enforced.memory === 'unknown' ? 'unknown' : `${bytes(provision.limits.memoryBytes)} (${provision.enforced.memory})`,
          ],
        ]
  })
  const phases = result.trialPlan.phases.map((phase) => [phase.name, seconds(phase.predictedSeconds), seconds(phase.actualSeconds)])
  const restarts = result.candidates.flatMap((candidate) =>
    candidate.restarts.map((each) => `${candidate.name} was started again once, on its data: ${each.reason}`),
  )
  const resumed = result.candidates.some(isResumed)
    ? ['the run was interrupted and continued: its trials belong to starts of the servers before and after']
    : []
  const speed = speedLine(result)
  return [
    list([
      `dbtrial ${result.dbtrial}, Node ${host.node}, ${host.platform}, Linux ${host.kernel}`,
      `${host.cores} cores (${host.cpu}), ${bytes(host.memoryBytes)} of memory; the harness ran on core ${host.harnessCores.join(', ')}${host.harnessPinned ? '' : ', not pinned'}`,
      pausesLine(result),
      ...(speed === null ? [] : [speed]),
      ...(result.scenario.bench.security === 'on'
        ? [
            'security was on: connections over TLS, operations from a role that may read and write rows; what each server says of it is among the promises',
          ]
        : []),
      ...restarts,
      ...resumed,
      ...(calibration === null
        ? []
        : [
            ...(calibration.busy === null ? [] : [`before anything was measured the machine was busy: ${busyText(calibration.busy)}`]),
            `writing and syncing 8 KiB took ${micros(calibration.fsyncUs.p50)} (median), ${micros(calibration.fsyncUs.p99)} at worst of ${calibration.fsyncUs.samples}; idle, others used ${calibration.idleBaselineCores.toFixed(2)} cores; with an engine that answers at once the harness reaches ${count(calibration.harness.operationsPerSecond)} operations per second`,
          ]),
    ]),
    table(['candidate', 'version', 'server', 'CPU (how enforced)', 'memory (how enforced)'], servers),
    details('Predicted and actual time of each phase', [table(['phase', 'predicted', 'actual'], phases, [1, 2])]),
  ]
}
