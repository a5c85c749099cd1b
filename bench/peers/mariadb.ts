/** MariaDB: the wire client beside mariadb-slap, whose query is text and always the same, and beside the official driver. */
import { rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { type Arena, closedLoop, compileFor, datasetOf, runTool, startServer } from './contest.ts'

const connections = 32
const seconds = 4
const queries = 100_000
const scenarioText = `
name: rows
summary: "rows by key"
seed: 1
epoch: 2026-01-01T00:00:00Z
entities:
  account: { count: 100k, fields: { id: { type: int, key: true }, balance: { type: int, range: [-5000, 5000] } } }
operations:
  read: { get: account, fields: [balance], rate: 1/s, p99: 1s }
  change: { update: account, set: { balance: any }, rate: 1/s, p99: 1s }
requirements: { peak: 1x, durability: relaxed }
candidates: [mariadb]
`

export async function mariadbArena(): Promise<Arena> {
  const instance = await startServer('mariadb', 'relaxed')
  const { compiled, scenario } = compileFor('mariadb', scenarioText, 'relaxed')
  await using session = await engineNamed('mariadb').connect(instance.endpoint, compiled, { connections: 2 })
  await session.create()
  await session.load(rowSource(datasetOf(scenario), 0, 1), true)
  await session.settle()
  await instance.confine()
  const { host, port, user = '', password = '', namespace } = instance.endpoint
  const slap = async (query: string) => {
    const server = ['--no-defaults', `--host=${host}`, `--port=${port}`, `--user=${user}`, `--create-schema=${namespace}`, '--no-drop']
    const work = [`--concurrency=${connections}`, `--number-of-queries=${queries}`, `--query=${query}`]
    const { output, cpuSeconds } = await runTool('mariadb-slap', [...server, ...work], { MYSQL_PWD: password })
    const took = Number(/Average number of seconds to run all queries: ([\d.]+)/.exec(output)?.[1])
    return { perSecond: queries / took, cpuUsPerOp: (cpuSeconds / queries) * 1e6 }
  }
  const ours = (operation: string) => () => closedLoop(instance, compiled, operation, { connections, seconds })
  return {
    instance,
    contests: [
      {
        work: `MariaDB point read, ${connections} connections`,
        peer: `mariadb-slap -c${connections}, text`,
        goals: [{ of: 'throughput', least: 0.95 }],
        ours: ours('read'),
        theirs: () => slap('SELECT balance FROM account WHERE id = 4711'),
      },
      {
        work: `MariaDB update by key, ${connections} connections, innodb_flush_log_at_trx_commit=2`,
        peer: 'the official driver, same process model',
        goals: [{ of: 'client CPU', most: 0.6 }],
        ours: ours('change'),
        theirs: () => closedLoop(instance, compiled, 'change', { client: 'driver', connections, seconds }),
      },
    ],
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  }
}
