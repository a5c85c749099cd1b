/** The trial plan as a result holds it: of what types call `TrialPlan` that which a reader builds on; the rest is kept as it was written. */
import { z } from 'zod'
import { efforts } from '../scenario/scenario.ts'
import { count, nullable, number, open, positive, share, text } from './scalars.ts'

export const trialPlan = open({
  effort: z.enum(efforts),
  client: z.enum(['wire', 'driver']).optional().describe('what the replay sent through'),
  share: share.gt(0).describe('of all rows in production'),
  shares: z.record(text, share.gt(0)).default({}).describe('of each entity: loaded share of its production rows'),
  rows: count,
  budget: open({ starts: count.default(1).describe('of each server, on the same data') }),
  multiples: z.array(positive.max(1e6)).describe('of the average load, which are confirmed'),
  operations: z.array(
    open({
      name: text,
      rowsLoaded: count.describe('that one call touched in the trials'),
      rowsProduction: count,
      scaleLimited: z.boolean().describe('touches more than 2× fewer rows than in production: can refute an objective, not prove it'),
    }),
  ),
  data: nullable(open({ loadedBytes: count, productionBytes: count, memoryBytes: positive }))
    .default(null)
    .describe('null: an earlier dbtrial did not tell'),
  phases: z.array(open({ name: text, predictedSeconds: number, actualSeconds: nullable(number) })),
  warnings: z.array(text),
})
