/** What an operator needs of the design: copies, backups, alerts, the way there, rights and risks, from the facts of the result alone. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { engines } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { antiPatterns } from '../../../src/report/anti-patterns.ts'
import { designFiles } from '../../../src/report/design.ts'
import type { Document, Table } from '../../../src/report/render/document.ts'
import { count } from '../../../src/report/render/format.ts'
import { toMarkdown } from '../../../src/report/render/markdown.ts'
import { backupSection } from '../../../src/report/sections/backup.ts'
import { cachingSection } from '../../../src/report/sections/caching.ts'
import { dataModelSection } from '../../../src/report/sections/data-model.ts'
import { migrationSection } from '../../../src/report/sections/migration.ts'
import { monitoringSection } from '../../../src/report/sections/monitoring.ts'
import { replicationSection } from '../../../src/report/sections/replication.ts'
import { requirementsSection } from '../../../src/report/sections/requirements.ts'
import { riskSection } from '../../../src/report/sections/risks.ts'
import { securitySection } from '../../../src/report/sections/security.ts'
import type { Told } from '../../../src/report/told.ts'
import { type CandidateResult, type Result, readResult } from '../../../src/result/result.ts'

import type { Tiers } from '../../../src/scenario/scenario.ts'
import { yearMs } from '../../../src/scenario/units.ts'
import { scenarioByAge } from '../data/scenario-by-age.ts'

const saved = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))

/** The saved run with what its products say today. */
function changed(change: (result: Result) => void = () => {}): Result {
  const result = structuredClone(saved)
  for (const candidate of result.candidates) candidate.traits = { ...engines.find((each) => each.name === candidate.engine)?.traits } as never
  change(result)
  return result
}
const toldOf = (result: Result, decision: Told['decision'] = null): Told => ({ result, assessment: assess(result), decision, charts: () => [] })
const named = (result: Result, name: string) => result.candidates.find((each) => each.name === name) as CandidateResult
const tablesOf = (blocks: Document): Table[] =>
  blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : block.kind === 'details' ? tablesOf(block.blocks) : []))
const rowOf = (blocks: Document, first: string) =>
  tablesOf(blocks)
    .flatMap(({ rows }) => rows)
    .find(([own]) => own === first)

describe('caching', () => {
  const blocks = cachingSection(toldOf(saved))

  test('tells of each call by key how much the hottest rows take, and which writes make an answer old', () => {
    const [, perSecond, one, ten] = rowOf(blocks, 'get_product') ?? []
    expect(perSecond).toBe('900')
    expect(Number.parseFloat(ten as string)).toBeGreaterThan(Number.parseFloat(one as string))
    expect(rowOf(blocks, 'get_order')?.at(-1)).toBe('place_order, ship_order')
  })

  test('tells what an answer that may be old takes off the store', () => {
    const result = changed(({ scenario }) => {
      for (const each of scenario.operations) if (each.name === 'daily_revenue') Object.assign(each, { stalenessMs: 3_600_000, ratePerSecond: 0.1 })
    })
    expect(toMarkdown(cachingSection(toldOf(result)))).toMatch(/may be 1 hour old and is asked 360 times in that time: .* takes 99\.7 % of its calls/)
  })
})

describe('rows by age', () => {
  test('stand with what they take, today and at the horizon, and what a cache of them answers', () => {
    const { operations } = scenarioByAge
    const result = changed(({ scenario }) => Object.assign(scenario, { entities: scenarioByAge.entities, operations }))
    const text = toMarkdown(cachingSection(toldOf({ ...result, candidates: [] })))
    const hot = operations[0]?.pick.skew as Tiers
    const today = count((hot.tiers[0]?.rowShare as number) * 200_000)
    expect(text).toMatch(new RegExp(`read +\\| the last 30 days +\\| +${today} +\\|`))
    expect(text).toMatch(/30 days to 1 year old .* 9 % \| +99 % \|/)
    expect(text).toMatch(/older than 1 year .* 1 % \| +100 % \|/)
    // Of a list, too.
    expect(text).toMatch(/lines +\| the last year/)
    expect(toMarkdown(cachingSection(toldOf(saved)))).not.toContain('Hot, warm and cold')
  })
})

describe('archive', () => {
  const archiving = () =>
    changed((result) => {
      const order = result.scenario.entities.find(({ name }) => name === 'order')
      Object.assign(order as object, { archiveAfterMs: 2 * yearMs })
      for (const candidate of result.candidates) {
        const engine = engines.find(({ name }) => name === candidate.engine) as (typeof engines)[number]
        const operations = allOperations(result.scenario)
        candidate.handbook = engine.handbook(engine.compile(deriveModel(engine, result.scenario), operations, result.scenario, 'fsync'))
      }
    })

  test('says what leaves, what that takes, who asks for it in vain, and each product how it is done', () => {
    const text = toMarkdown(backupSection(toldOf(archiving()))).replaceAll('\\', '')
    expect(text).toMatch(/\| order +\| 2 years +\| 7 years +\| +[\d,]+ → [\d,]+ +\| +[\d,]+ → [\d,]+ +\| [\d.]+ GB → [\d.]+ GB \|/)
    expect(text).toMatch(/- get_order asks for archived rows of order in [\d.]+ % of its calls\./)
    expect(text).toMatch(/- order_history comes to archived rows of order where there are too few newer ones for a page\./)
    expect(text).not.toMatch(/daily_revenue adds up/)
    expect(text).toContain('DELETE FROM')
    expect(text).toContain('mongodump --db application --collection order')
    expect(text).toContain("cqlsh -e 'ALTER TABLE dbtrial.")
    expect(toMarkdown(requirementsSection(toldOf(archiving())))).toContain('7 years; archived after 2 years')
  })

  test('is no part of a report where nothing leaves', () => {
    expect(toMarkdown(backupSection(toldOf(changed())))).not.toContain('Archive')
    for (const engine of engines) {
      const { scenario } = saved
      expect(
        engine.handbook(engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'fsync')).archive,
        engine.name,
      ).toBeUndefined()
    }
  })
})

describe('backup', () => {
  const logFor = (rpoMs: number | null) =>
    rowOf(backupSection(toldOf(changed(({ scenario }) => (scenario.requirements.rpoMs = rpoMs)))), 'the log')?.[1]

  test('is as often as the recovery point asks', () => {
    expect([logFor(null), logFor(2 * 86_400_000), logFor(60_000), logFor(0)]).toEqual([
      'not asked for',
      'not needed',
      'shipped at least every 30 seconds',
      'with every write: a copy that confirms it',
    ])
  })

  test('has no schedule for what lives as long as its server, and no tests where there is nothing else', () => {
    const textOf = (...names: string[]) =>
      toMarkdown(
        backupSection(
          toldOf(
            changed(({ candidates }) => candidates.filter(({ name }) => names.includes(name)).forEach((each) => (each.durability = 'volatile'))),
          ),
        ),
      )
    const one = textOf('redis')
    expect(one).toMatch(/^Of redis nothing is kept/)
    expect(one).toContain('a copy of the data')
    const all = textOf(...saved.candidates.map(({ name }) => name))
    expect(all).toContain('no schedule is for it')
    expect(all).not.toMatch(/a copy of the data|every day|every month|Schedule|Tests of the backup/)
  })

  test('has the procedures of the result, and says where it holds none', () => {
    const result = changed((own) => Object.assign(named(own, 'postgres'), { handbook: { backup: ['take-a-copy --all'], restore: ['put-it-back'] } }))
    const text = toMarkdown(backupSection(toldOf(result)))
    expect(text).toContain('take-a-copy --all\n\nput-it-back')
    expect(text).toContain('mongodb: this result holds no procedures.')
  })
})

describe('monitoring', () => {
  const blocks = monitoringSection(toldOf(saved))

  test('has the usual limits, beside what was measured', () => {
    expect(rowOf(blocks, 'CPU of a server')?.slice(1, 3)).toEqual(['70 %', '90 %'])
    expect(rowOf(blocks, 'lag of a copy')?.slice(1)).toEqual(['5 seconds', '30 seconds', ...saved.candidates.map(() => '—')])
    expect(rowOf(blocks, 'CPU of a server')?.[3]).toMatch(/^[\d.]+ % \([\d.]+ %–[\d.]+ %\) at 1×, [\d.]+ % \([\d.]+ %–[\d.]+ %\) at 3×$/)
  })

  test('warns between what was measured and the limit, and of nothing that is over it', () => {
    const own = assess(saved).candidates[0]?.at.findLast(({ cells }) => cells.some(({ p99Us }) => p99Us !== null))
    const [table] = tablesOf(blocks).slice(1)
    for (const [operation, measured, warn] of table?.rows ?? []) {
      const cell = own?.cells.find((each) => each.operation === operation)
      const limitUs = 1000 * (saved.scenario.operations.find(({ name }) => name === operation)?.objectives[0]?.limitMs ?? 0)
      if (cell?.p99Us == null) expect([measured, warn]).toEqual(['—', '—'])
      else if (cell.p99IntervalUs !== null) expect(measured).toMatch(/\(.*–.*\)$/)
      if (cell?.p99Us == null) continue
      expect(warn === 'above the limit').toBe(cell.p99Us >= limitUs)
    }
  })
})

describe('migration', () => {
  test('numbers the steps of the design in their order', () => {
    const postgres = named(saved, 'postgres')
    const text = toMarkdown(migrationSection(toldOf(saved)))
    expect(text).toContain(`postgres: ${postgres.ddl.length} steps up; down in the opposite order`)
    expect(text).toContain('0001  CREATE TABLE "customer"')
  })

  test('names the files that hold the steps', () => {
    const steps = [
      { name: 'table_a', up: 'CREATE TABLE a', down: 'DROP TABLE a' },
      { name: 'index_a_b', up: 'CREATE INDEX', down: 'DROP INDEX' },
    ]
    const result = changed((own) => Object.assign(named(own, 'postgres'), { handbook: { migrations: steps } }))
    const text = toMarkdown(migrationSection(toldOf(result)))
    expect(text).toContain('postgres: 2 steps up, in design/postgres/migrations; down in the opposite order')
    expect(text).toContain('0001  table_a\n0002  index_a_b')
  })

  test('says where nothing has to be made first', () => {
    const result = changed((own) => Object.assign(named(own, 'redis'), { ddl: [], handbook: {} }))
    expect(toMarkdown(migrationSection(toldOf(result)))).toContain('redis needs no definitions')
  })
})

describe('security', () => {
  test('grants what operations do, entity by entity, and nothing else', () => {
    const blocks = securitySection(toldOf(saved))
    expect(rowOf(blocks, 'order')?.slice(2)).toEqual(['place_order', 'ship_order', '—'])
    expect(rowOf(blocks, 'order_item')?.slice(1)).toEqual(['get_order', 'place_order', '—', '—'])
  })

  test('who changes a row reads it, and who lets rows expire by a purge deletes them', () => {
    const purge = 'the purge of expired rows'
    const blocks = securitySection(toldOf(saved))
    expect(rowOf(blocks, 'session')?.slice(1)).toEqual([`read_session, write_session, ${purge}`, 'write_session', 'write_session', purge])
    expect(rowOf(blocks, 'product')?.[1]).toContain('place_order')
    const alone = changed((own) => own.candidates.splice(0, own.candidates.length, named(own, 'redis')))
    expect(rowOf(securitySection(toldOf(alone)), 'session')?.[4]).toBe('—')
  })

  test('names personal data, and what the server said of a control before what is written of its product', () => {
    const what = 'transport encryption'
    const result = changed((own) => named(own, 'postgres').parity.push({ what, asked: 'gdpr', set: 'on', effective: 'TLSv1.3', ok: true }))
    const blocks = securitySection(toldOf(result))
    expect(toMarkdown(blocks)).toContain('customer.email')
    expect(rowOf(blocks, what)?.slice(1, 3)).toEqual(['gdpr, pci_dss', '✓ measured: TLSv1.3'])
    expect(rowOf(blocks, 'audit trail')?.[2]).toMatch(/not measured$/)
  })
})

describe('tenants', () => {
  const rowRights = {
    how: ['Policies hold it.'],
    statements: ['ALTER TABLE "order" ENABLE ROW LEVEL SECURITY', 'CREATE POLICY tenant ON "order" USING (true)'],
  }

  test('without one, whoever has the role reads all rows', () => {
    const text = toMarkdown(securitySection(toldOf(saved)))
    expect(text).toContain('The scenario names no tenant')
    expect(text).not.toContain('### Tenants')
  })

  test('are told with their entities, the operations that are not bound to one, and what each server adds', () => {
    const result = changed((own) => {
      Object.assign(own.scenario.entities.find(({ name }) => name === 'order') ?? {}, { tenant: 'customer_id' })
      Object.assign(named(own, 'postgres').handbook, { rowRights })
      Object.assign(named(own, 'mongodb').verification, { foreign: 12 })
      Object.assign(named(own, 'mongodb').handbook, { rowRights: { how: ['The filters are what there is.'], statements: [] } })
    })
    const text = toMarkdown(securitySection(toldOf(result))).replaceAll('\\_', '_')
    expect(text).not.toContain('names no tenant')
    expect(text).toContain('Rows of order, order_item are those of one customer.')
    expect(text).toContain('Who asks for one of order by its key asks for it as')
    expect(text).toContain('Another tenant asked in the verification, in 12 (mongodb) answers')
    expect(text).not.toContain('addressed alone')
    expect(text).toContain('Rows of product, session are no tenant')
    expect(text).toMatch(/daily_revenue: it reads across tenants: "where" has no customer_id: any; under policies/)
    expect(text).not.toContain('order_history: ')
    expect(text).toContain('CREATE POLICY tenant ON "order" USING (true);')
    expect(text.match(/what they cost is not measured/g)).toHaveLength(1)
    expect(text).toContain('The filters are what there is.')
    const files = designFiles(toldOf(result)).filter(({ path }) => path.includes('row-level-security'))
    expect(files).toEqual([{ path: 'postgres/row-level-security.sql', text: `-- Policies hold it.\n\n${rowRights.statements.join(';\n\n')};\n` }])
  })
})

test('owned rows that an operation addresses alone are not said to be bound to their tenant', () => {
  const result = changed((own) => {
    Object.assign(own.scenario.entities.find(({ name }) => name === 'order') ?? {}, { tenant: 'customer_id' })
    own.scenario.operations = own.scenario.operations.map((each) => (each.kind === 'get' ? { ...each, entity: 'order_item', with: [] } : each))
    own.scenario.operations = own.scenario.operations.filter(({ kind }) => kind !== 'update' && kind !== 'delete' && kind !== 'transaction')
  })
  const text = toMarkdown(securitySection(toldOf(result))).replaceAll('\\_', '_')
  expect(text).toContain('Rows of order_item that are addressed alone, by their keys, are not bound to a tenant')
  expect(text).not.toContain('by its key asks for it as')
  expect(text).not.toContain('Another tenant asked')
})

test('what several candidates share is said once', () => {
  const said = toMarkdown(riskSection(toldOf(saved)))
    .split('\n')
    .filter((line) => line.includes('is random'))
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('postgres and mongodb')
})

describe('replication', () => {
  const result = changed()
  const { decision } = decide(result, assess(result), { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
  // Everybody is ranked, so that each product is told of.
  const standings = result.candidates.map(({ name }) => ({ name }))
  const blocks = replicationSection(toldOf(result, { ...decision, ranking: { ...decision.ranking, standings } } as never))

  test('says who answers a read, by the consistency that it asks for', () => {
    const head = tablesOf(blocks).find((each) => each.head[0] === 'read')?.head ?? []
    const of = (read: string) => Object.fromEntries((rowOf(blocks, read) ?? []).map((cell, at) => [head[at], cell]))
    expect(of('get_order')).toMatchObject({ 'consistency asked for': 'strong', postgres: 'the primary', cassandra: '2 of 3 copies' })
  })

  test('draws the fleet that is planned: as many servers as it has in one part', () => {
    const own = decision.candidates.find(({ name }) => name === 'postgres')?.plan?.fleet.now
    const diagram = blocks
      .flatMap((block) => (block.kind === 'diagram' ? [block.diagram] : []))
      .find(({ alternative }) => alternative.startsWith('postgres'))
    const servers = diagram?.boxes.filter(({ title }) => /^(primary|copy)/.test(title)) ?? []
    expect(servers).toHaveLength((own?.servers ?? 0) / (own?.parts ?? 1))
  })

  test('says nothing was measured of it', () => {
    expect(toMarkdown(blocks)).toContain('None of this was measured')
  })
})

describe('anti-patterns', () => {
  const foundIn = (candidate: CandidateResult) => antiPatterns(candidate, saved.scenario).flatMap(({ found }) => found)

  test('an index that nothing used is one, unless it keeps a promise', () => {
    const candidate = structuredClone(named(saved, 'postgres'))
    candidate.indexUseOf = 'all starts'
    for (const each of candidate.indexUse) each.uses = 0
    const unused = foundIn(candidate).filter((text) => text.startsWith('no call used'))
    expect(unused.some((text) => text.includes('customer_id_created_at_id of order'))).toBe(true)
    expect(unused.some((text) => text.includes('customer_email') || text.includes('expiry'))).toBe(false)
    // An earlier dbtrial asked once, at the end of the last start: what that did not use the others may have.
    Object.assign(candidate, { indexUseOf: 'last start', restores: 2 })
    expect(antiPatterns(candidate, saved.scenario).map(({ what }) => what)).not.toContain('indexes that no call used and no constraint needs')
    const own = changed((result) => result.candidates.splice(0, result.candidates.length, candidate))
    expect(toMarkdown(dataModelSection(toldOf(own)))).toContain('Uses are of all trials, those of postgres since its last start')
  })

  test('a call that asks many times is named with how often', () => {
    const candidate = structuredClone(named(saved, 'postgres'))
    const [access] = candidate.model.accesses
    access?.steps.splice(0, 9, { action: 'read', store: 'product', index: null, requests: 31 })
    expect(foundIn(candidate)).toContain(`one ${access?.operation} asks 31 times as a rule`)
  })

  test('a bound on what is embedded is kept in sight', () => {
    const scenario = structuredClone(saved.scenario)
    for (const { owner } of scenario.entities) if (owner !== null) owner.most = 100_000
    const found = antiPatterns(named(saved, 'mongodb'), scenario).flatMap((each) => each.found)
    expect(found.some((text) => text.startsWith('up to 100,000 rows of order_item lie inside one row of order'))).toBe(true)
  })
})
