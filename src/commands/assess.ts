/** `dbtrial assess RESULT…`: the verdict and the plan of saved results, with other weights, prices or wishes; offline. */

import { readPrices } from '../assess/cost/prices.ts'
import { assumedBy, withAssumed } from '../assess/decision/assume.ts'
import { type DecisionOptions, decide, verdictOf } from '../assess/decision/decision.ts'
import { applyWhatIf, type WhatIf, weightsAsked } from '../assess/decision/what-if.ts'
import { explain } from '../assess/figures/explain.ts'
import { agreementOf } from '../assess/judge/agreement.ts'
import { type Assessment, assess } from '../assess/judge/assess.ts'
import { marking } from '../assess/judge/cautions.ts'
import { poolResults } from '../assess/judge/pool.ts'
import { TrialError } from '../errors.ts'
import { type Result, readResult } from '../result/result.ts'
import { changesText } from '../terminal/changes.ts'
import { decisionScreen } from '../terminal/decision.ts'
import { pooledText } from '../terminal/pooled.ts'
import { coloured } from '../terminal/style.ts'
import { summaryText } from '../terminal/tables.ts'
import { assessedEnding, end, findingsOf } from './ending.ts'
import { print } from './output.ts'
import { resultPath } from './runs.ts'

export interface AssessOptions extends WhatIf {
  assume?: string
  prices?: string
  explain?: string
  json?: boolean
  failOn: string
  out: string
}

export function assessCommand(arguments_: string[], options: AssessOptions): void {
  const failOn = findingsOf(options.failOn)
  const runs = arguments_.map((argument) => readResult(resultPath(argument, options.out)))
  const pooled = runs.length > 1 ? poolResults(runs) : null
  const before = pooled?.result ?? (runs[0] as Result)
  const result = applyWhatIf(before, options)
  const optionsOf = (run: Result): Omit<DecisionOptions, 'today'> => ({
    catalogues: readPrices(options.prices),
    weights: weightsAsked(options.weights, run.scenario),
  })
  // What calls take on the rows of production is assumed, too.
  const { assessment, decided } = withAssumed(assumedBy(options.assume), () => {
    const assessment = assess(result)
    return { assessment, decided: decideIfCompared(result, assessment, optionsOf(result)) }
  })
  if (options.explain !== undefined) {
    if (decided === null)
      throw new TrialError('nothing-planned', `--explain ${options.explain}: ${notCompared(result)}`, {
        hint: 'run with --effort quick or above',
        exitCode: 2,
      })
    print(explain(decided.explainable, options.explain))
    return
  }
  const decision = decided?.decision ?? null
  // Each run by itself, with the same wishes: would the next one have said something else?
  const alone = (pooled?.runs ?? []).map((run) => applyWhatIf(run, options))
  const agreement =
    pooled === null
      ? null
      : agreementOf(
          alone,
          withAssumed(assumedBy(options.assume), () => alone.map((run) => decideIfCompared(run, assess(run), optionsOf(run))?.decision ?? null)),
          pooled.numbers,
        )
  if (options.json === true)
    print(JSON.stringify({ ...assessment, decision, ...(pooled === null ? {} : { runs: pooled.numbers, speed: pooled.speed, agreement }) }, null, 2))
  else {
    const changes = decision === null || !asksWhatIf(options) ? '' : `${changesText(verdictBefore(before), decision)}\n\n`
    const planned = decision === null ? `No verdict: ${notCompared(result)}.` : decisionScreen(decision, result)
    const together =
      pooled === null || agreement === null ? '' : `${pooledText(pooled.numbers, agreement, pooled.speed, marking(result.candidates))}\n\n`
    print(coloured(`${changes}${together}${summaryText(result, assessment)}\n\n${planned}`))
  }
  end(assessedEnding(result, assessment, failOn))
}

const notCompared = ({ status }: Result) =>
  `this result ${status === 'complete' ? 'has no response curve' : 'is of an interrupted run'}, so nothing was planned`

const asksWhatIf = ({ weights, peak, growth, horizon, budget, prices, assume }: AssessOptions) =>
  [weights, peak, growth, horizon, budget, prices, assume].some((each) => each !== undefined)

const completed = (options: Partial<DecisionOptions> = {}): DecisionOptions => ({
  weights: {},
  today: new Date(),
  ...options,
  catalogues: options.catalogues ?? readPrices(),
})

/** With none of the wishes. */
const verdictBefore = (before: Result) => (isCompared(before) ? verdictOf(before, assess(before), completed()) : null)

/** Smoke runs, and those that were interrupted, decide nothing. */
const isCompared = ({ status, candidates }: Result) =>
  status === 'complete' && candidates.some((candidate) => candidate.trials.some((trial) => trial.phase === 'curve'))

/** null where nothing was compared. */
export function decideIfCompared(result: Result, assessment: Assessment, options?: Partial<DecisionOptions>): ReturnType<typeof decide> | null {
  return isCompared(result) ? decide(result, assessment, completed(options)) : null
}
