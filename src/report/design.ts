/** What the report says of each ranked candidate as files to work with: definitions, steps up and down, rights, rules, picture, dictionary. */
import type { CandidateResult } from '../result/result.ts'
import { alertRules } from './alert-rules.ts'
import { dictionaryHead, dictionaryRows } from './data-dictionary.ts'
import { modelDiagram } from './diagrams/model-diagram.ts'
import { svgOf } from './diagrams/svg.ts'
import { csv } from './render/csv.ts'
import { escaped } from './render/html.ts'
import { designed, type Told } from './told.ts'

export interface DesignFile {
  /** Below `design/`. */
  path: string
  text: string
}

/** How statements of a family are written down. */
const languages: Record<CandidateResult['model']['family'], { extension: string; comment: string }> = {
  relational: { extension: 'sql', comment: '--' },
  'wide-column': { extension: 'cql', comment: '--' },
  document: { extension: 'js', comment: '//' },
  'key-value': { extension: 'txt', comment: '#' },
}

export function designFiles(told: Told): DesignFile[] {
  return designed(told).flatMap((candidate) => filesOf(told, candidate).map(({ path, text }) => ({ path: `${candidate.name}/${path}`, text })))
}

function filesOf(told: Told, candidate: CandidateResult): DesignFile[] {
  const { scenario } = told.result
  const { handbook, ddl, model } = candidate
  const { schema = ddl, migrations = [], upkeep = [], grants = [], rowRights } = handbook
  const { extension, comment } = languages[model.family]
  const statements = (texts: string[], none: string) => (texts.length === 0 ? `${comment} ${none}\n` : `${texts.join(';\n\n')};\n`)
  const steps = (folder: string, definitions: typeof migrations) =>
    definitions.flatMap(({ name, up, down }, at) => {
      const step = `${folder}/${String(at + 1).padStart(4, '0')}_${name.replaceAll(/\W/g, '_')}`
      return [
        { path: `${step}.up.${extension}`, text: `${up};\n` },
        { path: `${step}.down.${extension}`, text: `${down};\n` },
      ]
    })
  return [
    { path: `schema.${extension}`, text: statements(schema, 'Stores begin to exist with their first row: there is nothing to define.') },
    ...steps('migrations', migrations),
    ...steps('upkeep', upkeep),
    { path: `grants.${extension}`, text: statements(grants, 'The product tells no rights apart.') },
    ...(rowRights === undefined || rowRights.statements.length === 0
      ? []
      : [
          {
            path: `row-level-security.${extension}`,
            text: `${rowRights.how.map((line) => `${comment} ${line}\n`).join('')}\n${statements(rowRights.statements, '')}`,
          },
        ]),
    { path: 'alerts.yml', text: alertRules(told, candidate) },
    { path: 'erd.svg', text: `${standing(svgOf(modelDiagram(candidate, scenario), escaped))}\n` },
    { path: 'data-dictionary.csv', text: `${csv([dictionaryHead, ...dictionaryRows(model.stores, scenario)])}\r\n` },
  ]
}

/** A picture that is no part of a page says what it is, and has its own letters. */
const standing = (svg: string) => svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" color="#1a1a1a" font-family="sans-serif" ')
