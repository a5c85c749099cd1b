/** What the official driver costs beside the wire client: CPU per operation, latency, and what one core of clients can reach through it. */
import type { CandidateResult, Result, TrialResult } from '../result/result.ts'
import { type Block, paragraph, table } from './render/document.ts'
import { count, micros } from './render/format.ts'

export function driverTax({ candidates }: Result): Block[] {
  const rows = candidates.flatMap((candidate) => {
    const other = candidate.trials.find((trial) => trial.phase === 'tax')
    const own = candidate.trials.find((trial) => trial.phase === 'sweep' && trial.connections === other?.connections)
    if (other === undefined || own === undefined) return []
    const [wire, driver] = own.client === 'wire' ? [own, other] : [other, own]
    return [rowOf(candidate, wire, driver)]
  })
  if (rows.length === 0) return []
  return [
    paragraph(
      'The same mix at the lowest concurrency of the sweep, through the wire client and through the official driver. An application pays the driver, the server does not see it: capacities are those of the wire client.',
    ),
    table(
      [
        'candidate',
        'CPU per operation, wire',
        'driver',
        'times',
        'service p50, wire',
        'driver',
        'added by the driver',
        'one core of driver clients reaches',
      ],
      rows,
      [1, 2, 3, 4, 5, 6, 7],
    ),
  ]
}

function rowOf(candidate: CandidateResult, wire: TrialResult, driver: TrialResult): string[] {
  const [ours, theirs] = [wire, driver].map((trial) => trial.resources.client.cpuUsPerOperation) as [number | null, number | null]
  const [fast, slow] = [wire, driver].map(serviceUs) as [number, number]
  return [
    candidate.name,
    ours === null ? '—' : micros(ours),
    theirs === null ? '—' : micros(theirs),
    ours === null || theirs === null ? '—' : `${(theirs / ours).toFixed(1)}×`,
    micros(fast),
    micros(slow),
    micros(Math.max(0, slow - fast)),
    theirs === null ? '—' : `${count(1e6 / theirs)} operations/s`,
  ]
}

/** Median service times of the operations, averaged by how often they ran. */
function serviceUs(trial: TrialResult): number {
  const all = Object.values(trial.operations).map(({ serviceUs: { count: samples, p50 } }) => ({ samples, p50 }))
  const samples = all.reduce((sum, each) => sum + each.samples, 0)
  return samples === 0 ? 0 : all.reduce((sum, each) => sum + each.samples * each.p50, 0) / samples
}
