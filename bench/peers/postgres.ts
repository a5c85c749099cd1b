/** PostgreSQL beside pgbench: its own tables, its own statements, prepared on both sides. */

import { parametersOf } from '../../src/data/parameters.ts'
import type { Compiled } from '../../src/engines/engine.ts'
import type { SqlProgram, Statement } from '../../src/families/relational/compile.ts'
import { type Arena, type Contest, closedLoop, compileFor, runTool, startServer } from './contest.ts'

const scale = 10
const seconds = 4
/** Row numbers are keys: 1 to count, as pgbench numbers its rows. */
const scenarioText = `
name: pgbench
summary: "pgbench's tables"
seed: 1
epoch: 2026-01-01T00:00:00Z
entities:
  account: { count: ${scale * 100_000}, fields: { id: { type: int, key: true }, balance: { type: int, range: [-5000, 5000] } } }
  teller: { count: ${scale * 10}, fields: { id: { type: int, key: true }, balance: { type: int, range: [0, 1] } } }
  branch: { count: ${scale}, fields: { id: { type: int, key: true }, balance: { type: int, range: [0, 1] } } }
operations:
  read: { get: account, fields: [balance], rate: 1/s, p99: 1s }
  tpcb:
    transaction:
      - { update: account, set: { balance: any } }
      - { update: teller, set: { balance: any } }
      - { update: branch, set: { balance: any } }
    rate: 1/s
    p99: 1s
requirements: { peak: 1x, durability: relaxed }
candidates: [postgres]
`

export async function postgresArena(): Promise<Arena> {
  const instance = await startServer('postgres', 'relaxed')
  const { port, password = '' } = instance.endpoint
  const pgbench = (...arguments_: string[]) =>
    runTool('pgbench', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', ...arguments_, 'postgres'], {
      PGOPTIONS: '-c synchronous_commit=off',
      PGPASSWORD: password,
    })
  await pgbench('-i', '-q', '-s', String(scale))
  await instance.confine()
  const compiled = withStatements(compileFor('postgres', scenarioText, 'relaxed').compiled)
  const measured = async (...arguments_: string[]) => {
    const { output, cpuSeconds } = await pgbench('-n', '-M', 'prepared', '-T', String(seconds), ...arguments_)
    const perSecond = Number(/tps = ([\d.]+)/.exec(output)?.[1])
    return { perSecond, cpuUsPerOp: (cpuSeconds / Number(/transactions actually processed: (\d+)/.exec(output)?.[1])) * 1e6 }
  }
  const read = (threads: number, least: number): Contest => ({
    work: `PostgreSQL point read, 32 connections, ${threads} client thread${threads > 1 ? 's' : ''}`,
    peer: `pgbench -S -M prepared -c32 -j${threads}`,
    goals: [{ of: 'throughput', least }],
    ours: () => closedLoop(instance, compiled, 'read', { workers: threads, connections: 32, seconds }),
    theirs: () => measured('-S', '-c', '32', '-j', String(threads)),
  })
  return {
    instance,
    contests: [
      read(1, 0.95),
      read(2, 0.9),
      {
        work: 'PostgreSQL TPC-B transaction, 8 connections, synchronous_commit=off',
        peer: 'pgbench -M prepared -c8 -j1',
        goals: [{ of: 'throughput', least: 0.95 }],
        ours: () => closedLoop(instance, compiled, 'tpcb', { connections: 8, seconds }),
        theirs: () => measured('-c', '8', '-j', '1'),
      },
    ],
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  }
}

/** pgbench's statements in place of ours, bound to the same parameters. */
function withStatements(compiled: Compiled): Compiled {
  const programs = compiled.operations.map((operation): SqlProgram | null => {
    const names = parametersOf(compiled.scenario, operation).map((parameter) => parameter.name)
    const statement = (text: string, ...binds: string[]) => ({ text, binds: binds.map((name) => names.indexOf(name)) })
    const program = (...statements: Statement[]): SqlProgram => {
      const shown = statements.map(({ text }) => text)
      return {
        operation: operation.name,
        shown,
        variants: [statements],
        variantAt: null,
        atomic: statements.length > 1,
        counted: 0,
        stopWhenEmpty: false,
      }
    }
    if (operation.name === 'read') return program(statement('SELECT abalance FROM pgbench_accounts WHERE aid = $1', 'key.id'))
    if (operation.name !== 'tpcb') return null
    const [account, teller, branch, delta] = ['0.key.id', '1.key.id', '2.key.id', '0.set.balance'] as const
    return program(
      statement('UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2', delta, account),
      statement('SELECT abalance FROM pgbench_accounts WHERE aid = $1', account),
      statement('UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2', delta, teller),
      statement('UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2', delta, branch),
      statement(
        'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)',
        teller,
        branch,
        account,
        delta,
      ),
    )
  })
  return { ...compiled, programs }
}
