/** What the language refuses, and how it says so: each line of it was accepted, crashed, or spoke in the parser's words. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { TrialError } from '../../../src/errors.ts'
import { inspectScenario, parseScenario } from '../../../src/scenario/read.ts'
import type { KnownEngine } from '../../../src/scenario/scenario.ts'

const engines: KnownEngine[] = ['postgres', 'mongodb'].map((name) => ({ name, durability: ['fsync', 'relaxed'] }))
const directory = mkdtempSync(join(tmpdir(), 'dbtrial-language-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Parts {
  epoch?: string
  entity?: string
  fields?: string
  operations?: string
  more?: string
  requirements?: string
  candidates?: string
  bench?: string
}

function scenario(parts: Parts): string {
  return `name: s
summary: x
seed: 7
${parts.epoch === undefined ? '' : `epoch: ${parts.epoch}\n`}entities:
  e:
    count: 100
    ${parts.entity ?? ''}
    fields: { id: { type: uuid, key: true }, n: { type: int, range: [0, 9] }, d: { type: decimal, range: [0, 9], scale: 2 }, ${parts.fields ?? ''} }
  l: { owned_by: e, per_owner: { range: [0, 3] }, fields: { q: { type: int, range: [0, 9] }, e_ref: { ref: e } } }
operations:
  g: { get: e, rate: 1/s, p99: 1s }
  ${parts.operations ?? ''}
requirements: { peak: 2x, durability: fsync, ${parts.requirements ?? ''} }
candidates: ${parts.candidates ?? '[postgres]'}
${parts.bench === undefined ? '' : `bench: ${parts.bench}`}
${parts.more ?? ''}
`
}

function problems(text: string): string[] {
  try {
    parseScenario(text, 's.yaml', engines)
    return []
  } catch (error) {
    if (!(error instanceof TrialError)) throw error
    return error.message.split('\n').map((line) => {
      expect(line).toMatch(/^s\.yaml:\d+:\d+: /)
      return line.replace(/^s\.yaml:\d+:\d+: /, '')
    })
  }
}

const rest = 'rate: 1/s, p99: 1s'
const refused: [string, Parts, string][] = [
  [
    'an archive of rows that have no age',
    { entity: 'archive: { after: 2y, to: object-storage }' },
    'entities.e.archive: nothing says how old a row of e is: give it a timestamp with "within", such as created_at: { type: timestamp, within: 2y }',
  ],
  [
    'an archive of what is removed before',
    { entity: 'retention: 1y\n    archive: { after: 2y, to: object-storage }', fields: 't: { type: timestamp, within: 5y }' },
    'entities.e.archive.after: rows are removed before they are this old: archive them earlier, or let retention be longer',
  ],
  [
    'an archive of what expires',
    { entity: 'ttl: 3y\n    archive: { after: 2y, to: object-storage }', fields: 't: { type: timestamp, within: 5y }' },
    'entities.e.archive: rows that expire are gone: give either ttl or archive',
  ],
  [
    'an archive nobody knows',
    { entity: 'archive: { after: 2y, to: tape }', fields: 't: { type: timestamp, within: 5y }' },
    'entities.e.archive.to: expected object-storage, not "tape"',
  ],
  [
    'picks by age of what has none',
    { operations: `h: { get: e, pick: { last: { 30d: 90% } }, ${rest} }` },
    'operations.h.pick.last: nothing says how old a row of e is: give it a timestamp with "within", such as created_at: { type: timestamp, within: 2y }',
  ],
  [
    'picks by age of owned rows whose owner has none',
    { operations: `h: { list: l, where: { q: 3 }, order_by: q, limit: 1, pick: { last: { 30d: 90% } }, ${rest} }` },
    'operations.h.pick.last: nothing says how old a row of e is: give it a timestamp with "within", such as created_at: { type: timestamp, within: 2y }',
  ],
  [
    'picks by age and by rank',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { skew: uniform, last: { 30d: 90% } }, ${rest} }` },
    'operations.h.pick.last: give either skew or last',
  ],
  [
    'more picks than there are',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { 30d: 90%, 60d: 20% } }, ${rest} }` },
    'operations.h.pick.last: the shares add up to more than 100%',
  ],
  [
    'no age',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: {} }, ${rest} }` },
    'operations.h.pick.last: expected ages with shares, such as { 30d: 90%, 1y: 9% }',
  ],
  [
    'an age that is none',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { month: 90% } }, ${rest} }` },
    'operations.h.pick.last.month: expected an age such as 30d or 1y',
  ],
  [
    'an age of nothing',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { 0d: 90% } }, ${rest} }` },
    'operations.h.pick.last.0d: expected an age of more than 0 and at most 9998y',
  ],
  [
    'the same age twice',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { 1d: 50%, 24h: 10% } }, ${rest} }` },
    'operations.h.pick.last.24h: this is the same age as 1d',
  ],
  [
    'picks of rows that are older than any',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { 30d: 90%, 1y: 9% } }, ${rest} }` },
    'operations.h.pick.last.1y: no row of e is older than 1y: the shares must add up to 100%',
  ],
  [
    'an age behind the oldest row',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { 30d: 90%, 1y: 9%, 2y: 1% } }, ${rest} }` },
    'operations.h.pick.last.2y: no row of e is older than 1y: its "t" goes back no further',
  ],
  [
    'an age that no row has',
    { fields: 't: { type: timestamp, within: 1y }', operations: `h: { get: e, pick: { last: { 1h: 90% } }, ${rest} }` },
    'operations.h.pick.last.1h: of the 100 rows of e none is as new as this: take a longer span',
  ],
  [
    'a window of a field that is no time',
    { operations: `h: { list: e, where: { n: { last: 1d } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n: "last" takes a timestamp, "n" is int',
  ],
  [
    'bounds of a text',
    { fields: 't: { type: email }', operations: `h: { list: e, where: { t: { gte: 1 } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.t: bounds are of an int or a decimal, "t" is email',
  ],
  [
    'bounds of which none is said',
    { operations: `h: { list: e, where: { n: {} }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n: expected a bound such as { gte: 10, lt: 50 }',
  ],
  [
    'bounds between which no number lies',
    { operations: `h: { list: e, where: { n: { gt: 4, lt: 5 } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n: no number lies between these bounds',
  ],
  [
    'two lower bounds',
    { operations: `h: { list: e, where: { n: { gt: 4, gte: 5 } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n: expected one lower and one upper bound at most',
  ],
  [
    'two windows',
    {
      fields: 't: { type: timestamp, within: 1y }, u: { type: timestamp }',
      operations: `h: { list: e, where: { t: { last: 1d }, u: { last: 1d } }, order_by: id, limit: 1, ${rest} }`,
    },
    'operations.h.where.u: one window at most can be asked for',
  ],
  [
    'two windows of an aggregate',
    {
      fields: 't: { type: timestamp, within: 1y }',
      operations: `h: { aggregate: e, where: { t: { last: 1d } }, over: 1d, ${rest} }`,
    },
    'operations.h.over: one window at most can be asked for, and "where" has one',
  ],
  [
    'a prefix of a number',
    { operations: `h: { list: e, where: { n: { prefix: 2 } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n: "prefix" takes words or an email, "n" is int',
  ],
  [
    'a prefix without characters',
    { fields: 't: { type: email }', operations: `h: { list: e, where: { t: { prefix: 0 } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.t.prefix: expected at least 1, not 0',
  ],
  [
    'none of all values that there are',
    {
      fields: 's: { type: enum, values: [open, shut] }',
      operations: `h: { list: e, where: { s: { not_in: [open, shut] } }, order_by: id, limit: 1, ${rest} }`,
    },
    'operations.h.where.s: "s" has no other value',
  ],
  [
    'not a value that there is not',
    {
      fields: 's: { type: enum, values: [open, shut] }',
      operations: `h: { list: e, where: { s: { not: shot } }, order_by: id, limit: 1, ${rest} }`,
    },
    'operations.h.where.s.not: "shot" is no value of "s", did you mean "shut"?',
  ],
  [
    'a constant that the field does not have',
    {
      fields: 's: { type: enum, values: [open, shut] }',
      operations: `h: { list: e, where: { s: { in: [open, shot] } }, order_by: id, limit: 1, ${rest} }`,
    },
    'operations.h.where.s.in.1: "shot" is no value of "s", did you mean "shut"?',
  ],
  [
    'one constant of several',
    { operations: `h: { list: e, where: { n: { in: [4] } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n.in: expected at least 2 entries',
  ],
  [
    'a window that is no duration',
    { operations: `h: { list: e, where: { n: { last: 4x } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n.last: expected a duration such as 20ms, 30d or 3y',
  ],
  [
    'a misspelt bound',
    { operations: `h: { list: e, where: { n: { gtee: 4 } }, order_by: id, limit: 1, ${rest} }` },
    'operations.h.where.n.gtee: unknown key, did you mean "gte"?',
  ],
  [
    'a regime nobody knows',
    { requirements: 'compliance: [gdpr, hippa]' },
    'requirements.compliance.1: "hippa" is none of them: there are gdpr, hipaa, pci_dss, soc2, sox; did you mean "hipaa"?',
  ],
  [
    'an engine nobody knows',
    { candidates: '[postgers]' },
    'candidates.0: there is no engine "postgers": there are postgres, mongodb; did you mean "postgres"?',
  ],
  [
    'an engine of a named candidate',
    { candidates: '[{ name: a, engine: mysql }]' },
    'candidates.0.engine: there is no engine "mysql": there are postgres, mongodb',
  ],
  [
    'p50 above p99',
    { operations: 'h: { get: e, rate: 1/s, p50: 50ms, p99: 5ms }' },
    'operations.h.p99: p99 cannot be below p50: fewer operations take longer',
  ],
  [
    'a reference to an inherited name',
    { fields: 'c: { ref: constructor }' },
    'entities.e.fields.c.ref: there is no entity "constructor" (known: e, l)',
  ],
  ['an inherited name as owner', { fields: 'c: { ref: to_string }' }, 'entities.e.fields.c.ref: there is no entity "to_string" (known: e, l)'],
  [
    'an update that changes nothing',
    { operations: `u: { update: e, set: {}, ${rest} }` },
    'operations.u: this update changes nothing: say what it sets or adds',
  ],
  [
    'set and add of one field',
    { operations: `u: { update: e, set: { n: 1 }, add: { n: 1 }, ${rest} }` },
    'operations.u.add.n: "n" is set by the same update: set it or add to it',
  ],
  [
    'a rate of 0',
    { operations: 't: { transaction: [{ insert: e }], rate: 0/s, p99: 1s }' },
    'operations.t.rate: a rate of 0 never runs: remove the operation',
  ],
  [
    'an age before the year 1',
    { fields: 't: { type: timestamp, within: 3000y }' },
    'entities.e.fields.t.within: this reaches back before the year 1, where not every server has times',
  ],
  [
    'an epoch at the end of time',
    { epoch: '9999-12-31T23:00:00Z' },
    'epoch: a run must lie within the years 1 to 9999: not every server has other times',
  ],
  [
    'an expiry behind the end of time',
    { entity: 'ttl: 8000y', epoch: '9000-01-01T00:00:00Z' },
    'entities.e.ttl: rows would expire after the year 9999, where not every server has times',
  ],
  ['a ttl of nothing', { entity: 'ttl: 0ms' }, 'entities.e.ttl: expected more than 0'],
  ['an age of 10^11 years', { fields: 't: { type: timestamp, within: 99999999999y }' }, 'entities.e.fields.t.within: expected at most 9998y'],
  [
    'a growth that is no number',
    { entity: `growth: ${'9'.repeat(400)}%/month` },
    'entities.e.growth: expected at most 100%/month: what doubles every month',
  ],
  ['no memory', { bench: '{ limits: { cpus: 1, memory: 0B } }' }, 'bench.limits.memory: expected at least 16MiB'],
  ['a horizon of 10^6 years', { requirements: 'horizon: 1000000y' }, 'requirements.horizon: expected at most 30y'],
  [
    'a NUL in a text',
    { fields: 's: { type: enum, values: ["a\\0b", c] }' },
    'a text cannot hold the character NUL (\\0): not every server stores it',
  ],
  [
    'half a surrogate pair',
    { fields: 's: { type: enum, values: ["a\\uD83D", c] }' },
    'a text cannot hold half of a surrogate pair: it is no character, and UTF-8 has no bytes for it',
  ],
  ['a value listed twice', { fields: 's: { type: enum, values: [a, b, a] }' }, 'entities.e.fields.s.values.2: "a" is listed twice'],
  [
    'a range beyond four bytes',
    { fields: 'w: { type: int, range: [0, 2147483648] }' },
    'entities.e.fields.w.range: values must stay within ±2147483647',
  ],
  [
    'a constant beyond four bytes',
    { operations: `a: { aggregate: e, where: { n: 99999999999 }, ${rest} }` },
    'operations.a.where.n: "n" is int: expected a number within ±2147483647, not 99999999999',
  ],
  [
    'an addition that soon is inexact',
    { operations: `u: { update: e, add: { d: 1000000000 }, ${rest} }` },
    'operations.u.add.d: at most ±2147483647 in units of the last digit can be added at once: more would soon pass what is held exactly',
  ],
  [
    'an addition to a reference',
    { operations: `u: { update: l, add: { e_ref: 1 }, ${rest} }` },
    'operations.u.add.e_ref: "e_ref" is a reference: only int and decimal fields can be added to',
  ],
  [
    'a searched text that servers would take apart differently',
    {
      fields: 'w: { type: words, count: [1, 3] }',
      operations: `s: { search: e, in: [w], limit: 9, ${rest} }\n  u: { update: e, set: { w: Half-Time }, ${rest} }`,
    },
    'operations.u.set.w: "w" is searched: expected lower-case words a-z, not "Half-Time"',
  ],
  ['an owned entity listed twice', { operations: `i: { insert: e, with: [l, l], ${rest} }` }, 'operations.i.with.1: "l" is listed twice'],
  [
    'a touch of rows that stay',
    { operations: `t: { touch: e, ${rest} }` },
    'operations.t.touch: rows of e do not expire: give it a ttl, or leave this out',
  ],
  [
    'a rank within a range',
    { operations: `r: { rank: e, by: -n, where: { d: { gte: 1 } }, ${rest} }` },
    'operations.r.where: a rank is among rows that equal in some fields: use any, or a constant',
  ],
  [
    'a touch of owned rows',
    { entity: 'ttl: 1h', operations: `t: { touch: l, ${rest} }` },
    'operations.t.touch: rows of l live as long as their owner: touch e',
  ],
  [
    'an update of when a row expires',
    { entity: 'ttl: 1h', operations: `t: { update: e, set: { expires_at: now }, ${rest} }` },
    'operations.t.set.expires_at: "expires_at" is kept by dbtrial and cannot be updated',
  ],
  [
    'an atomic read-modify-write without a version',
    { operations: `u: { read_modify_write: e, atomic: true, ${rest} }` },
    'operations.u: atomic needs a version: an int field of the row, to which every write adds one',
  ],
  [
    'a version that nothing compares',
    { operations: `u: { read_modify_write: e, atomic: false, version: n, ${rest} }` },
    'operations.u.version: only atomic: true compares a version',
  ],
  [
    'a version that is no whole number',
    { operations: `u: { read_modify_write: e, atomic: true, version: d, ${rest} }` },
    'operations.u.version: a version is an int that is counted up, such as { type: int, range: [1, 50] }: "e.d" is none',
  ],
  [
    'a version that is set, too',
    { operations: `u: { read_modify_write: e, atomic: true, version: n, set: { n: any }, ${rest} }` },
    'operations.u.set.n: "n" is the version: every write adds one to it',
  ],
  [
    'owned rows that are read by themselves',
    { operations: `u: { read_modify_write: l, atomic: false, ${rest} }` },
    'operations.u: rows of l are read with their owner: use update',
  ],
  [
    'an expected version of a row that is none',
    { operations: `i: { insert: e, expects: n.n, ${rest} }` },
    'operations.i.expects: "n" refers to no row: it is int',
  ],
  [
    'a guard without a condition',
    { operations: `u: { update: e, add: { n: 1 }, if: {}, ${rest} }` },
    'operations.u.if: a guard is one condition, such as { balance: { gte: 10 } }',
  ],
  [
    'a guard of two conditions',
    { operations: `u: { update: e, add: { n: 1 }, if: { n: { gte: 1, lt: 9 } }, ${rest} }` },
    'operations.u.if: a guard is one condition, such as { balance: { gte: 10 } }',
  ],
  [
    'a guard by a comparison that there is not',
    { operations: `u: { update: e, add: { n: 1 }, if: { n: { gtee: 1 } }, ${rest} }` },
    'operations.u.if.n.gtee: unknown key, did you mean "gte"?',
  ],
  [
    'a guard of a field that there is not',
    { operations: `u: { update: e, add: { n: 1 }, if: { nn: { gte: 1 } }, ${rest} }` },
    'operations.u.if.nn: e has no field "nn", did you mean "n"?',
  ],
  [
    'a guard with half a cent',
    { operations: `u: { update: e, add: { n: 1 }, if: { d: { gte: 1.005 } }, ${rest} }` },
    'operations.u.if.d.gte: "d" is decimal: expected at most 2 digits after the point, not 1.005',
  ],
  [
    'a guard of the key',
    { operations: `u: { update: e, add: { n: 1 }, if: { id: { equals: x } }, ${rest} }` },
    'operations.u.if.id: "id" is part of the key: the row that is addressed has it',
  ],
  [
    'a guard of a reference',
    { operations: `u: { update: l, add: { q: 1 }, if: { e_ref: { equals: x } }, ${rest} }` },
    'operations.u.if.e_ref: a guard compares fields of type int, decimal, bool, enum, words, "e_ref" is a reference',
  ],
  [
    'more or less than a word',
    { fields: 's: { type: enum, values: [a, b] }', operations: `u: { update: e, add: { n: 1 }, if: { s: { gt: 1 } }, ${rest} }` },
    'operations.u.if.s: only int and decimal fields are more or less than a number, "s" is enum: use equals',
  ],
  [
    'a guard with a value of its own',
    { fields: 's: { type: enum, values: [a, b] }', operations: `u: { update: e, add: { n: 1 }, if: { s: { equals: any } }, ${rest} }` },
    'operations.u.if.s.equals: a guard compares with a constant',
  ],
  [
    'a guard by owned rows that lead nowhere',
    { operations: `u: { update: e, add: { n: 1 }, if: { n: { gte: l.q } }, ${rest} }` },
    'operations.u.if.n.gte: "l.q" needs via: l.<reference to e> in the same step',
  ],
  [
    'a guard by owned rows of another scale',
    { operations: `t: { transaction: [{ insert: e, with: [l] }, { update: e, via: l.e_ref, add: { n: -1 }, if: { d: { gte: -l.q } } }], ${rest} }` },
    'operations.t.transaction.1.if.d.gte: l.q and e.d must have the same type and scale',
  ],
  [
    'a guard by a text',
    { operations: `u: { update: e, add: { n: 1 }, if: { n: { gte: many } }, ${rest} }` },
    'operations.u.if.n.gte: expected a number, or with via order_item.quantity, with or without a minus',
  ],
  [
    'two inserts before one via',
    { operations: `t: { transaction: [{ insert: e, with: [l] }, { insert: e, with: [l] }, { update: e, via: l.e_ref, add: { n: 1 } }], ${rest} }` },
    'operations.t.transaction.2.via: two earlier steps insert l: it is not clear whose rows "via" follows',
  ],
  [
    'one unique value for many rows',
    {
      fields: 'm: { type: email, unique: true }',
      operations: `t: { transaction: [{ insert: e, with: [l] }, { update: e, via: l.e_ref, set: { m: any } }], ${rest} }`,
    },
    'operations.t.transaction.1.set.m: "m" is unique, and all rows that "via" leads to get one value',
  ],
  [
    'a sum of nothing',
    { more: 'invariants: { i: { conserve: "" } }' },
    'invariants.i.conserve: expected a sum such as "sum(product.stock) + sum(order_item.quantity)"',
  ],
]

describe('refused with its line', () => {
  test.each(refused)('%s', (_, parts, message) => {
    expect(problems(scenario(parts))).toContain(message)
  })

  test('a clash with an implicit key', () => {
    const text = scenario({}).replace('fields: { q:', 'fields: { line: { type: int, range: [0, 9] }, q:')
    expect(problems(text)).toEqual(['entities.l.fields.line: "line" is a name dbtrial uses for this entity: choose another'])
  })

  test('the key __proto__, which JavaScript would lose', () => {
    expect(problems(scenario({ operations: `__proto__: { get: e, ${rest} }` }))).toEqual(['"__proto__" cannot be a key'])
  })
})

describe('in our words', () => {
  test.each<[string, string, string]>([
    ['an empty file', '', 'the file is empty: a scenario has a name, entities, operations, requirements and candidates'],
    ['a number out of bounds', scenario({ bench: '{ limits: { cpus: 0, memory: 1GiB } }' }), 'bench.limits.cpus: expected at least 1, not 0'],
    ['a map where a text is expected', scenario({}).replace('summary: x', 'summary: {}'), 'summary: expected a text, not a map'],
    [
      'nothing where a map is expected',
      scenario({ operations: 'h:' }),
      'operations.h: expected an operation such as { get: product, rate: 900/s, p99: 10ms }',
    ],
    [
      'an option that is none',
      scenario({ bench: '{ effort: fast }' }),
      'bench.effort: "fast" is none of them: there are smoke, quick, standard, thorough',
    ],
    ['a key given twice', scenario({ operations: `g: { get: e, ${rest} }` }), '"g" is given twice, first in line 11: keys are unique'],
    [
      'a misspelt key, once',
      scenario({ operations: `h: { list: e, where: {}, orderby: n, limit: 1, ${rest} }` }),
      'operations.h.orderby: unknown key, did you mean "order_by"?',
    ],
    ['a misspelt limit, once', scenario({ bench: '{ limits: { cpu: 1, memory: 1GiB } }' }), 'bench.limits.cpu: unknown key, did you mean "cpus"?'],
  ])('%s', (_, text, message) => {
    expect(problems(text)).toEqual([message])
  })

  test('nothing of a mutated scenario is told in words of the parser', () => {
    const text = scenario({
      operations: `h: { list: e, where: [], order_by: 3, limit: 0, page: last, pick: 7, ${rest} }`,
      bench: '{ effort: 3, repeats: 1.5, sizes: [1] }',
    })
    const found = problems(text.replace('seed: 7', 'seed: x').replace('count: 100', 'count: -1'))
    expect(found.length).toBeGreaterThan(7)
    for (const each of found)
      expect(each).not.toMatch(/Invalid|Too (small|big)|received|expected (number|string|object|array|int|record)\b|Unrecognized/)
  })
})

describe('as many as can be known, at once', () => {
  test('meaning beside grammar, in any part of the file', () => {
    const text = scenario({
      fields: 'a: { type: wrods, count: [1, 2] }, b: { ref: nobody }',
      operations: `u: { update: e, set: { nn: 1 }, rat: 1/s, p99: soon }\n  v: { get: x, ${rest} }`,
      requirements: 'compliance: [hippa]',
      candidates: '[mysql]',
      bench: '{ effort: fast }',
    })
    expect(problems(text).map((each) => each.split(':')[0])).toEqual([
      'entities.e.fields.a.type',
      'entities.e.fields.b.ref',
      'operations.u.set.nn',
      'operations.u.rat',
      'operations.u.p99',
      'operations.v.get',
      'requirements.compliance.0',
      'candidates.0',
      'bench.effort',
    ])
  })

  test('what is broken has no followers', () => {
    expect(
      problems(scenario({ fields: 'a: { type: wrods }', operations: `h: { list: e, where: { a: any }, order_by: a, limit: 1, ${rest} }` })),
    ).toHaveLength(1)
    expect(problems(scenario({ operations: `u: { update: e, set: { n: [] }, ${rest} }` }))).toHaveLength(1)
    expect(problems(scenario({}).replace('{ type: uuid, key: true }', '{ type: uid, key: true }'))).toHaveLength(1)
    expect(problems(scenario({}).replace('count: 100', 'count: many'))).toHaveLength(1)
    expect(problems(scenario({}).replace(/entities:.*operations:/s, 'entities: 3\noperations:'))).toEqual([
      'entities: expected a map of keys and values, not 3',
    ])
  })
})

describe('accepted', () => {
  test('without an epoch, always the same', () => {
    expect(parseScenario(scenario({}), 's.yaml').epochMs).toBe(Date.parse('2026-01-01T00:00:00Z'))
  })

  test('values that are called any and now', () => {
    const { operations } = parseScenario(
      scenario({
        fields: 's: { type: enum, values: [any, now] }',
        operations: `a: { aggregate: e, where: { s: { value: any } }, ${rest} }\n  u: { update: e, set: { s: now }, ${rest} }\n  v: { update: e, set: { s: any }, ${rest} }`,
      }),
      's.yaml',
    )
    expect(operations[1]).toMatchObject({ where: [{ field: 's', constant: 'any' }] })
    expect(operations[2]).toMatchObject({ set: [{ field: 's', to: 'constant', constant: 'now' }] })
    expect(operations[3]).toMatchObject({ set: [{ field: 's', to: 'any' }] })
  })

  test('a window that reaches back before all data begins where times begin', () => {
    const { epochMs, operations } = parseScenario(
      scenario({ fields: 't: { type: timestamp, within: 3y }', operations: `a: { aggregate: e, over: 300000y, ${rest} }` }),
      's.yaml',
    )
    expect(operations[1]).toMatchObject({ over: { field: 't', ms: epochMs - Date.parse('0001-01-01T00:00:00Z') } })
  })

  test('words of SQL and of the harness as names', () => {
    const names = 'line token bucket xmin key select order value constructor'.split(' ')
    expect(problems(scenario({ fields: names.map((name) => `${name}: { type: bool }`).join(', ') }))).toEqual([])
  })
})

describe('a file that is none', () => {
  const path = (name: string, content: string | Buffer) => {
    writeFileSync(join(directory, name), content)
    return join(directory, name)
  }

  test('a pipe, a device and a directory are not read', () => {
    const pipe = join(directory, 'pipe')
    spawnSync('mkfifo', [pipe])
    for (const file of [pipe, '/dev/zero']) expect(() => inspectScenario(file, [])).toThrow(/cannot be read as a scenario: it is no regular file/)
    expect(() => inspectScenario(directory, [])).toThrow(/it is a directory/)
  })

  test('too large, or no text', () => {
    expect(inspectScenario(path('large.yaml', Buffer.alloc(2 ** 20, 'a')), []).problems[0]?.message).toBe('the file is larger than 256 KiB')
    expect(inspectScenario(path('latin1.yaml', Buffer.from('name: caf\xe9', 'latin1')), []).problems[0]?.message).toBe('the file is no UTF-8 text')
  })

  test('problems end after a hundred', () => {
    const fields = Array.from({ length: 900 }, (_, at) => `f${at}: { ref: z${at} }`).join(', ')
    const found = problems(scenario({ fields }))
    expect(found).toHaveLength(101)
    expect(found.at(-1)).toBe('and 800 more')
  })

  test('more entries than anybody writes, or more levels, are one problem', () => {
    expect(problems(scenario({ fields: Array.from({ length: 5000 }, (_, at) => `f${at}: 1`).join(', ') }))).toEqual([
      '5,003 entries: at most 1000 fit in one place',
    ])
    expect(problems(`name: ${'['.repeat(50)}${']'.repeat(50)}`)).toEqual(['more than 30 levels within one another'])
  })
})

describe('on a terminal', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const dbtrial = (...options: string[]) => spawnSync(process.execPath, [join(root, 'bin/dbtrial.mjs'), ...options], { encoding: 'utf8' })
  const write = (text: string) => {
    const file = join(directory, 'terminal.yaml')
    writeFileSync(file, text)
    return file
  }

  test('foreign text moves no cursor and forges no line', () => {
    const file = write(scenario({ operations: `"x\\r\\nfake.yaml:1:1: ok": { get: e, ${rest} }\n  "\\e]0;pwned\\a": 1` }))
    const { status, stderr } = dbtrial('validate', file)
    expect(status).toBe(2)
    expect(stderr).toContain('x\\u{d}\\u{a}fake.yaml:1:1: ok')
    expect(stderr).not.toMatch(/^fake\.yaml/m)
    expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    const models = dbtrial('models', write(scenario({ fields: 's: { type: enum, values: ["\\e[2Jx", "a\\nfake"] }' })), '--engine', 'postgres')
    expect(models.status).toBe(0)
    expect(models.stdout).toContain('\\u{1b}[2Jx')
    expect(models.stdout).not.toMatch(/^fake/m)
  })

  test('machine-readable, errors and warnings, too', () => {
    const wrong = dbtrial('validate', '--json', write(scenario({ operations: `h: { get: nobody, ${rest} }` })))
    expect(wrong.status).toBe(2)
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      valid: false,
      scenarios: [
        {
          valid: false,
          problems: [{ severity: 'error', line: 12, column: 13, path: 'operations.h.get', message: 'there is no entity "nobody" (known: e, l)' }],
        },
      ],
    })
    const warned = dbtrial('validate', '--json', write(scenario({ requirements: 'regions: [eu-wset-1]' })))
    expect(warned.status).toBe(0)
    expect(JSON.parse(warned.stdout)).toMatchObject({
      valid: true,
      scenarios: [
        { problems: [{ severity: 'warning', path: 'requirements.regions.0', message: expect.stringContaining('did you mean "eu-west-1"?') }] },
      ],
    })
    const models = dbtrial('models', write(scenario({ operations: `h: { get: nobody, ${rest} }` })), '--engine', 'postgres', '--json')
    expect(models.status).toBe(2)
    expect(JSON.parse(models.stdout)).toMatchObject({ error: { code: 'scenario-invalid' }, problems: [{ path: 'operations.h.get' }] })
    expect(JSON.parse(dbtrial('models', 'ecommerce', '--engine', 'postgres', '--json').stdout).ddl[0]).toMatch(/^CREATE TABLE/)
  })

  test('candidates that are there twice, or not at all', () => {
    expect(dbtrial('plan', 'ecommerce', '--candidates', 'postgres,postgres').stderr).toContain('--candidates: "postgres" is listed twice')
    expect(dbtrial('plan', 'ecommerce', '--candidates', 'postgers').stderr).toContain('did you mean "postgres"?')
    expect(dbtrial('plan', 'ecommerce', '--candidates', 'memcached').stderr).toContain(
      'memcached promises no more than volatile, and the scenario asks for durability fsync',
    )
  })

  test('a model for less than the scenario asks for says so, and one for as much says nothing', () => {
    for (const format of [[], ['--json']]) {
      const less = dbtrial('models', 'ecommerce', '--engine', 'memcached', ...format)
      expect(less.status).toBe(0)
      expect(less.stderr).toContain('memcached promises no more than volatile, and the scenario asks for durability fsync')
      expect(less.stdout).not.toContain('promises no more')
    }
    expect(dbtrial('models', 'ecommerce', '--engine', 'postgres').stderr).toBe('')
  })

  test('init takes every durability that there is', () => {
    const made = dbtrial('init', 'cache', '--durability', 'volatile', '--candidates', 'memcached', '--dir', directory)
    expect(made.status, made.stderr).toBe(0)
    expect(readFileSync(join(directory, 'cache.yaml'), 'utf8')).toContain('durability: volatile')
  })
}, 60_000)

test('security is on where a regime asks for it, unless the scenario says otherwise, and may be on without one', () => {
  const securityOf = (parts: Parts) => parseScenario(scenario(parts), 's.yaml', engines).bench.security
  for (const regime of ['gdpr', 'hipaa', 'pci_dss', 'soc2', 'sox', 'PCI DSS'])
    expect(securityOf({ requirements: `compliance: [${regime}]` }), regime).toBe('on')
  expect(securityOf({})).toBeUndefined()
  expect(securityOf({ requirements: 'compliance: []' })).toBeUndefined()
  expect(securityOf({ bench: '{ security: on }' })).toBe('on')
  expect(securityOf({ requirements: 'compliance: [gdpr]', bench: '{ security: off }' })).toBeUndefined()
})

test('a candidate promises as much as is asked for, and no more than it must; one that cannot is refused where it stands', () => {
  const known: KnownEngine[] = [...engines, { name: 'cache', durability: ['volatile'] }]
  const read = (durability: string, candidates: string) =>
    parseScenario(scenario({ candidates }).replace('durability: fsync', `durability: ${durability}`), 's.yaml', known).candidates.map(
      (each) => each.durability,
    )
  expect(read('volatile', '[postgres, cache]')).toEqual(['relaxed', 'volatile'])
  expect(read('relaxed', '[postgres, { name: lost, engine: cache, durability: volatile }]')).toEqual(['relaxed', 'volatile'])
  expect(read('fsync', '[postgres, { name: fast, engine: postgres, durability: volatile }]')).toEqual(['fsync', 'relaxed'])
  const why =
    'cache promises no more than volatile, and relaxed is asked for: leave it out, or say "durability: volatile" in requirements, or for it alone as '
  expect(() => read('relaxed', '[postgres, cache]')).toThrow(/^s\.yaml:14:24: candidates\.1: /)
  expect(() => read('relaxed', '[postgres, cache]')).toThrow(`${why}{ name: …, engine: cache, durability: volatile }`)
  expect(() => read('relaxed', '[{ name: c, engine: cache }]')).toThrow(/candidates\.0\.engine: cache promises no more/)
  expect(() => read('fsync', '[{ name: c, engine: cache, durability: relaxed }]')).toThrow(/candidates\.0\.durability: cache promises no more/)
})

test('a candidate stands behind a pooler of its engine, and of no other', () => {
  const known: KnownEngine[] = engines.map((each) => (each.name === 'postgres' ? { ...each, poolers: ['gate'] } : each))
  const read = (candidates: string) => parseScenario(scenario({ candidates }), 's.yaml', known).candidates
  expect(read('[postgres, { name: gated, engine: postgres, pooler: gate }]')).toEqual([
    { name: 'postgres', engine: 'postgres', durability: 'fsync' },
    { name: 'gated', engine: 'postgres', durability: 'fsync', pooler: 'gate' },
  ])
  expect(() => read('[{ name: gated, engine: postgres, pooler: gates }]')).toThrow(
    'candidates.0.pooler: there is no pooler "gates" of postgres: there are gate; did you mean "gate"?',
  )
  expect(() => read('[{ name: gated, engine: mongodb, pooler: gate }]')).toThrow(/candidates\.0\.pooler: there is no pooler "gate" of mongodb/)
})

test('a growth for all is that of rows and rates which state none; a scheduled job does not run more often', () => {
  const resolved = parseScenario(
    scenario({ operations: 'j: { aggregate: e, rate: 1/min, p99: 1s, scales: false }', requirements: 'growth: 4%/month' }),
    's.yaml',
    engines,
  )
  const growthOf = (name: string) => resolved.entities.find((each) => each.name === name)?.growthPerMonth.toFixed(3)
  expect([growthOf('e'), growthOf('l')]).toEqual(['0.040', '0.040'])
  expect(resolved.operations.map(({ name, loadGrowthPerMonth }) => [name, loadGrowthPerMonth.toFixed(3)])).toEqual([
    ['g', '0.040'],
    ['j', '0.000'],
  ])
  const own = parseScenario(scenario({ entity: 'growth: 1%/month', requirements: 'growth: 4%/month' }), 's.yaml', engines)
  expect(own.entities.find((each) => each.name === 'e')?.growthPerMonth).toBeCloseTo(0.01, 9)
})
