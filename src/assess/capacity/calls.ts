/** What one call of an operation touches in production: rows, bytes, time. */
import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import type { CandidateResult, Result, TrialResult } from '../../result/result.ts'
import { entityOf, type Operation, type Scenario, writesOf } from '../../scenario/scenario.ts'
import { loadOf } from './response-curve.ts'

export const isReadOperation = (operation: Operation) => writesOf(operation).length === 0

/** Reads that a replica may answer. */
export const mayBeOld = (operation: Operation) =>
  isReadOperation(operation) && (operation.consistency === 'eventual' || (operation.stalenessMs ?? 0) > 0)

/** Rows that a call of each operation touches in production, by its name. */
export function productionRows({ trialPlan }: Result): Map<string, number> {
  const { operations } = trialPlan
  return new Map(operations.map((each) => [each.name, each.rowsProduction]))
}

/** Bytes that one call returns or writes; `rows`: those that it touches in production. */
export function payloadBytes(operation: Operation, scenario: Scenario, rows: number): number {
  const entity = entityOf(scenario, operation.entity)
  const fields = 'fields' in operation ? operation.fields : undefined
  const owned = 'with' in operation ? ownedBytes(scenario, entity, operation.with) : 0
  const moved =
    operation.kind === 'aggregate' && operation.before === undefined
      ? 31
      : operation.kind === 'list' || operation.kind === 'search'
        ? Math.min(operation.limit, rows)
        : 1
  return Math.round(moved * (rowBytes(entity, fields) + owned))
}

/**
 * Mean seconds of each operation at the lowest rate that was confirmed, or else tried, of those that the server carries, `carried` in multiples:
 * more load only adds queueing, which more servers take away. What was too rare there is taken from the loop that ran it alone.
 */
export function serviceSecondsOf({ trials }: Pick<CandidateResult, 'trials'>, operations: Operation[], carried: number): Map<string, number> {
  const told = trials.filter(
    ({ phase, validity, saturated }) => phase !== 'tax' && !saturated && validity.verdict !== 'noisy' && validity.verdict !== 'broken',
  )
  const within = (phase: TrialResult['phase']) =>
    told.filter((trial) => trial.phase === phase && trial.arrival.multiple !== null && loadOf(trial) <= carried).sort((a, b) => loadOf(a) - loadOf(b))
  const alone = told.filter(({ phase, arrival }) => phase === 'probe' && arrival.concurrency === 1)
  const light = [...within('confirmation'), ...within('curve'), ...alone]
  return new Map(
    operations.flatMap(({ name }) => {
      const service = light.map((trial) => trial.operations[name]?.serviceUs).find((each) => each != null && each.count > 0)
      return service == null ? [] : [[name, service.mean / 1e6] as const]
    }),
  )
}
