/** Many clients at one row under a guard, on real servers: as many are served as it has for, all others did nothing. */
import { afterAll, describe, expect, test } from 'vitest'
import { openLane } from '../../src/clients/open-lane.ts'
import type { ServerError } from '../../src/clients/server-error.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { DrawnParameters } from '../../src/data/drawn.ts'
import { fixedParameters } from '../../src/data/parameters.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Value } from '../../src/data/value.ts'
import type { Lane, Session } from '../../src/engines/engine.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import type { Durability } from '../../src/scenario/scenario.ts'
import { TestBed } from '../differential/bed.ts'
import { contractedWithPoolers } from './contracted.ts'
import { runsAsProcess } from './obtainable.ts'

const scenario = parseScenario(
  `name: till
summary: one till and its receipts
seed: 5
entities:
  till: { count: 1, fields: { id: { type: uuid, key: true }, coins: { type: int, range: [91, 91] }, version: { type: int, range: [7, 7] } } }
  receipt: { count: 1, fields: { id: { type: uuid, key: true } } }
  slip: { count: 1, fields: { id: { type: uuid, key: true }, till_id: { ref: till } } }
operations:
  spend: { update: till, add: { coins: -3 }, if: { coins: { gte: 3 } }, rate: 1/s, p99: 1s }
  pay: { transaction: [{ insert: receipt }, { update: till, add: { coins: -3 }, if: { coins: { gte: 3 } } }], rate: 1/s, p99: 1s }
  look: { get: till, rate: 1/s, p99: 1s }
  revise: { read_modify_write: till, atomic: true, version: version, set: { coins: any }, rate: 1/s, p99: 1s }
  append: { insert: slip, expects: till_id.version, rate: 1/s, p99: 1s }
requirements: { peak: 2x, durability: volatile }
candidates: [memcached]
`,
  'till.yaml',
)
const operations = allOperations(scenario)
const [spend, pay, look, revise, append] = [0, 1, 2, 3, 4] as const
const clients = 12
const callsOfEach = 6

describe.each(contractedWithPoolers.filter(runsAsProcess).map((engine) => [engine.pooler ?? engine.name, engine] as const))('%s', (_name, engine) => {
  const bed = new TestBed()
  afterAll(() => bed[Symbol.asyncDispose](), 60_000)
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, engine.capabilities.durability[0] as Durability)

  /** Calls of many clients at the one till, with what they came to and what the till holds behind them. */
  async function contended(operation: number, check: (outcomes: string[], session: Session, till: Value[]) => Promise<void>): Promise<void> {
    await bed.inNamespace(engine, async (endpoint) => {
      const dataset = makeDataset(scenario, 1)
      await using session = await engine.connect(endpoint, compiled, { connections: 4 })
      await session.create()
      await session.load(rowSource(dataset, 0, 1), true)
      await session.settle()
      await using lane = await openLane(engine, endpoint, compiled, clients)
      const params = new DrawnParameters(dataset, operations, 'guards', 9, scenario.epochMs)
      const outcomes = [...(await throughLane(lane, operation, params)), ...(await throughDriver(session, operation, params))]
      expect(outcomes.length).toBe(2 * clients * callsOfEach)
      params.next(look)
      const answer = (await session.perform(look, fixedParameters(params.values()))).answer()
      await check(outcomes, session, answer.kind === 'rows' ? (answer.rows[0] ?? []) : [])
    })
  }

  test.each([
    ['a version that is read', revise],
    ['a version that an insert expects', append],
  ])('%s: as many writes as it was counted up, all others in conflict', { timeout: 120_000 }, async (_what, operation) => {
    if (compiled.programs[operation] === null) {
      expect(engine.capabilities.atomicity).not.toBe('rows')
      return
    }
    await contended(operation, async (outcomes, session, till) => {
      const counted = countIn(outcomes)
      const done = counted(/^ok$/)
      const gaveUp = counted(/^transient/)
      expect(counted(/^conflict$/) + gaveUp).toBe(outcomes.length - done)
      expect(done).toBeGreaterThan(0)
      // Every client reads what another has read: without a comparison all would be done.
      expect(counted(/^conflict$/)).toBeGreaterThan(0)
      expect(till[2]).toBe(7 + done)
      if (operation === append) expect((await session.total('slip')).rows).toBe(BigInt(1 + done))
    })
  })

  test.each([
    ['an update', spend],
    ['a step of a transaction', pay],
  ])('%s', { timeout: 120_000 }, async (_what, operation) => {
    if (compiled.programs[operation] === null) {
      expect(engine.capabilities.atomicity).not.toBe('rows')
      return
    }
    await contended(operation, async (outcomes, session, till) => {
      const counted = countIn(outcomes)
      // 91 coins are thirty times three, and one.
      expect(counted(/^ok$/)).toBe(30)
      // A client that compares by itself gives up where others are always faster.
      const gaveUp = engine.capabilities.atomicity === 'row' ? counted(/^transient/) : 0
      expect(counted(/^conflict$/) + gaveUp).toBe(outcomes.length - 30)
      expect(till[1]).toBe(1)
      if (operation === pay) expect((await session.total('receipt')).rows).toBe(31n)
    })
  })
})

const countIn = (outcomes: string[]) => (outcome: RegExp) => outcomes.filter((each) => outcome.test(each)).length

/** Outcomes of calls that every slot makes one after the other. */
function throughLane(lane: Lane, operation: number, params: DrawnParameters): Promise<string[]> {
  const outcomes: string[] = []
  const left = Array.from({ length: lane.slots }, () => callsOfEach)
  return new Promise((resolve) => {
    const next = (slot: number) => {
      if ((left[slot] as number)-- === 0) return
      params.next(operation)
      lane.send(slot, operation, params, false)
      lane.flush()
    }
    lane.onDone = (slot, outcome, rows, _retries, error) => {
      outcomes.push(outcome === 'error' ? error : outcome)
      expect(rows).toBe(outcome === 'ok' ? 1 : 0)
      if (outcomes.length === lane.slots * callsOfEach) resolve(outcomes)
      else next(slot)
    }
    for (let slot = 0; slot < lane.slots; slot++) next(slot)
  })
}

/** The same after them, many at once. */
async function throughDriver(session: Session, operation: number, params: DrawnParameters): Promise<string[]> {
  const calls = Array.from({ length: clients * callsOfEach }, () => {
    params.next(operation)
    return session.perform(operation, fixedParameters(params.values()))
  })
  return (await Promise.allSettled(calls)).map((each) => (each.status === 'fulfilled' ? each.value.outcome : (each.reason as ServerError).key))
}
