/** What a result states of a candidate's product for its plan. */
import type { EngineTraits, PlanFacts } from '../../engines/engine.ts'
import type { CandidateResult } from '../../result/result.ts'
import type { Shape } from '../cost/prices.ts'

/** null where an earlier dbtrial wrote the result, which stated less. */
export function planFactsOf({ traits }: Pick<CandidateResult, 'traits'>): PlanFacts | null {
  const stated = (traits as unknown as Partial<EngineTraits>).plan
  return stated?.cacheOfRest === undefined ? null : stated
}

/** Whether it is run on servers so small. */
export const fitsLeast = ({ vcpus, memoryGib }: Pick<Shape, 'vcpus' | 'memoryGib'>, { smallestServer }: PlanFacts) =>
  vcpus >= smallestServer.vcpus && memoryGib >= smallestServer.memoryGib
