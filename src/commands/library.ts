/** The part of scenarios/README.md that follows from the scenarios: what each models, how large it is, which engines carry it, and why others do not. */

import { bytes } from '../assess/figures/amount.ts'
import type { Engine } from '../engines/engine.ts'
import { engines } from '../engines/registry.ts'
import { deriveModel } from '../families/derive.ts'
import type { Excuse } from '../families/model.ts'
import { rowBytes } from '../families/sizes.ts'
import { count, percent } from '../report/render/format.ts'
import { scenarioNames } from '../scenario/library.ts'
import { readScenario } from '../scenario/read.ts'
import { promised, type Scenario, writesOf } from '../scenario/scenario.ts'

const begins = '<!-- written by `make check` from here: what the library says of itself -->'
const ends = '<!-- to here -->'

/** @throws Error where the guide has lost its marks. */
export function withLibrary(guide: string): string {
  const [from, to] = [guide.indexOf(begins), guide.indexOf(ends)]
  if (from < 0 || to < from) throw new Error(`scenarios/README.md lacks the lines ${begins} and ${ends}`)
  return `${guide.slice(0, from)}${begins}\n\n${libraryText()}\n\n${guide.slice(to)}`
}

function libraryText(): string {
  const scenarios = scenarioNames().map((name) => readScenario(name))
  const alike = [...Map.groupBy(engines, ({ family, capabilities }) => JSON.stringify([family, capabilities])).values()]
  const kinds = alike.map((own) => ({ engine: own[0] as Engine, names: own.map((engine) => engine.name) }))
  const carried = scenarios.map((scenario) => ({
    scenario,
    excuses: kinds.map(({ engine, names }) => ({
      names,
      // Who cannot promise what is asked for carries nothing: what else it could not do is no news.
      refused: promised(scenario.requirements.durability, engine.capabilities.durability) === undefined,
      excuses: deriveModel(engine, scenario).excuses,
    })),
  }))
  return [
    table([['Scenario', 'Models', 'Stores in production', 'Operations on average', 'Candidates'], ...scenarios.map(overview)]),
    'Which engine carries what. _All_ is every operation; in parentheses who is no candidate, for reasons that stand in the file where they are not below.',
    table([
      ['Scenario', ...kinds.map(({ names }) => names.join(', '))],
      ...carried.map(({ scenario, excuses }) => [
        scenario.name,
        ...excuses.map((own) =>
          own.refused ? `(promises less than ${scenario.requirements.durability})` : carriedText(scenario, own.names, own.excuses),
        ),
      ]),
    ]),
    'Why:',
    carried.flatMap(({ scenario, excuses }) => excuses.flatMap((own) => (own.refused ? [] : reasons(scenario, own.names, own.excuses)))).join('\n'),
  ].join('\n\n')
}

function overview(scenario: Scenario): string[] {
  const stored = scenario.entities.map((entity) => `${entity.name} ${compact(entity.count)}`).join(', ')
  return [
    `[${scenario.name}](${scenario.name}.yaml)`,
    scenario.summary,
    `${dataText(scenario)}: ${stored}`,
    `${loadText(scenario)}; ${scenario.operations.length} in all`,
    scenario.candidates.map((candidate) => candidate.name).join(', '),
  ]
}

/** Of all operations on average: "1,234 operations/s, 93 % reads". */
export function loadText({ operations }: Pick<Scenario, 'operations'>): string {
  const rate = (own: Scenario['operations']) => own.reduce((sum, operation) => sum + operation.ratePerSecond, 0)
  const all = rate(operations)
  const reads = rate(operations.filter((each) => writesOf(each).length === 0)) / all
  const rounded = Number(reads.toPrecision(2))
  // Few writes are not none.
  return `${count(Number(all.toPrecision(3)))} operations/s, ${percent(rounded === 1 ? reads : rounded)} reads`
}

/** Of all entities in production: "207M rows, 13.3 GB"; values alone, without what an engine adds. */
export function dataText({ entities }: Pick<Scenario, 'entities'>): string {
  const rows = entities.reduce((sum, entity) => sum + entity.count, 0)
  return `${compact(rows)} rows, ${bytes(entities.reduce((sum, entity) => sum + entity.count * rowBytes(entity), 0))}`
}

/** As scenarios write counts, three digits of it. */
function compact(value: number): string {
  const [unit, size] = (
    [
      ['G', 1e9],
      ['M', 1e6],
      ['k', 1e3],
    ] as const
  ).find(([, each]) => value >= each) ?? ['', 1]
  return `${Number((value / size).toPrecision(3))}${unit}`
}

function carriedText(scenario: Scenario, names: string[], excuses: Excuse[]): string {
  const text = excuses.length === 0 ? 'all' : `without ${excuses.map((excuse) => excuse.operation).join(', ')}`
  return scenario.candidates.some((candidate) => names.includes(candidate.engine)) ? text : `(${text})`
}

/** A line for each reason; operations that share one stand together. */
function reasons(scenario: Scenario, names: string[], excuses: Excuse[]): string[] {
  const unnamed = ({ operation, reason }: Excuse) => (reason.startsWith(`${operation} `) ? reason.slice(`${operation} `.length) : reason)
  return [...Map.groupBy(excuses, unnamed)].map(
    ([reason, own]) =>
      `- ${scenario.name}, ${names.join(' and ')}: ${own.length > 1 ? 'each of ' : ''}${own.map((excuse) => `\`${excuse.operation}\``).join(', ')} ${reason}`,
  )
}

const table = ([head = [], ...rows]: string[][]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
