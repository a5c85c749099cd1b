/** What is known of a candidate's product for its plan: as its result states it, and where that is older, as this version knows it. */
import type { EngineTraits, PlanFacts } from '../engines/engine.ts'
import { engines } from '../engines/registry.ts'
import type { CandidateResult } from '../result.ts'
import type { Shape } from './prices.ts'

/** null where the result states no topology, or too little of an engine that is not known here. */
export function planFactsOf({ engine, traits }: Pick<CandidateResult, 'engine' | 'traits'>): PlanFacts | null {
  const stated = (traits as unknown as Partial<EngineTraits>).plan
  if (stated === undefined) return null
  const known = engines.find((each) => each.name === engine)?.traits.plan
  if (known === undefined) return stated.cacheOfRest === undefined ? null : stated
  return { ...known, ...stated, topology: { ...known.topology, ...stated.topology } }
}

/** Whether it is run on servers so small. */
export const fitsLeast = ({ vcpus, memoryGib }: Pick<Shape, 'vcpus' | 'memoryGib'>, { smallestServer }: PlanFacts) =>
  vcpus >= smallestServer.vcpus && memoryGib >= smallestServer.memoryGib
