/** Calls that did nothing because their guard did not hold: no errors, and less work than a write. */
import type { CandidateResult, Result } from '../result/result.ts'
import { isGuarded, type Operation, readsBefore } from '../scenario/scenario.ts'
import { type Block, heading, paragraph, table } from './render/document.ts'
import { count, percent } from './render/format.ts'

/** From this share on times of an operation tell more of refusals than of writes. */
const mostly = 0.5

interface Refused {
  candidate: string
  operation: string
  answered: number
  conflicts: number
  notFound: number
  errors: number
}

export function conflicts({ candidates, scenario }: Pick<Result, 'candidates' | 'scenario'>): Block[] {
  const guarded = scenario.operations.filter(isGuarded)
  const found = candidates.flatMap((candidate) => guarded.flatMap((operation) => refusedOf(candidate, operation)))
  const lost = lostUpdates(scenario.operations)
  if (found.length === 0) return lost
  return [
    ...lost,
    heading(3, 'What guards refused'),
    paragraph(
      'Calls of operations with a guard, in all trials. A conflict did nothing, because the row was not there, did not hold what its guard asks for, or was written since its version was read; it is no error, its time counts as any other.',
    ),
    table(
      ['candidate', 'operation', 'answered', 'conflicts', 'of the answers', 'nothing found', 'errors'],
      found.map((each) => [
        each.candidate,
        each.operation,
        count(each.answered),
        count(each.conflicts),
        percent(each.conflicts / each.answered),
        count(each.notFound),
        count(each.errors),
      ]),
      [2, 3, 4, 5, 6],
    ),
    ...found.filter(({ conflicts: refused, answered }) => refused > mostly * answered).map(warning),
  ]
}

function lostUpdates(operations: Operation[]): Block[] {
  const names = operations.filter((operation) => readsBefore(operation) && !isGuarded(operation)).map(({ name }) => name)
  if (names.length === 0) return []
  return [
    heading(3, 'Updates that may be lost'),
    paragraph(
      `${names.join(', ')}: each call reads a row and then writes it, without asking whether it is still what was read (atomic: false). Of two that overlap on one row the later write wins, and what the other wrote is lost; the scenario allows that, and no check counts it.`,
    ),
  ]
}

function refusedOf({ name, trials }: CandidateResult, { name: operation }: Operation): Refused[] {
  const refused: Refused = { candidate: name, operation, answered: 0, conflicts: 0, notFound: 0, errors: 0 }
  for (const trial of trials) {
    const own = trial.operations[operation]
    if (own === undefined) continue
    refused.answered += own.ok + own.miss + own.conflict
    refused.conflicts += own.conflict
    refused.notFound += own.miss
    refused.errors += Object.values(own.errors).reduce((sum, each) => sum + each, 0)
  }
  return refused.answered === 0 ? [] : [refused]
}

const warning = ({ candidate, operation, conflicts: refused, answered }: Refused) =>
  paragraph(
    `${operation} on ${candidate}: ${percent(refused / answered)} of its answers are conflicts, so its times tell more of refusals than of writes. Rows that hold more, or another pick, would tell of writes.`,
  )
