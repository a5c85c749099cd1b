/** The files of a design hold what the report says, for each ranked candidate, and stand where a tool looks for them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readPrices } from '../../../src/assess/cost/prices.ts'
import { decide } from '../../../src/assess/decision/decision.ts'
import { assess } from '../../../src/assess/judge/assess.ts'
import { engines, pooledEngines } from '../../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../../src/families/derive.ts'
import { alertRules } from '../../../src/report/alert-rules.ts'
import { dictionaryRows } from '../../../src/report/data-dictionary.ts'
import { designFiles } from '../../../src/report/design.ts'
import { lagLimitsMs } from '../../../src/report/server-limits.ts'
import type { Told } from '../../../src/report/told.ts'
import { readResult } from '../../../src/result/result.ts'
import type { Durability } from '../../../src/scenario/scenario.ts'

const result = readResult(fileURLToPath(new URL('../../golden/results/ecommerce.json', import.meta.url)))
// What its products say today.
for (const candidate of result.candidates) {
  const engine = engines.find((each) => each.name === candidate.engine)
  if (engine === undefined) continue
  const model = deriveModel(engine, result.scenario)
  candidate.handbook = engine.handbook(engine.compile(model, allOperations(result.scenario), result.scenario, 'fsync'))
}
const assessment = assess(result)
const { decision } = decide(result, assessment, { catalogues: readPrices(), weights: {}, today: new Date('2026-11-21') })
const told: Told = { result, assessment, decision, charts: () => [] }
const files = designFiles(told)
const of = (path: string) => files.find((each) => each.path === path)?.text ?? ''
const ranked = decision.ranking.standings.map(({ name }) => name)
const directory = mkdtempSync(join(tmpdir(), 'dbtrial-design-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('each ranked candidate has its own, and nobody else', () => {
  expect(ranked.length).toBeGreaterThan(1)
  expect([...new Set(files.map(({ path }) => path.split('/')[0]))]).toEqual(ranked)
  for (const name of ranked)
    for (const file of ['alerts.yml', 'erd.svg', 'data-dictionary.csv']) expect(of(`${name}/${file}`).length, `${name}/${file}`).toBeGreaterThan(100)
})

test('the steps up are the schema in its order, and each has its way back', () => {
  const steps = files.filter(({ path }) => path.startsWith('postgres/migrations/'))
  const ups = steps.filter(({ path }) => path.endsWith('.up.sql'))
  expect(ups.map(({ text }) => text.trim()).join('\n\n')).toBe(of('postgres/schema.sql').trim())
  expect(ups.map(({ path }) => path.replace('.up.', '.down.'))).toEqual(
    steps.filter(({ path }) => path.endsWith('.down.sql')).map(({ path }) => path),
  )
  expect(ups[0]?.path).toMatch(/^postgres\/migrations\/0001_table_\w+\.up\.sql$/)
})

test('the dictionary has a line for each column, the picture stands alone', () => {
  const { model } = result.candidates.find(({ name }) => name === 'postgres') as (typeof result.candidates)[number]
  expect(of('postgres/data-dictionary.csv').trim().split('\r\n')).toHaveLength(1 + dictionaryRows(model.stores, result.scenario).length)
  expect(of('postgres/erd.svg')).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /)
})

/** Names of what an expression is about: neither functions and words of the language, nor labels and their values. */
const metricsOf = (expr: string) =>
  expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(by|on|group_right) ?\([^)]*\)/g, ' ').match(/\b[a-z]\w*_\w+\b(?! ?\()/g) ?? []

test('the rules of each product are names of its own exporter, and Prometheus takes them', () => {
  const prefixes: Record<string, RegExp> = {
    postgres: /^pg_/,
    pgbouncer: /^(pg|pgbouncer)_/,
    mariadb: /^mysql_/,
    mongodb: /^mongodb_/,
    redis: /^redis_/,
    valkey: /^redis_/,
    memcached: /^memcached_/,
    cassandra: /^(cassandra|jvm_memory|node_filesystem)_/,
  }
  const all = [...engines, ...pooledEngines]
  for (const engine of all) {
    const name = engine.pooler ?? engine.name
    const operations = allOperations(result.scenario)
    const durability = engine.capabilities.durability[0] as Durability
    const handbook = engine.handbook(engine.compile(deriveModel(engine, result.scenario), operations, result.scenario, durability))
    if (handbook.exporter === undefined) continue
    const prefix = prefixes[name]
    const candidate = { ...(result.candidates[0] as (typeof result.candidates)[number]), name, handbook }
    const { groups } = parse(alertRules(told, candidate)) as { groups: { name: string; rules: { alert: string; expr: string }[] }[] }
    const rules = groups.find((group) => group.name === `${name}: product`)?.rules ?? []
    expect(rules.length, name).toBeGreaterThan(3)
    for (const { alert, expr } of rules) {
      const metrics = metricsOf(expr)
      expect(metrics.length, alert).toBeGreaterThan(0)
      for (const metric of metrics) expect(metric, `${name} ${alert}`).toMatch(prefix as RegExp)
    }
    const file = join(directory, `product-${name}.yml`)
    writeFileSync(file, alertRules(told, candidate))
    const checked = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
    expect(checked.status, checked.stdout + checked.stderr).toBe(0)
    delete prefixes[name]
  }
  expect(prefixes).toEqual({})
})

test('a copy that lags, and connections, are judged by the limits of the table', () => {
  const { groups } = parse(of('postgres/alerts.yml')) as { groups: { rules: { alert: string; expr: string }[] }[] }
  const exprOf = (name: string) => groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === name)?.expr
  const lag = lagLimitsMs(result.scenario.requirements.rpoMs)
  expect(exprOf('lag_act')).toMatch(new RegExp(`^\\(pg_replication_lag_seconds.*\\) > ${lag.act / 1000}$`))
  expect(exprOf('lag_warn')).toMatch(new RegExp(` > ${lag.warn / 1000}$`))
  expect(exprOf('connections_act')).toMatch(/ > 0\.9$/)
})

test('the rules are those of section 11, and Prometheus takes them', () => {
  for (const name of ranked) {
    const { groups } = parse(of(`${name}/alerts.yml`)) as { groups: { rules: { alert: string; expr: string }[] }[] }
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.map(({ alert }) => alert)).toEqual(expect.arrayContaining(['server_cpu_warn', 'server_disk_act', 'p99_place_order_act']))
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    const [limit] = result.scenario.operations.find((each) => each.name === 'place_order')?.objectives.filter((each) => each.name === 'p99') ?? []
    expect(rules.find(({ alert }) => alert === 'p99_place_order_act')?.expr).toMatch(new RegExp(` > ${(limit?.limitMs as number) / 1000}$`))
    const file = join(directory, `${name}.yml`)
    writeFileSync(file, of(`${name}/alerts.yml`))
    const checked = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
    expect(checked.error, 'promtool is of Debian’s prometheus').toBeUndefined()
    expect(checked.status, checked.stdout + checked.stderr).toBe(0)
    expect(checked.stdout).toContain(`SUCCESS: ${rules.length} rules found`)
  }
})
