/** Section 12: the way from what runs today to this design, in steps that can be undone. */
import type { CandidateResult } from '../../result/result.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { type Block, code, details, heading, list, paragraph, table } from '../render/document.ts'
import { count } from '../render/format.ts'
import { designed, type Told } from '../told.ts'

export function migrationSection(told: Told): Block[] {
  const own = designed(told)
  if (own.length === 0) return []
  const { scenario } = told.result
  const hasReferences = own.some(({ handbook }) => handbook.migrations?.some(({ name }) => name.startsWith('references_')))
  return [
    paragraph(
      'Nothing of this was tried here: it is the usual way, with the names and checks of this design. What runs today is not known to dbtrial.',
    ),
    table(['phase', 'what is done', 'it is right when', 'the way back'], phases(scenario, hasReferences)),
    heading(3, 'Rules while both run'),
    list(rules),
    ...own.flatMap(steps),
  ]
}

/** Rows that are written to both before what they refer to is there would be refused: references come last. */
function phases({ entities, invariants }: Scenario, hasReferences: boolean): string[][] {
  const checks = invariants.length === 0 ? '' : ` and ${invariants.map(({ name }) => name).join(', ')} holds`
  const rows = entities.reduce((sum, each) => sum + each.count, 0)
  return [
    [
      '1 expand',
      `make the stores of the new design, empty, ${hasReferences ? 'without the references between them (the last steps), ' : ''}and the roles of section 13`,
      `the definitions read back are those of section 4${hasReferences ? ', but for the references' : ''}`,
      'drop them: nobody reads them',
    ],
    [
      '2 write to both',
      'the application writes to the old store, then to the new one',
      'no write to the new store fails for a day',
      'stop writing to the new store, and empty it',
    ],
    [
      '3 fill',
      `copy what was there before, ${count(rows)} rows by today’s counts, in the order of what refers to what; a row that was written since stays${hasReferences ? '. Then make the references' : ''}`,
      `each of ${entities.map(({ name }) => name).join(', ')} has as many rows on both sides${checks}`,
      'empty the new store, and begin again',
    ],
    ['4 compare', 'read from both, answer from the old store, count differences', 'no difference for a week', 'stop reading from the new store'],
    [
      '5 switch',
      'answer from the new store: 1 %, 10 %, all of the callers',
      'the limits of section 11 hold at each step for a day, one of them with a peak',
      'answer from the old store again: it still gets every write',
    ],
    [
      '6 contract',
      'stop writing to the old store; keep a last copy of it',
      'a restore of the new store was tried (section 9)',
      'from here on only by a restore',
    ],
  ]
}

const rules = [
  'Each change of the schema is one that the version of the application before it bears: add first, use next, remove last.',
  'A new column is added without a value that must be computed for each row; rows are filled in batches, and a constraint is checked after that.',
  'An index is built in the way in which the server goes on serving writes, and is used only when it is valid.',
  'Each step waits no longer than a few seconds for a lock, gives up, and is tried again: who waits for a lock stops everybody behind.',
]

/** Numbered as they are run; an earlier dbtrial told the statements alone. */
function steps({ name, ddl, handbook: { migrations, schema = ddl } }: CandidateResult): Block[] {
  const firstLine = (text: string) => text.split('\n')[0]?.replace(/\s*\($/, '') ?? ''
  const names = migrations?.map((each) => each.name) ?? schema.map(firstLine)
  if (names.length === 0) return [paragraph(`${name} needs no definitions: its stores begin to exist with their first row.`)]
  const numbered = names.map((each, at) => `${String(at + 1).padStart(4, '0')}  ${each}`)
  const place = migrations === undefined ? '' : `, in design/${name}/migrations`
  return [details(`${name}: ${names.length} steps up${place}; down in the opposite order`, [code('', numbered.join('\n'))])]
}
