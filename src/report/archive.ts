/** Rows that leave the tables: how many, what that takes and costs, who would still ask for them, and how they come there. */
import { archivedBytes } from '../assess/cost/kept.ts'
import { Demand } from '../assess/demand/demand.ts'
import { bytes } from '../assess/figures/amount.ts'
import { middleOf } from '../assess/figures/simulate.ts'
import type { CandidateResult } from '../result/result.ts'
import { archivedReads } from '../scenario/archived.ts'
import type { Entity } from '../scenario/scenario.ts'
import { type Block, code, heading, list, paragraph, table } from './render/document.ts'
import { count } from './render/format.ts'
import { spanText } from './spans.ts'
import { designed, type Told } from './told.ts'

export function archiveBlocks(told: Told): Block[] {
  const { scenario } = told.result
  const entities = scenario.entities.filter(({ archiveAfterMs }) => archiveAfterMs !== undefined)
  if (entities.length === 0) return []
  const demand = new Demand(scenario)
  const reads = scenario.operations.flatMap((operation) => {
    const read = operation.internal ? null : archivedReads(scenario, operation)
    return read === null ? [] : [`${operation.name} ${read.what}.`]
  })
  return [
    heading(3, 'Archive'),
    paragraph(
      `Rows that leave the tables for object storage, every number at its middle, now → in month ${demand.months}. Nothing was moved in a trial: what was measured is tables of rows of every age, and section 10 plans them without these rows and bills what object storage takes of them. Requests, bringing rows back and the machine that moves them are priced nowhere, and so on no bill.`,
    ),
    table(
      ['rows', 'leave after', 'kept for', 'in the tables', 'archived', 'which take'],
      entities.map((entity) => rowOf(entity, demand)),
      [3, 4, 5],
    ),
    ...(reads.length === 0
      ? [paragraph('No operation asks for rows that were archived.')]
      : [
          paragraph(
            'These ask for rows that were archived, and do not find them: they need a window, a call to the archive, or rows that stay longer.',
          ),
          list(reads),
        ]),
    ...designed(told).flatMap(procedure),
  ]
}

function rowOf(entity: Entity, demand: Demand): string[] {
  const both = (text: (month: number) => string) => `${text(0)} → ${text(demand.months)}`
  const archived = (month: number) => demand.archived(entity, month)
  return [
    entity.name,
    spanText(entity.archiveAfterMs as number),
    entity.retentionMs === null ? 'no end stated' : spanText(entity.retentionMs),
    both((month) => count(middleOf(demand.rows(entity, month)))),
    both((month) => amountOf(archived(month), count)),
    both((month) => amountOf(archivedBytes(demand, entity, month), bytes)),
  ]
}

const amountOf = (figure: ReturnType<Demand['archived']> | ReturnType<typeof archivedBytes>, text: (value: number) => string) =>
  figure === null ? '—' : text(middleOf(figure))

function procedure({ name, handbook: { archive = [] } }: CandidateResult): Block[] {
  return archive.length === 0
    ? [paragraph(`${name}: this result holds no procedure.`)]
    : [paragraph(`${name}, archive:`), code('sh', archive.join('\n'))]
}
