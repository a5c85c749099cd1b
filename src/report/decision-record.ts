/** The decision alone, as a record beside the code: Nygard, "Documenting Architecture Decisions", 2011: status, context, decision, consequences. */
import type { Decision } from '../assess/decision/decision.ts'
import { firstScreen } from './first-screen.ts'
import { headline } from './headline.ts'
import { inShort } from './in-short.ts'
import { notMeasured } from './not-measured.ts'
import { recommendation } from './recommendation.ts'
import { type Block, type Document, heading, list, paragraph } from './render/document.ts'
import { count, percent } from './render/format.ts'
import { requirementsTable } from './sections/requirements.ts'
import { designed, type Told } from './told.ts'
import { decided, reasonOut } from './verdict.ts'

export function decisionRecord(told: Told): Document {
  const { result, assessment, decision } = told
  const { scenario, trialPlan, startedAt, seed } = result
  const short = inShort(told)
  return [
    heading(1, titleOf(told)),
    heading(2, 'Status'),
    paragraph(
      `Proposed, by a run of ${startedAt.slice(0, 10)} (effort ${trialPlan.effort}, seed ${seed}, ${count(trialPlan.rows)} rows, ${Number((trialPlan.share * 100).toPrecision(2))} % of production).`,
    ),
    heading(2, 'Context'),
    paragraph(scenario.summary),
    requirementsTable(scenario.requirements),
    heading(2, 'Options'),
    ...optionBlocks(told),
    heading(2, 'Decision'),
    ...recommendation(told),
    ...firstScreen(told),
    { kind: 'callout', ...headline(result, assessment) },
    ...(decision === null ? [paragraph('Nothing was compared, so nothing is proposed.')] : [decided(decision)]),
    ...(short.length === 0 ? [] : [heading(2, 'Consequences'), ...short]),
    heading(2, 'What it does not rest on'),
    list(notMeasured(result)),
  ]
}

function titleOf(told: Told): string {
  const { decision, result } = told
  const winner = decision?.ranking.winner ?? (decision?.ranking.standings.length === 1 ? decision.ranking.standings[0]?.name : null)
  return `${result.scenario.name}: ${winner == null ? 'which database, undecided' : `${winner} as its database`}`
}

function optionBlocks(told: Told): Block[] {
  const { decision, result } = told
  if (decision === null) return [list(result.candidates.map(({ name }) => name))]
  const ranked = designed(told).map(({ name }) => standingText(decision, name))
  const out = decision.candidates.filter((each) => each.out).map((each) => `${each.marked} ${reasonOut(each)}`)
  return [list([...ranked, ...out])]
}

function standingText({ ranking, candidates }: Decision, name: string): string {
  const standing = ranking.standings.find((each) => each.name === name)
  const marked = candidates.find((each) => each.name === name)?.marked ?? name
  const [first] = standing?.rankShares ?? []
  return `${marked}: rank ${standing?.rank}${first === undefined ? '' : `, first in ${percent(first)} of the draws`}`
}
