/** Section 4: what each ranked candidate stores, where, and why so. */
import type { CandidateResult, Result } from '../../result/result.ts'
import { dictionaryHead, dictionaryRows } from '../data-dictionary.ts'
import { denormalisationHead, denormalisations, normalForm } from '../denormalisations.ts'
import { modelDiagram } from '../diagrams/model-diagram.ts'
import { indexHead, indexRows } from '../index-table.ts'
import { type Block, code, details, heading, paragraph, table } from '../render/document.ts'
import { count } from '../render/format.ts'
import { designed, type Told } from '../told.ts'

export function dataModelSection(told: Told): Block[] {
  const own = designed(told)
  return own.length === 0
    ? []
    : [
        paragraph(
          'Each engine gets the model that an expert in it would draw. Sizes are what its server reported after loading; in production they are those times the rows there over the rows loaded (derived). ' +
            usesText(own),
        ),
        ...own.flatMap((candidate) => [heading(3, `${candidate.name}: ${candidate.model.family}`), ...dataModel(candidate, told.result)]),
      ]
}

/** An earlier dbtrial asked once, at the end of the last start. */
function usesText(own: CandidateResult[]): string {
  const last = own.filter(({ indexUse, indexUseOf, restores }) => indexUse.length > 0 && indexUseOf === 'last start' && restores > 0)
  const since = last.length === 0 ? '' : `, those of ${last.map(({ name }) => name).join(', ')} since its last start`
  return `Uses are of all trials${since}, as the server counted them; a dash: it does not tell, or not of the whole run.`
}

export function dataModel(candidate: CandidateResult, result: Result): Block[] {
  const { name, ddl, model, load } = candidate
  const { scenario } = result
  const columns = dictionaryRows(model.stores, scenario)
  const indexes = indexRows(candidate, result)
  const repeated = denormalisations(model, scenario)
  return [
    paragraph(`${name}: ${normalForm(model)}${load === null ? '' : ` ${count(load.rows)} rows were loaded.`}`),
    { kind: 'diagram', diagram: modelDiagram(candidate, scenario) },
    table(
      ['store', 'key', 'why it is built so'],
      model.stores.map((store) => [store.name, [...store.partition, ...store.clustering.map((each) => each.column)].join(', '), store.reason]),
    ),
    ...(indexes.length === 0 ? [] : [table(indexHead, indexes, [5, 6, 7])]),
    ...(repeated.length === 0 ? [] : [table(denormalisationHead, repeated)]),
    details(`${name}: data dictionary, ${columns.length} columns`, [table(dictionaryHead, columns)]),
    ...(ddl.length === 0 ? [] : [details(`${name}: definitions`, [code('sql', ddl.join(';\n\n'))])]),
  ]
}
