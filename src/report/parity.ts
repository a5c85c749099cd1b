/** The same promise of all servers: what was asked, what was set, what each says that it runs with. */
import type { CandidateResult } from '../result/result.ts'
import { isUnknownLimit } from './environment.ts'
import { type Block, details, table } from './render/document.ts'

export function parity(candidate: CandidateResult): Block[] {
  if (candidate.parity.length === 0) return []
  const bad = candidate.parity.filter((each) => !each.ok && !isUnknownLimit(candidate, each)).length
  return [
    details(`${candidate.name}, durability ${candidate.durability}: ${bad === 0 ? 'all as asked' : `${bad} not as asked`}`, [
      table(
        ['what', 'asked', 'set', 'effective', ''],
        candidate.parity.map((each) => [
          each.what,
          each.asked,
          each.set,
          each.effective,
          each.ok ? '✓' : isUnknownLimit(candidate, each) ? '—' : '✗',
        ]),
      ),
    ]),
  ]
}
