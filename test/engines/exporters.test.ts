/** What the rules of alerts ask for is what exporters tell of real servers: Debian's exporters, read by Debian's Prometheus, which evaluates each rule. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { assess } from '../../src/assess/judge/assess.ts'
import type { Endpoint, Engine } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { alertRules } from '../../src/report/alert-rules.ts'
import { readResult } from '../../src/result/result.ts'
import type { Durability } from '../../src/scenario/scenario.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
const copies = new TestBed()
const directory = mkdtempSync(join(tmpdir(), 'dbtrial-exporters-'))
const processes: ChildProcess[] = []
afterAll(async () => {
  for (const each of processes) each.kill()
  await copies[Symbol.asyncDispose]()
  await bed[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

interface Exporter {
  engine: string
  program: string
  /** Those that the rules name it with; an older one does not know all of them. */
  flags: string[]
  environment(endpoint: Endpoint): Record<string, string>
  /** Rules of what only a copy tells, where none follows here, and of what the exporter of an older Debian does not tell yet. */
  maybeSilent: RegExp
  /** Makes a second server follow the first. */
  follow?(copy: Endpoint, first: Endpoint): Promise<void>
}

const ofRedis = (engine: string): Exporter => ({
  engine,
  program: 'prometheus-redis-exporter',
  flags: [],
  environment: ({ host, port, user = '', password = '' }) => ({ REDIS_ADDR: `redis://${host}:${port}`, REDIS_USER: user, REDIS_PASSWORD: password }),
  maybeSilent: /^$/,
  async follow({ host, port, user = '', password = '' }, first) {
    const client = new Redis({ host, port, username: user, password })
    await client.config('SET', 'masteruser', first.user ?? '')
    await client.config('SET', 'masterauth', first.password ?? '')
    await client.replicaof(first.host, first.port)
    client.disconnect()
  },
})

const exporters: Exporter[] = [
  {
    engine: 'postgres',
    program: 'prometheus-postgres-exporter',
    flags: ['--collector.database_wraparound', '--collector.stat_checkpointer'],
    environment: ({ host, port, user, password }) => ({
      DATA_SOURCE_NAME: `postgresql://${user}:${password}@${host}:${port}/postgres?sslmode=disable`,
    }),
    maybeSilent: /^(lag|postgres_transaction_ids|postgres_checkpoints_requested)/,
  },
  {
    engine: 'mariadb',
    program: 'prometheus-mysqld-exporter',
    flags: [],
    environment: ({ host, port, user, password }) => ({ DATA_SOURCE_NAME: `${user}:${password}@(${host}:${port})/` }),
    maybeSilent: /^(lag|mariadb_replication_stopped)/,
  },
  ofRedis('redis'),
  ofRedis('valkey'),
]

const result = readResult(fileURLToPath(new URL('../golden/results/ecommerce.json', import.meta.url)))
const told = { result, assessment: assess(result), decision: null, charts: () => [] }

/** As a report writes them. */
function rulesOf(engine: Engine): string {
  const durability = engine.capabilities.durability[0] as Durability
  const compiled = engine.compile(deriveModel(engine, result.scenario), allOperations(result.scenario), result.scenario, durability)
  const [any] = result.candidates
  return alertRules(told, { ...(any as NonNullable<typeof any>), name: engine.name, handbook: engine.handbook(compiled) })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

function run(program: string, arguments_: string[], environment: Record<string, string> = {}): void {
  processes.push(spawn(program, arguments_, { stdio: 'ignore', env: { ...process.env, ...environment } }))
}

/** @returns where it is read. */
async function exported(program: string, flags: string[] = [], environment: Record<string, string> = {}): Promise<string> {
  const { stdout, stderr, error } = spawnSync(program, ['--help'], { encoding: 'utf8' })
  expect(error, `${program} is a package of Debian`).toBeUndefined()
  const address = `127.0.0.1:${await freePort()}`
  const known = flags.filter((flag) => `${stdout}${stderr}`.includes(flag.replace('--', '')))
  run(program, [`--web.listen-address=${address}`, ...known], environment)
  return address
}

/** Prometheus reads every second, and has the rules of a report. */
async function prometheus(name: string, rules: string, targets: string[]): Promise<string> {
  const home = join(directory, name)
  mkdirSync(home)
  writeFileSync(join(home, 'alerts.yml'), rules)
  const jobs = targets.map((target) => `  - job_name: "${target}"\n    static_configs: [{ targets: ["${target}"] }]`).join('\n')
  writeFileSync(
    join(home, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [alerts.yml]\nscrape_configs:\n${jobs}\n`,
  )
  const address = `127.0.0.1:${await freePort()}`
  run('prometheus', [`--config.file=${home}/prometheus.yml`, `--storage.tsdb.path=${home}/data`, `--web.listen-address=${address}`])
  return address
}

interface Rule {
  name: string
  query: string
  health: string
  lastError?: string
}

async function ask<T>(address: string, path: string): Promise<T | null> {
  const response = await fetch(`http://${address}/api/v1/${path}`).catch(() => null)
  return response === null ? null : ((await response.json()) as { data: T }).data
}

/** A rule whose condition holds nowhere tells nothing: with `bool` it tells 0 wherever there is something to compare. */
const always = (query: string) => query.replaceAll(/ (==|>|<) /g, ' $1 bool ')

/** Names of rules with nothing to compare, once there are no fewer of them. */
async function silentOf(address: string, isAllowed: (name: string) => boolean): Promise<{ rules: Rule[]; silent: string[] }> {
  const end = Date.now() + 40_000
  for (;;) {
    const all = (await ask<{ groups: { name: string; rules: Rule[] }[] }>(address, 'rules'))?.groups ?? []
    const rules = all.filter(({ name }) => !name.endsWith(': operations')).flatMap((group) => group.rules)
    const answers = await Promise.all(
      rules.map(({ query }) => ask<{ result: unknown[] }>(address, `query?query=${encodeURIComponent(always(query))}`)),
    )
    const silent = rules.flatMap(({ name }, at) => (answers[at]?.result.length ? [] : [name]))
    const isWhole = rules.length > 0 && rules.every(({ health }) => health !== 'unknown')
    if ((isWhole && silent.every(isAllowed)) || Date.now() > end) return { rules, silent }
    await sleep(500)
  }
}

test.each(exporters.map((each) => [each.engine, each] as const))(
  '%s: each rule finds what it compares',
  async (name, { program, flags, environment, maybeSilent, follow }) => {
    const engine = engineNamed(name)
    const { endpoint } = await bed.server(engine)
    const targets = [await exported('prometheus-node-exporter'), await exported(program, flags, environment(endpoint))]
    if (follow !== undefined) {
      const { endpoint: copy } = await copies.server(engine)
      await follow(copy, endpoint)
      targets.push(await exported(program, flags, environment(copy)))
    }
    const address = await prometheus(name, rulesOf(engine), targets)
    const { rules, silent } = await silentOf(address, (rule) => maybeSilent.test(rule))
    expect(rules.length).toBeGreaterThan(10)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    expect(silent.filter((rule) => !maybeSilent.test(rule))).toEqual([])
  },
  120_000,
)
