/**
 * What a run found, as its result holds it: of what types call `Assessment` and `Decision` that which a reader builds on; the rest is kept as it
 * was written. Written by `run` for who reads the file; dbtrial itself finds it anew each time.
 */
import { z } from 'zod'
import { nullable, number, open, text } from './scalars.ts'

const texts = z.array(text)
const mix = z.enum(['full', 'partial'])
const spread = open({ p10: number, p50: number, p90: number }).meta({ id: 'spread' })
const interval = open({ low: number, mid: number, high: number, confidence: number }).meta({ id: 'interval' })

/** How one operation fared at one multiple, over all trials there. */
const cell = open({
  operation: text,
  outcome: z.enum(['met', 'missed', 'undetermined', 'excused', 'not run']),
  intended: number,
  errors: number,
  dropped: number,
  p50Us: nullable(number),
  p99Us: nullable(number),
  backlog: nullable(number).describe('seconds by which the backlog grows per second; null: no trial was saturated'),
  p50IntervalUs: nullable(interval).describe('by how the starts differ, 95 %; null: fewer than three'),
  p99IntervalUs: nullable(interval),
  scaleLimited: z.boolean(),
  undecided: z.union([z.literal(false), z.enum(['sample', 'late', 'few', 'scale'])]).describe('why it was tested and is neither met nor missed'),
  atScale: nullable(open({ operation: text, limitMs: number, now: spread, probabilityNow: number })).describe(
    'seconds on the rows of production; null: they are within the limit, or as many as were measured',
  ),
})
const atMultiple = open({
  multiple: number,
  outcome: z.enum(['met', 'missed', 'undetermined', 'not run']),
  missed: texts,
  notTested: texts,
  rounds: number,
  validRounds: number,
  cells: z.array(cell),
}).meta({ id: 'atMultiple' })
const loadShare = open({ multiple: number, share: number })
const assessed = open({
  name: text,
  mix,
  failure: nullable(text),
  wrong: number.describe('answers'),
  brokenInvariants: texts,
  at: z.array(atMultiple),
  tried: nullable(
    open({
      lowest: number,
      highest: number,
      rates: number,
      rounds: number,
      holdsAtLowest: number.describe('probability'),
      isLight: z.boolean().default(false).describe('whether the lightest rate is so light that what is late there is late under any load'),
      binding: text,
      shares: nullable(z.tuple([loadShare, loadShare])),
    }),
  ).describe('the rates that its capacity rests on; null: no response curve'),
  unloaded: z
    .array(open({ operation: text, objective: text, limitMs: number, multiple: number, share: number, flushMs: nullable(number) }))
    .describe('objectives that are missed at any load'),
  common: z.array(atMultiple).describe('with the operations that all candidates can do; empty where all can do all'),
})
const comparison = open({
  multiple: number,
  operation: text,
  mix: z.enum(['full', 'partial', 'common']),
  first: text,
  second: text,
  ratio: open({ interval, belowOne: number }).describe('p99 response of the second over that of the first'),
  verdict: z.enum(['faster', 'slower', 'tie']).describe('of the second'),
})

const constraint = open({
  name: text,
  asked: text,
  planned: text,
  probability: nullable(number).describe('that it holds'),
  state: z.enum(['holds', 'condition', 'open', 'out']),
  evidence: text,
  condition: nullable(open({ operations: texts, probability: number })),
})
const fleet = open({
  month: number,
  servers: number,
  shape: text,
  parts: number,
  volumeGb: number,
  coordinators: text,
  bound: text,
  connections: spread,
  total: spread.describe('USD a month'),
}).meta({ id: 'fleet' })
const plan = open({
  topology: text,
  how: text,
  carried: spread.describe('multiple of today’s average load that one server of the bench carries'),
  fleet: open({ now: fleet, horizon: fleet }),
  usdPerMonth: open({ now: spread, horizon: spread, months: z.array(open({ month: number, p10: number, p50: number, p90: number })) }),
  usdToHorizon: spread,
  usdPerMillionOperations: spread,
  triggers: z.array(
    open({
      stage: text,
      month: spread,
      planned: nullable(number),
      probability: number,
      threshold: text,
      action: text,
      leadWeeks: number,
      usd: number,
    }),
  ),
  availability: spread,
  atRisk: texts.describe('operations that the fleet makes slower than their objective'),
})
const decided = open({
  name: text,
  mix,
  constraints: z.array(constraint),
  out: z.boolean().describe('of the ranking, by a constraint'),
  criteria: z.array(open({ criterion: text, utility: nullable(spread), shown: text })),
  plan: nullable(plan),
  noPlan: nullable(text).describe('why there is none'),
})
const ranking = open({
  standings: z.array(open({ name: text, rank: number, score: number, topsis: number, rankShares: z.array(number) })),
  beats: z.array(open({ first: text, second: text, probability: number, withinResolution: z.boolean() })),
  winner: nullable(text).describe('null: nobody is ranked, or the first two are a tie'),
  tie: texts,
  disagreement: nullable(text),
  smallestChange: nullable(open({ criterion: text, from: number, to: number, winner: text })),
})
const decision = open({
  candidates: z.array(decided),
  criteria: z.array(open({ name: text, group: z.enum(['measured', 'planned', 'yours']), scale: text, weight: number })),
  rules: texts,
  ranking,
  caveats: texts,
  months: number.describe('that are planned ahead'),
  budgetUsdPerMonth: nullable(number),
})

export const assessment = open({
  candidates: z.array(assessed),
  holds: texts.describe('candidates with the full mix, right answers, and every tested objective met at every confirmed multiple'),
  comparisons: z.array(comparison),
  resolution: z.array(open({ engine: text, number: text, ratio: number, from: z.enum(['equals', 'starts']) })),
  decision: nullable(decision).optional().describe('null: nothing was compared; absent: the run has not ended'),
})
