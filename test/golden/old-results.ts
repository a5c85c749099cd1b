/** Results of three runs of one day, written by an earlier dbtrial, in the form of today: its search becomes one response curve. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { capacityOf } from '../../src/assess/capacity/capacity.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { type Result, resultSchema } from '../../src/result/result.ts'

export const oldCommits = ['27b5245', 'a1f1272', '45446c0'] as const

type Trial = Result['candidates'][number]['trials'][number]
/** Single steps of what was then a search: rates like any other. */
const steps = new Set<string>(['search', 'capacity', 'below-capacity'])
/** Of the offered rate: a server that does less is behind for good. */
const keptUp = 0.95

export function oldResult(commit: (typeof oldCommits)[number]): Result {
  const result = JSON.parse(gunzipSync(readFileSync(new URL(`old/${commit}.json.gz`, import.meta.url))).toString()) as Result
  const { operations } = result.scenario
  // All entities shared one share of production's rows.
  result.trialPlan.shares = {}
  for (const candidate of result.candidates) {
    candidate.trials = candidate.trials.map(trialOf)
    // What a product can and what it needs are facts of today, not of that day's knowledge.
    candidate.traits = JSON.parse(JSON.stringify(engineNamed(candidate.engine).traits))
    const mix = new Set(candidate.compiled.map((each) => each.operation))
    const evidence = { trials: candidate.trials.filter((trial) => trial.mix !== 'common'), operations, mix, scaleLimited: new Set<string>() }
    candidate.capacity = capacityOf(evidence, candidate.mix, candidate.provision?.limits.cpus ?? 1)
  }
  return resultSchema.parse(result)
}

function trialOf(trial: Trial): Trial {
  const { arrival, validity } = trial
  const open = arrival.loop === 'open' && arrival.ratePerSecond !== null
  return {
    ...trial,
    slowdown: 1,
    phase: steps.has(trial.phase) ? 'curve' : trial.phase,
    // Reasons name the operation that the harness was late for; one that names none was about the harness as a whole.
    validity: { ...validity, clientBound: validity.verdict === 'client-bound' ? lateIn(trial) : [] },
    saturated: open && trial.throughputPerSecond < keptUp * (arrival.ratePerSecond as number),
  }
}

function lateIn({ validity, operations }: Trial): string[] {
  const names = Object.keys(operations)
  const named = names.filter((name) => validity.reasons.some((reason) => reason.startsWith(`${name}: `)))
  return named.length < validity.reasons.length ? names : named
}
