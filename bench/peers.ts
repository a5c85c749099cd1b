/** `make peers`: the wire clients beside native tools, in interleaved rounds of one run; prints the table and writes reports/peers.json. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bindToCores } from '../src/host/processes.ts'
import { median } from '../src/stats/median.ts'
import { columns } from '../src/terminal/tables.ts'
import { cassandraArena } from './peers/cassandra.ts'
import { type Arena, type Contest, clientCore, type Goal, type Side } from './peers/contest.ts'
import { loadArena } from './peers/load.ts'
import { mariadbArena } from './peers/mariadb.ts'
import { mongodbArena } from './peers/mongodb.ts'
import { postgresArena } from './peers/postgres.ts'
import { redisArena } from './peers/redis.ts'

const rounds = 5
const arenas: Record<string, () => Promise<Arena>> = {
  postgres: postgresArena,
  redis: redisArena,
  cassandra: cassandraArena,
  mongodb: mongodbArena,
  mariadb: mariadbArena,
  load: loadArena,
}
const root = join(dirname(fileURLToPath(import.meta.url)), '..')

interface Row {
  work: string
  peer: string
  ours: number
  theirs: number
  ratio: number
  goal: string
  reached: boolean
  cpuUsPerOp: { ours: number; peer: number }
  boundBy: string
}

const wanted = process.argv.slice(2)
const rows: Row[] = []
for (const [name, open] of Object.entries(arenas)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const arena = await open().catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    console.error(`${name} is left out: ${(error as Error).message}`)
  })
  if (arena === undefined) continue
  await using _ = arena
  await bindToCores(process.pid, [clientCore])
  for (const contest of arena.contests) rows.push(...(await hold(contest, arena)))
}
const text = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3))
console.log(
  columns([
    ['work', 'peer', 'ours', 'theirs', 'ratio', 'goal', '', 'client CPU µs/op', 'bound by'],
    ...rows.map((row) => [
      row.work,
      row.peer,
      text(row.ours),
      text(row.theirs),
      row.ratio.toFixed(2),
      row.goal,
      row.reached ? '✓' : '✗',
      `${row.cpuUsPerOp.ours.toFixed(1)} / ${row.cpuUsPerOp.peer.toFixed(1)}`,
      row.boundBy,
    ]),
  ]),
)
mkdirSync(join(root, 'reports'), { recursive: true })
const document = rows.map(({ work, ours, theirs: peer, ratio, goal, cpuUsPerOp, boundBy }) => ({
  work,
  ours,
  peer,
  ratio,
  goal,
  cpuUsPerOp,
  boundBy,
}))
writeFileSync(join(root, 'reports/peers.json'), `${JSON.stringify(document, null, 2)}\n`)

/** Rounds in turns; ratios are formed within a round, where the machine was the same for both. */
async function hold(contest: Contest, arena: Arena): Promise<Row[]> {
  const pairs: { ours: Side; theirs: Side; serverCores: number }[] = []
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`${contest.work}: round ${round + 1} of ${rounds}\n`)
    const sides: Partial<Record<'ours' | 'theirs', Side>> = {}
    let serverCores = 0
    for (const side of round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)) {
      const before = { at: performance.now(), cpu: (await arena.instance.sample())?.cpuSeconds ?? 0 }
      sides[side] = await contest[side]()
      const seconds = (performance.now() - before.at) / 1000
      if (side === 'ours') serverCores = (((await arena.instance.sample())?.cpuSeconds ?? 0) - before.cpu) / seconds
    }
    pairs.push({ ours: sides.ours as Side, theirs: sides.theirs as Side, serverCores })
  }
  const of = (value: (pair: (typeof pairs)[number]) => number) => median(pairs.map(value)) as number
  const cpuUsPerOp = { ours: of((pair) => pair.ours.cpuUsPerOp), peer: of((pair) => pair.theirs.cpuUsPerOp) }
  const busy = of((pair) => (pair.ours.perSecond * pair.ours.cpuUsPerOp) / 1e6)
  const boundBy = of((pair) => pair.serverCores) > 0.7 ? 'server' : busy > 0.9 ? 'client' : 'neither'
  return contest.goals.map((goal) => {
    const cpu = goal.of === 'client CPU'
    const ratio = of((pair) => (cpu ? pair.ours.cpuUsPerOp / pair.theirs.cpuUsPerOp : pair.ours.perSecond / pair.theirs.perSecond))
    return {
      work: cpu ? `${contest.work}: client CPU per operation, µs` : `${contest.work}: operations/s`,
      peer: contest.peer,
      ours: cpu ? cpuUsPerOp.ours : of((pair) => pair.ours.perSecond),
      theirs: cpu ? cpuUsPerOp.peer : of((pair) => pair.theirs.perSecond),
      ratio,
      goal: goalText(goal),
      reached: ratio >= (goal.least ?? 0) && ratio <= (goal.most ?? Number.POSITIVE_INFINITY),
      cpuUsPerOp,
      boundBy,
    }
  })
}

function goalText({ least, most }: Goal): string {
  return least === undefined ? `≤ ${most}` : `≥ ${least}`
}
