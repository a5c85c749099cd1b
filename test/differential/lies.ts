/**
 * Clients that lie now and then on real servers, and how many of them are caught: `node bin/node24.mjs test/differential/lies.ts [RUNS] [--engines a,b]`.
 * One run in five tells the truth; exit code 1 where a lie was not found, or one was that nobody told.
 */
import { parseArgs } from 'node:util'
import { engineNamed } from '../../src/engines/registry.ts'
import { columns } from '../../src/terminal/tables.ts'
import { TestBed } from './bed.ts'
import { caughtBy, named } from './caught.ts'
import { faults } from './faulty-lane.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { engines: { type: 'string', default: 'postgres,mongodb,redis' } } })
const runs = Number(positionals[0] ?? 100)
const chosen = values.engines.split(',').map(engineNamed)
const kinds = [...faults, null]
const rows = new Map(kinds.map((kind) => [kind, { runs: 0, lies: 0, caught: 0, example: '' }]))
await using bed = new TestBed()
for (let seed = 1; seed <= Math.ceil((runs * kinds.length) / faults.length); seed++) {
  const kind = kinds[seed % kinds.length] as (typeof kinds)[number]
  const engine = chosen[Math.floor(seed / kinds.length) % chosen.length] as (typeof chosen)[number]
  const { lies, findings } = await caughtBy(bed, engine, kind, seed)
  const row = rows.get(kind) as { runs: number; lies: number; caught: number; example: string }
  const found = kind === null ? findings : findings.filter((each) => named[kind].test(each))
  row.runs++
  row.lies += lies
  if (found.length > 0) row.caught++
  row.example ||= found[0] ?? ''
  if (found.length > 0 !== (kind !== null)) {
    process.exitCode = 1
    console.error(`seed ${seed}, ${engine.name}, ${kind ?? 'no lie'}: ${lies} lies; found: ${findings.join(' · ') || 'nothing'}`)
  }
  console.error(`${seed}: ${engine.name}, ${kind ?? 'no lie'}, ${lies} lies, ${found.length > 0 ? 'caught' : 'nothing found'}`)
}
console.log(
  columns(
    [
      ['what the client does', 'runs', 'lies', 'caught', 'in the words of the checks'],
      ...[...rows].map(([kind, { runs: own, lies, caught, example }]) => [
        kind ?? 'nothing',
        String(own),
        String(lies),
        String(caught),
        example.slice(0, 120),
      ]),
    ],
    1,
  ),
)
