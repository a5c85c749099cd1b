/** Which rows were asked for: the share of the rows that a law draws most, as it is and as it was realised, and whether all candidates were asked for the same. */
import type { CandidateResult, Result, TrialResult } from '../result/result.ts'
import { pickedByAge } from './picked-by-age.ts'
import { type Block, paragraph, table } from './render/document.ts'
import { percent } from './render/format.ts'

export function workload(result: Result): Block[] {
  const { candidates } = result
  const names = [...new Set(candidates.flatMap(({ trials }) => trials.flatMap(({ realised }) => Object.keys(realised.askedSkew))))]
  if (names.length === 0) return []
  const rows = names.map((name) => [
    name,
    share(
      candidates.flatMap(({ trials }) => trials),
      name,
      'askedSkew',
    ),
    ...candidates.map(({ trials }) => share(trials, name, 'skew')),
  ])
  return [
    paragraph(
      `Rows are drawn by seed and schedule alone, never by what a server answered. Of 1,024 buckets of rows: the share of the draws that the law gives to its heaviest, and that it got in all trials of a candidate. A trial whose draws differ from their law (χ² over all buckets, a false alarm in less than one of 10,000 trials) is broken. ${sameness(candidates)}`,
    ),
    table(['operation', 'asked', ...candidates.map(({ name }) => name)], rows, rows[0]?.map((_, column) => column).slice(1) ?? []),
    ...pickedByAge(result),
  ]
}

/** Over the draws of all trials that drew. */
function share(trials: TrialResult[], name: string, of: 'skew' | 'askedSkew'): string {
  let [sum, draws] = [0, 0]
  for (const { realised, operations, validity } of trials) {
    const own = realised[of][name]
    if (own === undefined || validity.verdict === 'broken') continue
    const { attempts } = operations[name] as { attempts: number }
    sum += own * attempts
    draws += attempts
  }
  return draws === 0 ? '—' : percent(sum / draws)
}

function sameness(candidates: CandidateResult[]): string {
  const trials = Map.groupBy(
    candidates.flatMap(({ name, trials: own }) => own.map((trial) => ({ name, trial }))),
    // Who cannot do everything gets the rest at the same rates.
    ({ trial: { phase, mix, client, repeat, arrival } }) => JSON.stringify([phase, mix === 'common', client, repeat, arrival.multiple]),
  )
  let compared = 0
  const different: string[] = []
  for (const group of trials.values()) {
    const open = group.filter(({ trial }) => trial.arrival.loop === 'open' && trial.arrival.multiple !== null && trial.validity.verdict !== 'broken')
    const operations = new Set(open.flatMap(({ trial }) => Object.keys(trial.realised.askedSkew)))
    for (const operation of operations) {
      const whole = open.filter(({ trial }) => operation in trial.realised.skew && trial.operations[operation]?.dropped === 0)
      if (new Set(whole.map(({ name }) => name)).size < 2) continue
      compared++
      const shares = whole.map(({ trial }) => trial.realised.skew[operation] as number)
      if (Math.max(...shares) - Math.min(...shares) > 1e-12)
        different.push(
          `${operation} at ${whole[0]?.trial.arrival.multiple}×: ${whole.map(({ name }, at) => `${name} ${percent(shares[at] as number)}`).join(', ')}`,
        )
    }
  }
  if (compared === 0) return ''
  if (different.length === 0)
    return `Where candidates got the same rate, and nothing was dropped, their shares are equal: compared ${compared} times.`
  return `Candidates that got the same rate were not asked for the same ${different.length} of ${compared} times, first ${different.slice(0, 3).join('; ')}.`
}
