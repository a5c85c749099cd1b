/** Section 13: who may do what, what must not be read by others, and which controls meet what compliance asks for. */

import { liesInParts } from '../../families/model.ts'
import type { CandidateResult, Result } from '../../result/result.ts'
import { type Control, controls, ruleOf } from '../../scenario/regimes.ts'
import { rightsOf } from '../../scenario/rights.ts'
import type { Entity, Scenario } from '../../scenario/scenario.ts'
import { acrossTenants, addressedBy, isOfTenants, tenantOwnerOf, tenantsIn } from '../../scenario/tenants.ts'
import { type Block, code, heading, list, paragraph, table } from '../render/document.ts'
import { designed, type Told } from '../told.ts'

export function securitySection(told: Told): Block[] {
  const { scenario } = told.result
  const own = designed(told)
  const personal = scenario.entities.flatMap(({ name, fields }) => fields.filter(({ pii }) => pii).map((each) => `${name}.${each.name}`))
  return [
    heading(3, 'The role of the application'),
    paragraph(
      'What the operations need of each entity, and nothing else: who changes or deletes a row has to find it, and so reads, too. A second role, which the application never has, changes definitions.',
    ),
    table(
      ['entity', 'reads', 'inserts', 'changes', 'deletes'],
      scenario.entities.map((each) => rightsRow(each, scenario, own)),
    ),
    ...madeElsewhere(scenario),
    ...own.flatMap(({ name, handbook: { grants = [] } }) => (grants.length === 0 ? [] : [paragraph(`${name}:`), code('sql', grants.join('\n'))])),
    ...tenantBlocks(scenario, own),
    heading(3, 'Personal data'),
    ...(personal.length === 0 ? [paragraph('The scenario marks no field as personal data.')] : [list(personalRules(personal))]),
    ...controlTable(told.result, own),
    heading(3, 'Beside the store'),
    list([
      ...(tenantsIn(scenario) === undefined
        ? ['The scenario names no tenant, so rights by row have nothing to go by: whoever has the role reads all rows.']
        : []),
      'Passwords and keys come from a store for secrets, are changed at least once a year, and stand in no image and no repository.',
      'Only the servers of the application reach the port of the store; who administers it comes through a host that logs what is done.',
    ]),
  ]
}

/** Rows that come from somewhere: who makes them has a right that the operations of the scenario do not need. */
function madeElsewhere({ entities, operations }: Scenario): Block[] {
  const none = entities.filter(({ name, owner }) => owner === null && rightsOf(name, operations).inserts.length === 0).map(({ name }) => name)
  if (none.length === 0) return []
  return [
    paragraph(
      `No operation of the scenario makes rows of ${none.join(', ')}, so the role may not: what does (a registration, an import) has a role of its own, or belongs into the scenario.`,
    ),
  ]
}

/** What keeps the rows of one tenant from another: what the operations ask, what was verified of it, and what a server adds. */
function tenantBlocks(scenario: Scenario, own: CandidateResult[]): Block[] {
  const tenants = tenantsIn(scenario)
  if (tenants === undefined) return []
  const entities = scenario.entities.filter((each) => each.name !== tenants && isOfTenants(scenario, each)).map(({ name }) => name)
  const none = scenario.entities.filter((each) => !isOfTenants(scenario, each)).map(({ name }) => name)
  const strays = scenario.operations.flatMap((operation) => {
    const why = acrossTenants(scenario, operation)
    return why === null
      ? []
      : [`${operation.name}: ${why}; under policies it needs a role of its own that they do not bind, or finds the rows of one tenant.`]
  })
  return [
    heading(3, 'Tenants'),
    paragraph(
      [
        `Rows of ${entities.join(', ')} are those of one ${tenants}.`,
        ...boundByKey(scenario, own),
        ...(none.length === 0 ? [] : [`Rows of ${none.join(', ')} are no tenant's: what keeps them apart is not stated.`]),
      ].join(' '),
    ),
    ...(strays.length === 0 ? [] : [list(strays)]),
    ...own.flatMap(({ name, handbook: { rowRights } }) =>
      rowRights === undefined
        ? []
        : [
            paragraph(`${name}:`),
            list(rowRights.how),
            ...(rowRights.statements.length === 0
              ? []
              : [paragraph('The trials ran without them: what they cost is not measured.'), code('sql', `${rowRights.statements.join(';\n')};`)]),
          ],
    ),
  ]
}

/** A row that is addressed by its key is bound by a field of its own: that of rows that somebody else owns says only whose line it is. */
function boundByKey(scenario: Scenario, own: CandidateResult[]): string[] {
  const addressed = new Set(scenario.operations.filter(({ internal }) => !internal).flatMap(addressedBy))
  const found = scenario.entities.filter(({ name }) => addressed.has(name))
  const bound = found.filter(({ tenant }) => tenant !== undefined).map(({ name }) => name)
  // Older results hold no number.
  const tried = own.flatMap(({ name, verification: { foreign } }) => (foreign === undefined ? [] : [`${foreign} (${name})`]))
  const alone = found.filter((each) => tenantOwnerOf(scenario, each) !== null).map(({ name }) => name)
  return [
    ...(bound.length === 0
      ? []
      : [
          `Who asks for one of ${bound.join(', ')} by its key asks for it as a tenant's.`,
          ...(tried.length === 0
            ? []
            : [`Another tenant asked in the verification, in ${tried.join(', ')} answers: it had to find and change nothing.`]),
        ]),
    ...(alone.length === 0
      ? []
      : [`Rows of ${alone.join(', ')} that are addressed alone, by their keys, are not bound to a tenant: only their owner says whose they are.`]),
  ]
}

const personalRules = (fields: string[]) => [
  `${fields.join(', ')}: encrypted in the application where no operation compares it, else replaced by a keyed hash beside the encrypted value.`,
  'It stands in no log, in no metric and in no test data; a request for deletion reaches backups when these expire (section 9).',
]

const purge = 'the purge of expired rows'

function rightsRow({ name: entity, ttlMs }: Entity, { operations }: Scenario, own: CandidateResult[]): string[] {
  // Stores of the other families expire rows by themselves.
  const purges = ttlMs !== null && own.some(({ model }) => model.family === 'relational' && !liesInParts(model.stores, entity)) ? [purge] : []
  const { reads, inserts, changes, deletes } = rightsOf(entity, operations)
  return [entity, ...[[...reads, ...purges], inserts, changes, [...deletes, ...purges]].map((names) => names.join(', ') || '—')]
}

/** By what compliance asks for, or all of them where it asks for nothing. */
function controlTable({ scenario: { requirements } }: Pick<Result, 'scenario'>, own: CandidateResult[]): Block[] {
  const told = own.filter(({ traits }) => traits.controls !== undefined)
  if (told.length === 0) return []
  const asking = (control: Control) => requirements.compliance.filter((name) => ruleOf(name)?.controls.includes(control))
  return [
    heading(3, 'Controls'),
    table(
      ['control', 'asked for by', ...told.map(({ name }) => name)],
      controls.map((control) => [control, asking(control).join(', ') || '—', ...told.map((each) => controlText(each, control))]),
    ),
  ]
}

const byWhom = { product: 'the product', beside: 'something beside it', 'other edition': 'another edition, not measured', nothing: 'nothing' }

/** What the server said of itself comes before what is written about the product. */
function controlText({ traits, parity }: CandidateResult, control: Control): string {
  const said = parity.find(({ what }) => what === control)
  if (said !== undefined) return `${said.ok ? '✓' : '✗'} measured: ${said.effective}`
  const fact = traits.controls?.[control]
  return fact === undefined ? '—' : `${byWhom[fact.by]}: ${fact.value} (${fact.source}); not measured`
}
