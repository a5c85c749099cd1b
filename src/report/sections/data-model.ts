/** Section 4: what each ranked candidate stores, where, and why so. */
import type { CandidateResult } from '../../result/result.ts'
import { type Block, code, details, heading, paragraph, table } from '../render/document.ts'
import { designed, type Told } from '../told.ts'

export function dataModelSection(told: Told): Block[] {
  const own = designed(told)
  return own.length === 0
    ? []
    : [
        paragraph('Each engine gets the model that an expert in it would draw.'),
        ...own.flatMap((candidate) => [heading(3, `${candidate.name}: ${candidate.model.family}`), ...dataModel(candidate)]),
      ]
}

export function dataModel({ name, ddl, model: { stores } }: CandidateResult): Block[] {
  const rows = stores.flatMap((store) => [
    [
      store.name,
      store.partition.join(', ') || '—',
      store.clustering.map((each) => `${each.column}${each.descending ? ' desc' : ''}`).join(', ') || '—',
      store.reason,
    ],
    ...store.indexes.map((index) => [
      `  index ${index.name}`,
      index.columns.map((each) => `${each.field}${each.descending ? ' desc' : ''}`).join(', '),
      index.include.join(', ') || '—',
      index.reason,
    ]),
  ])
  return [
    table(['store', 'key', 'clustering or carried columns', 'why'], rows),
    ...(ddl.length === 0 ? [] : [details(`${name}: definitions`, [code('sql', ddl.join(';\n\n'))])]),
  ]
}
