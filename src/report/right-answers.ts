/** Whether the answers were right: compared before any timing, judged during the replay, invariants after it. */
import type { Assessment } from '../assess/judge/assess.ts'
import type { Result } from '../result/result.ts'
import { type Block, code, details, paragraph, table } from './render/document.ts'
import { count } from './render/format.ts'

export function rightAnswers(result: Result, assessment: Assessment): Block[] {
  const rows = result.candidates.map((candidate, index) => {
    const judged = candidate.trials.reduce((sum, trial) => sum + Object.values(trial.operations).reduce((own, each) => own + each.wrong, 0), 0)
    const broken = assessment.candidates[index]?.brokenInvariants ?? []
    return [
      candidate.name,
      count(candidate.verification.checked),
      String(candidate.verification.wrong),
      String(judged),
      candidate.invariants.length === 0 ? '—' : broken.length === 0 ? `all ${candidate.invariants.length} ok` : `broken: ${broken.join(', ')}`,
    ]
  })
  const invariants = result.candidates.flatMap((candidate) =>
    candidate.invariants.length === 0
      ? []
      : [
          details(`${candidate.name}: invariants after the replay`, [
            table(
              ['invariant', '', 'detail'],
              candidate.invariants.map((each) => [each.name, each.ok ? '✓' : '✗', each.detail]),
            ),
          ]),
        ],
  )
  const differences = result.candidates.flatMap((candidate) =>
    candidate.verification.differences.map((each) =>
      code('', `${candidate.name} ${each.operation}(${each.parameters})\nexpected ${each.expected}\ngot      ${each.got}`),
    ),
  )
  return [
    paragraph(
      'Before any timing, the same operations ran on an in-memory reference and on each candidate, and every answer was compared exactly. During the replay one answer in a thousand was kept and judged; afterwards the invariants were checked.',
    ),
    table(['candidate', 'answers compared', 'wrong', 'wrong during the replay', 'invariants'], rows, [1, 2, 3]),
    ...differences,
    ...invariants,
  ]
}
