/**
 * Every scenario of the library on all its candidates, as large as at `smoke`: answers of both clients, a replay and its invariants, on one server for
 * each engine. `node bin/node24.mjs test/differential/library.ts [NAME…] [--engines a,b]`; exit code 1 where anything was wrong.
 */
import { parseArgs } from 'node:util'
import { engineNamed } from '../../src/engines/registry.ts'
import { planFor } from '../../src/run/bench.ts'
import { scenarioNames } from '../../src/scenario/library.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { columns } from '../../src/terminal/tables.ts'
import { TestBed } from './bed.ts'

const answersPerOperation = 12
const replaySeconds = 5
/** A call that others kept from its rows ten times: an error of the load, and no wrong answer. */
const contended = /: \d+ errors transient$/

const { values, positionals } = parseArgs({ allowPositionals: true, options: { engines: { type: 'string' } } })
const chosen = values.engines?.split(',')
const names = positionals.length > 0 ? positionals : scenarioNames()
const rows: string[][] = []
await using bed = new TestBed()
for (const [at, name] of names.entries()) {
  const scenario = readScenario(name)
  const { shares, rows: loaded } = planFor(scenario, 'smoke')
  const engines = [...new Set(scenario.candidates.map(({ engine }) => engine))].filter((engine) => chosen?.includes(engine) !== false)
  console.error(`${at + 1} of ${names.length}: ${name}, ${loaded.toLocaleString('en')} rows, on ${engines.join(', ')}`)
  // Each has a server of its own.
  const tried = engines.map(async (engine) => {
    const start = performance.now()
    const { wrong, excuses, checked } = await bed.try(engineNamed(engine), scenario, answersPerOperation, replaySeconds, shares)
    const seconds = Math.round((performance.now() - start) / 1000)
    for (const each of wrong) console.error(`  ${engine}: ${each}`)
    const gaveUp = wrong.filter((each) => contended.test(each)).length
    const counts = [loaded, checked, wrong.length - gaveUp, gaveUp].map(String)
    return [name, engine, ...counts, excuses.join(', ') || 'nothing', `${seconds} s`]
  })
  rows.push(...(await Promise.all(tried)))
}
console.log(columns([['scenario', 'engine', 'rows', 'answers', 'wrong', 'gave up', 'excused', 'time'], ...rows], 2))
if (rows.some(([, , , , wrong]) => wrong !== '0')) process.exitCode = 1
