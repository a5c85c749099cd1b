/** Cassandra beside latte: the same table, statement and consistency, one thread, one connection, 64 requests in flight. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { type Arena, closedLoop, compileFor, datasetOf, runTool, startServer } from './contest.ts'

const rows = 100_000
const inFlight = 64
const seconds = 5
/** The JIT needs that long before a comparison means anything. */
const warmUpSeconds = 30
const scenarioText = `
name: partitions
summary: "small partitions"
seed: 1
epoch: 2026-01-01T00:00:00Z
entities:
  thing: { count: ${rows}, fields: { id: { type: int, key: true }, n: { type: int, range: [1, 1000] } } }
operations:
  read: { get: thing, rate: 1/s, p99: 1s }
requirements: { peak: 1x, durability: relaxed }
candidates: [cassandra]
`

export async function cassandraArena(): Promise<Arena> {
  const instance = await startServer('cassandra', 'relaxed')
  const { compiled, scenario } = compileFor('cassandra', scenarioText, 'relaxed')
  await using session = await engineNamed('cassandra').connect(
    instance.endpoint,
    compiled,
    instance.administer === undefined ? { connections: 1 } : { connections: 1, administer: instance.administer },
  )
  await session.create()
  await session.load(rowSource(datasetOf(scenario), 0, 1), true)
  await session.settle()
  await instance.confine()
  process.stderr.write(`Cassandra: warming for ${warmUpSeconds} s\n`)
  await closedLoop(instance, compiled, 'read', { connections: inFlight, seconds: warmUpSeconds })
  const latte = join(homedir(), '.cargo/bin/latte')
  const directory = mkdtempSync(join(tmpdir(), 'dbtrial-latte-'))
  const script = join(directory, 'read.rn')
  const { host, port, namespace, user = '', password = '' } = instance.endpoint
  writeFileSync(
    script,
    `pub async fn prepare(ctx) { ctx.prepare("read", \`SELECT "id", "n" FROM ${namespace}."thing" WHERE "id" = :id\`).await? }
pub async fn run(ctx, i) { ctx.execute_prepared("read", [latte::hash(i) % ${rows} + 1]).await? }
`,
  )
  return {
    instance,
    contests: !existsSync(latte)
      ? []
      : [
          {
            work: 'Cassandra point read, 64 in flight, 1 thread',
            peer: 'latte -t 1 -c 1 -p 64',
            goals: [
              { of: 'throughput', least: 0.95 },
              { of: 'client CPU', most: 1.5 },
            ],
            ours: () => closedLoop(instance, compiled, 'read', { connections: inFlight, seconds }),
            async theirs() {
              const { output, cpuSeconds } = await runTool(latte, [
                '--log-dir',
                directory,
                'run',
                script,
                `${host}:${port}`,
                ...['--user', user, '--password', password], // It takes them in no other way; the server dies with this contest.
                ...['-q', '-t', '1', '-c', '1', '-p', String(inFlight), '-w', '0s', '-d', `${seconds}s`],
                ...['--consistency', 'QUORUM', '-o', join(directory, `${Date.now()}.json`)],
              ])
              const operations = Number(/Cycles\s+\[op\]\s+(\d+)/.exec(output)?.[1])
              return { perSecond: Number(/Throughput\s+\[op\/s\]\s+([\d.]+)/.exec(output)?.[1]), cpuUsPerOp: (cpuSeconds / operations) * 1e6 }
            },
          },
        ],
    async [Symbol.asyncDispose]() {
      await instance[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
