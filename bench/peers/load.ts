/** The bulk load beside psql: the same orders and items into the same tables; psql reads them from files, we generate them on the way. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDataset } from '../../src/data/dataset.ts'
import { type RowSource, rowSource } from '../../src/data/rows.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { type Arena, runTool, startServer } from './contest.ts'

const share = 0.003

export async function loadArena(): Promise<Arena> {
  const instance = await startServer('postgres', 'relaxed')
  const scenario = readScenario('ecommerce')
  const engine = engineNamed('postgres')
  const compiled = engine.compile(deriveModel(engine, scenario), allOperations(scenario), scenario, 'relaxed')
  const dataset = makeDataset(scenario, share)
  const session = await engine.connect(instance.endpoint, compiled, { connections: 1 })
  await session.create()
  const directory = mkdtempSync(join(tmpdir(), 'dbtrial-copy-'))
  const psql = (...commands: string[]) =>
    runTool(
      'psql',
      ['-h', '127.0.0.1', '-p', String(instance.endpoint.port), '-U', 'postgres', '-q', ...commands.flatMap((each) => ['-c', each]), 'postgres'],
      { PGPASSWORD: instance.endpoint.password ?? '' },
    )
  const tables = ['order', 'order_item']
  const empty = () => psql(`TRUNCATE ${tables.map((table) => `"${table}"`).join(', ')}`, 'CHECKPOINT')
  const loaded = async () => {
    const source = rowSource(dataset, 0, 1)
    const only: RowSource = Object.assign(Object.create(source) as RowSource, {
      *blocks() {
        for (const block of source.blocks()) if (block.entity === 'order') yield block
      },
    })
    await session.load(only, false)
    return Number((await session.total('order')).rows + (await session.total('order_item')).rows)
  }
  // Keys and indexes are built by the server, alike for both: what differs is how rows get there.
  await psql(
    ...tables.map((table) => `ALTER TABLE "${table}" DROP CONSTRAINT "${table}_pkey" CASCADE`),
    `DO $$ DECLARE name text; BEGIN FOR name IN SELECT indexname FROM pg_indexes WHERE tablename = 'order' LOOP EXECUTE format('DROP INDEX %I', name); END LOOP; END $$`,
  )
  const rows = await loaded()
  const file = (table: string) => join(directory, `${table}.txt`)
  await psql(...tables.map((table) => `\\copy "${table}" TO '${file(table)}'`))
  await instance.confine()
  const timed = async (work: () => Promise<number>) => {
    await empty()
    const start = performance.now()
    const cpuSeconds = await work()
    return { perSecond: rows / ((performance.now() - start) / 1000), cpuUsPerOp: (cpuSeconds / rows) * 1e6 }
  }
  return {
    instance,
    contests: [
      {
        work: `load ${rows.toLocaleString('en')} orders and items into PostgreSQL`,
        peer: 'psql \\copy of the same rows',
        goals: [{ of: 'throughput', least: 1.7 }],
        ours: () =>
          timed(async () => {
            const before = process.cpuUsage()
            await loaded()
            const { user, system } = process.cpuUsage(before)
            return (user + system) / 1e6
          }),
        theirs: () => timed(async () => (await psql(...tables.map((table) => `\\copy "${table}" FROM '${file(table)}'`))).cpuSeconds),
      },
    ],
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]()
      await instance[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
