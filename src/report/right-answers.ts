/** Whether the answers were right: compared before any timing, judged during the replay, invariants after it. */
import type { Assessment } from '../assess/judge/assess.ts'
import type { Result } from '../result/result.ts'
import { median } from '../stats/median.ts'
import { type Block, code, details, paragraph, table } from './render/document.ts'
import { count, micros } from './render/format.ts'

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
    ...killed(result),
    ...differences,
    ...invariants,
  ]
}

/** What servers that were killed in the middle of their writes had of them afterwards. */
function killed({ candidates }: Result): Block[] {
  const tried = candidates.flatMap(({ name, durability, kills }) => (kills === null ? [] : [{ name, durability, ...kills }]))
  if (tried.length === 0) return []
  return [
    paragraph(
      'After all that is timed each of these servers was killed (SIGKILL) in the middle of its writes and started again on what it left; then the rows that were written meanwhile were read back. This tries what a program that fails loses: what the kernel held of its files was kept, so it tries neither the power supply nor the disk.',
    ),
    table(
      [
        'candidate',
        'durability',
        'times killed',
        'written rows read back',
        'lost',
        'age of the oldest lost write',
        'until it answered again, median',
        'max',
      ],
      tried.map(({ name, durability, times, read, lost, lostWithinSeconds, recoverySeconds }) => [
        name,
        durability,
        count(times),
        count(read),
        count(lost),
        lost === 0 ? '—' : lostWithinSeconds === null ? 'more than 10 s' : `at most ${micros(lostWithinSeconds * 1e6)}`,
        ...recoveryOf(recoverySeconds),
      ]),
      [2, 3, 4, 5, 6, 7],
    ),
  ]
}

/** Median and maximum. */
const recoveryOf = (recoverySeconds: readonly number[]): [string, string] => [
  micros((median(recoverySeconds) ?? 0) * 1e6),
  micros(Math.max(0, ...recoverySeconds) * 1e6),
]

export function recoveryText(recoverySeconds: readonly number[]): string {
  const [middle, max] = recoveryOf(recoverySeconds)
  return `${middle} (median), ${max} (max)`
}
