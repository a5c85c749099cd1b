/** Section 2: what the application needs, by its scenario: rows, calls, limits, and what the scenario leaves open. */
import {
  type Durability,
  type Entity,
  type Operation,
  type Requirements,
  type Scenario,
  selectedBy,
  stepsOf,
  verbOf,
  writesOf,
} from '../../scenario/scenario.ts'
import { monthMs } from '../../scenario/units.ts'
import { demandBlocks } from '../demand.ts'
import { calendarText, markedIn } from '../plan.ts'
import { type Block, heading, list, paragraph, table } from '../render/document.ts'
import { count, micros, percent, times, usd } from '../render/format.ts'
import { spanText } from '../spans.ts'
import type { Told } from '../told.ts'

export function requirementsSection({ result: { scenario, startedAt, trialPlan }, decision }: Told): Block[] {
  const { open } = requirementRows(scenario.requirements)
  return [
    paragraph('All of this is stated by the scenario; what it leaves open is listed below.'),
    requirementsTable(scenario.requirements),
    ...(open.length === 0 ? [] : [paragraph(`Left open by the scenario, and so no condition here: ${open.join(', ')}.`)]),
    heading(3, 'What is stored'),
    table(
      ['entity', 'rows today', 'growth a month', 'kept for', 'key', 'refers to', 'personal data'],
      scenario.entities.map((each) => entityRow(each)),
      [1, 2],
    ),
    heading(3, 'What is done with it'),
    table(
      ['operation', 'does', 'calls a second', 'at peak', 'limit', 'consistency'],
      scenario.operations.map((each) => operationRow(each, scenario)),
      [2, 3],
    ),
    ...(trialPlan.warnings.length === 0 ? [] : [paragraph('What looks like an oversight in the scenario:'), list(trialPlan.warnings)]),
    ...(decision === null
      ? []
      : [
          ...demandBlocks(decision.demand, markedIn(decision.candidates)).flatMap((block, at) =>
            at === 0 ? [block, paragraph(calendarText(startedAt, decision.months))] : [block],
          ),
        ]),
  ]
}

/** What the scenario states. */
export const requirementsTable = (asked: Requirements): Block => table(['requirement', 'asked for'], requirementRows(asked).stated)

const durabilityTexts: Record<Durability, string> = {
  fsync: 'an acknowledged write survives a crash',
  relaxed: 'a crash may lose the last writes',
  volatile: 'a write lives as long as its server, and a crash may lose everything',
}

/** What is not asked for is told by its name alone. */
function requirementRows(asked: Requirements): { stated: string[][]; open: string[] } {
  const { availability, rpoMs, rtoMs, regions, compliance, licences, budgetUsdPerMonth, horizonMs } = asked
  const rows: [name: string, value: string | null][] = [
    ['peak over the average load', times(asked.peak)],
    ['durability', `${asked.durability}: ${durabilityTexts[asked.durability]}`],
    ['availability', availability === null ? null : `${Number((availability * 100).toPrecision(6))} % of the time`],
    ['recovery point: writes that may be lost', rpoMs === null ? null : `${rpoMs / 1000} s`],
    ['recovery time: until writes go on', rtoMs === null ? null : `${rtoMs / 1000} s`],
    ['regions', regions.join(', ') || null],
    ['compliance', compliance.join(', ') || null],
    ['licences', licences?.join(', ') ?? null],
    ['budget', budgetUsdPerMonth === null ? null : `${usd(budgetUsdPerMonth)} USD a month`],
    ['planned ahead', horizonMs === null ? null : `${Math.round(horizonMs / monthMs)} months`],
  ]
  return {
    stated: rows.flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    open: rows.flatMap(([name, value]) => (value === null ? [name] : [])),
  }
}

function entityRow({ name, count: rows, growthPerMonth, retentionMs, archiveAfterMs, ttlMs, owner, fields, key }: Entity): string[] {
  const refers = fields.flatMap(({ generator }) => (generator.kind === 'reference' ? [generator.entity] : []))
  return [
    name,
    count(rows),
    growthPerMonth === 0 ? '—' : percent(growthPerMonth),
    [
      ttlMs !== null ? `${spanText(ttlMs)}, then it expires` : retentionMs !== null ? spanText(retentionMs) : 'no end stated',
      ...(archiveAfterMs === undefined ? [] : [`archived after ${spanText(archiveAfterMs)}`]),
    ].join('; '),
    key.join(', '),
    [...(owner === null ? [] : [`owned by ${owner.entity}, ${owner.least} to ${owner.most} each`]), ...new Set(refers)].join(', ') || '—',
    fields
      .filter(({ pii }) => pii)
      .map((each) => each.name)
      .join(', ') || '—',
  ]
}

function operationRow(operation: Operation, scenario: Pick<Scenario, 'entities' | 'requirements'>): string[] {
  const { requirements } = scenario
  const { name, ratePerSecond, scales, objectives, consistency, stalenessMs } = operation
  return [
    name,
    whatText(operation, scenario),
    count(ratePerSecond),
    count(ratePerSecond * (scales ? requirements.peak : 1)),
    objectives.map((each) => `${each.name} ${micros(each.limitMs * 1000)}`).join(', ') || '—',
    `${consistency}${stalenessMs === null ? '' : `; may be ${spanText(stalenessMs)} old`}`,
  ]
}

/** In a few words, as the scenario has it. */
function whatText(operation: Operation, scenario: Pick<Scenario, 'entities'>): string {
  if (writesOf(operation).length > 0)
    return stepsOf(operation)
      .map((each) => [`${verbOf(scenario, each)} ${each.entity}`, ...('with' in each ? each.with : [])].join(' with '))
      .join(', then ')
  const owned = operation.kind === 'get' && operation.with.length > 0 ? ` with ${operation.with.join(', ')}` : ''
  const by = operation.kind === 'list' && selectedBy(operation).length > 0 ? ` by ${selectedBy(operation).join(', ')}` : ''
  return `${verbOf(scenario, operation)} ${operation.entity}${owned}${by}`
}
