/** What failed during the trials: calls, by what went wrong, in the same words for every engine; and what failed beside them. */
import type { CandidateResult, Result } from '../result/result.ts'
import { type Block, heading, list, paragraph, table } from './render/document.ts'
import { count } from './render/format.ts'

export function failures({ candidates }: Pick<Result, 'candidates'>): Block[] {
  const rows = candidates.flatMap(failedCalls)
  const beside = candidates.flatMap(({ name, otherFailures }) => otherFailures.map((each) => `${name}: ${sentenceOf(each)}`))
  if (rows.length + beside.length === 0) return []
  return [
    heading(3, 'What failed'),
    ...(rows.length === 0
      ? []
      : [
          paragraph(
            'Calls that ended with an error, in all trials, broken and noisy ones included. A call that failed misses every objective of its operation.',
          ),
          table(['candidate', 'operation', 'what went wrong', 'as the server calls it', 'calls', 'trials'], rows, [4, 5]),
        ]),
    ...(beside.length === 0 ? [] : [list(beside)]),
  ]
}

function failedCalls({ name, trials }: CandidateResult): string[][] {
  const found = new Map<string, { operation: string; code: string; detail: string; calls: number; trials: number }>()
  for (const trial of trials)
    for (const [operation, { errors, errorDetails }] of Object.entries(trial.operations))
      for (const [code, calls] of Object.entries(errors)) {
        const key = `${operation} ${code}`
        const own = found.get(key) ?? { operation, code, detail: '', calls: 0, trials: 0 }
        own.calls += calls
        own.trials++
        own.detail ||= errorDetails[code] ?? ''
        found.set(key, own)
      }
  return [...found.values()]
    .sort((a, b) => b.calls - a.calls)
    .map(({ operation, code, detail, calls, trials: of }) => [name, operation, code, detail === '' ? '—' : detail, count(calls), String(of)])
}

function sentenceOf({ what, reason, times }: CandidateResult['otherFailures'][number]): string {
  const often = times === 1 ? '' : ` (${times} times)`
  if (what === 'purge') return `${reason}${often}: expired rows stayed, and the trial counts for nothing`
  return `no snapshot could be taken after the verification: ${reason}${often}; the server was not started anew on it, and its rows grew on from trial to trial`
}
