/** The least server that a product is run on in production. */
import type { PlanFacts } from '../../engines/engine.ts'
import type { Shape } from '../cost/prices.ts'

export const fitsLeast = ({ vcpus, memoryGib }: Pick<Shape, 'vcpus' | 'memoryGib'>, { smallestServer }: PlanFacts) =>
  vcpus >= smallestServer.vcpus && memoryGib >= smallestServer.memoryGib
