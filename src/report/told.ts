/** What the sections of a report are written from. */
import type { Decision } from '../assess/decision/decision.ts'
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import type { Assessment } from '../assess/judge/assess.ts'
import type { CandidateResult, Result } from '../result/result.ts'
import type { Block } from './render/document.ts'

export interface Told {
  result: Result
  assessment: Assessment
  /** null: nothing was compared. */
  decision: Decision | null
  /** The charts whose file begins so. */
  charts(prefix: string): Block[]
}

/** Those that a design is written for, the first before the others: who is ranked; where nothing was compared, everybody. */
export function designed({ result: { candidates }, decision }: Pick<Told, 'result' | 'decision'>): CandidateResult[] {
  if (decision === null) return candidates
  return decision.ranking.standings.flatMap(({ name }) => candidates.find((each) => each.name === name) ?? [])
}

/** The others: their models are evidence, and no design. */
export function eliminated(told: Pick<Told, 'result' | 'decision'>): CandidateResult[] {
  const own = new Set(designed(told))
  return told.result.candidates.filter((each) => !own.has(each))
}

/** null: none was planned for it. */
export function planOf({ decision }: Pick<Told, 'decision'>, name: string): CandidatePlan | null {
  return decision?.candidates.find((each) => each.name === name)?.plan ?? null
}
