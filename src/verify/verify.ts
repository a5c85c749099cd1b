/** Off the clock: every answer of a candidate against the reference, one by one, exactly. */
import type { Dataset } from '../data/dataset.ts'
import { DrawnParameters } from '../data/drawn.ts'
import { display } from '../data/fields.ts'
import type { WireSource } from '../data/parameters.ts'
import { type Answer, canonical, type Value } from '../data/value.ts'
import type { Compiled, Reply } from '../engines/engine.ts'
import { messageOf, rethrowOwnFault } from '../errors.ts'
import type { Operation } from '../scenario/scenario.ts'
import { asksAsTenant } from '../scenario/tenants.ts'
import type { Reference } from './reference.ts'

export interface Verification {
  checked: number
  wrong: number
  /** Of the checked ones those in which another tenant asked than that of the row; absent: none. */
  foreign?: number
  byOperation: Record<string, { checked: number; wrong: number }>
  differences: { client: 'driver' | 'wire'; operation: string; parameters: string; expected: string; got: string }[]
}

const maxDifferences = 10
const shownLength = 300
/** Blocks of versions and row numbers that trials leave free: one for each client that is verified, one for explained statements. */
export const blocks = { driver: 1, wire: 2, explanation: 3, firstTrial: 4 }

/** Cycles through the cases: plain, deep page, a row of another tenant, nothing found; the same for every candidate. */
export function forcedCase(index: number): { miss: boolean; deep: boolean; foreign: boolean } {
  return { miss: index % cases === 7, deep: index % 4 === 3, foreign: index % cases === 5 }
}
/** Answers of an operation that have every case among them. */
export const cases = 8

/** Anything that answers an operation: a session, or a lane in its place. */
export interface Performer {
  perform(operation: number, params: WireSource): Promise<Pick<Reply, 'answer'>>
}

/** Both sides run the same operations in the same order, writes included: afterwards both hold the same rows, and the next client may follow. */
export async function verify(
  performer: Performer,
  client: 'driver' | 'wire',
  compiled: Compiled,
  dataset: Dataset,
  reference: Reference,
  answersPerOperation: number,
  signal: AbortSignal,
): Promise<Verification> {
  const result: Verification = { checked: 0, wrong: 0, byOperation: {}, differences: [] }
  const params = new DrawnParameters(dataset, compiled.operations, `verification ${client}`, blocks[client], dataset.scenario.epochMs)
  const cached = new Set(compiled.cache?.for)
  const asTenant = compiled.operations.map((each) => asksAsTenant(dataset.scenario, each))
  for (let round = 0; round < answersPerOperation; round++) {
    params.force = forcedCase(round)
    for (const [index, operation] of compiled.operations.entries()) {
      if (compiled.programs[index] === null) continue
      signal.throwIfAborted()
      params.next(index)
      // The reference goes first: it must not learn from the candidate.
      const matches = operation.kind === 'search' ? reference.matches(index, params) : []
      const expected = reference.execute(index, params)
      // What a cache did not have it has afterwards.
      for (let asks = cached.has(operation.name) ? 2 : 1; asks > 0; asks--)
        compareAnswer(result, client, operation, params, { expected, matches, got: await answered(performer.perform(index, params)) })
      if (params.force.foreign === true && asTenant[index]) result.foreign = (result.foreign ?? 0) + 1
    }
  }
  return result
}

/** @throws what is a fault of ours; what a server refuses is its answer. */
const answered = (reply: Promise<Pick<Reply, 'answer'>>): Promise<Answer | string> =>
  reply.then(
    (got) => got.answer(),
    (error: unknown) => {
      rethrowOwnFault(error)
      return messageOf(error)
    },
  )

function compareAnswer(
  result: Verification,
  client: 'driver' | 'wire',
  operation: Operation,
  params: WireSource,
  { expected, matches, got }: { expected: Answer; matches: Value[][]; got: Answer | string },
): void {
  const counted = (result.byOperation[operation.name] ??= { checked: 0, wrong: 0 })
  counted.checked++
  result.checked++
  if (typeof got !== 'string' && agrees(operation, expected, got, matches)) return
  counted.wrong++
  result.wrong++
  if (result.differences.length === maxDifferences) return
  result.differences.push({
    client,
    operation: operation.name,
    parameters: params.values().map(shown).join(', '),
    expected: shownAnswer(expected),
    got: typeof got === 'string' ? `error: ${got}` : shownAnswer(got),
  })
}

/** Adds what another client was found to answer. */
export function addVerification(to: Verification, other: Verification): void {
  to.checked += other.checked
  to.wrong += other.wrong
  if (other.foreign !== undefined) to.foreign = (to.foreign ?? 0) + other.foreign
  for (const [name, { checked, wrong }] of Object.entries(other.byOperation)) {
    const own = (to.byOperation[name] ??= { checked: 0, wrong: 0 })
    own.checked += checked
    own.wrong += wrong
  }
  to.differences.push(...other.differences.slice(0, maxDifferences - to.differences.length))
}

/** A search may return any of its matches, none twice, as many as the limit asks for. */
export function agrees(operation: Operation, expected: Answer, got: Answer, matches: Value[][]): boolean {
  if (operation.kind !== 'search') return canonical(expected) === canonical(got)
  if (got.kind !== 'rows' || expected.kind !== 'rows' || got.rows.length !== expected.rows.length) return false
  // Rows that differ only in what was not asked for are equal answers: each match counts once.
  const allowed = new Map<string, number>()
  for (const match of matches) allowed.set(canonical(match), (allowed.get(canonical(match)) ?? 0) + 1)
  return got.rows.every((row) => {
    const left = allowed.get(canonical(row)) ?? 0
    allowed.set(canonical(row), left - 1)
    return left > 0
  })
}

const shown = (value: Value) => display(value).slice(0, shownLength)

function shownAnswer(answer: Answer): string {
  return canonical(answer).slice(0, shownLength)
}
