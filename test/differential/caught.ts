/** One seeded run against a client that lies on a real server: what the checks of a run say of it. */
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import type { Durability } from '../../src/scenario/scenario.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import type { TestBed } from './bed.ts'
import { type Fault, FaultyLane } from './faulty-lane.ts'
import { Replay } from './replay.ts'

/** Rows are many: what is written over again soon hides what was done to the write before. */
const scenarioOf = (seed: number, rows: string) =>
  parseScenario(
    `name: lies
summary: "writes that are to be lost, doubled or turned round"
seed: ${seed}
epoch: 2026-05-01T00:00:00Z
entities:
  account:
    count: ${rows}
    fields:
      id: { type: uuid, key: true }
      balance: { type: int, range: [0, 1000] }
      note: { type: int, range: [0, 1000000] }
operations:
  read: { get: account, rate: 50/s, p99: 1s }
  add: { insert: account, rate: 50/s, p99: 1s }
  pay: { update: account, add: { balance: 1 }, rate: 50/s, p99: 1s }
  annotate: { update: account, set: { note: any }, rate: 50/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [postgres]
bench: { effort: smoke }
`,
    'lies.yaml',
  )

const { signal } = new AbortController()
const writesPerLie = 10_000
const writesPerStaleRead = 4
const minLies = 3
const roundSeconds = 1
const maxRounds = 40

export interface Caught {
  lies: number
  /** What was found wrong; empty: nothing. */
  findings: string[]
}

/** null: nobody lies. */
export async function caughtBy(bed: TestBed, engine: Engine, fault: Fault | null, seed: number): Promise<Caught> {
  const scenario = scenarioOf(seed, fault === 'stale' ? '40' : '40k')
  const operations = allOperations(scenario)
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, engine.capabilities.durability[0] as Durability)
  const dataset = makeDataset(scenario, 1)
  return await bed.inNamespace(engine, async (endpoint) => {
    await using session = await engine.connect(endpoint, compiled, { connections: 8 })
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    await session.settle()
    const reference = new Reference(dataset, operations)
    await using lane = await openLane(engine, endpoint, compiled, fault === 'stale' ? 1 : 16)
    const faulty = fault === null ? null : new FaultyLane(lane, session, fault, compiled, fault === 'stale' ? writesPerStaleRead : writesPerLie, seed)
    if (fault === 'stale') {
      const { differences } = await verify(new LaneAnswers(faulty ?? lane), 'wire', compiled, dataset, reference, 100, signal)
      return {
        lies: faulty?.lies ?? 0,
        findings: differences.map(({ operation, expected, got }) => `${operation}: expected ${expected}, got ${got}`),
      }
    }
    const replay = await Replay.of(session, compiled, dataset, reference)
    const findings: string[] = []
    for (let round = 0; round < maxRounds && (faulty === null ? round === 0 : faulty.lies < minLies); round++)
      findings.push(...(await replay.send(faulty ?? lane, roundSeconds)))
    findings.push(...(await replay.check(Number.POSITIVE_INFINITY)))
    return { lies: faulty?.lies ?? 0, findings }
  })
}

/** How the checks call what each did. */
export const named: Record<Fault, RegExp> = {
  drop: /^(acknowledged writes of account: .*[1-9]\d* lost|rows of account: )/,
  duplicate: /^acknowledged writes of account: .*balance is/,
  reorder: /^acknowledged writes of account: .*note is .* written by annotate/,
  stale: /^read: expected /,
}
