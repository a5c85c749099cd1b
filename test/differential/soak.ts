/**
 * Tries random scenarios on real servers: `node bin/node24.mjs test/differential/soak.ts [--seeds 1-300] [--engines a,b] [--out DIR]`.
 * A failing scenario is written to DIR and the next is tried; exit code 1 where any failed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { engineNamed, engines } from '../../src/engines/registry.ts'
import { parseScenario } from '../../src/scenario/read.ts'
import { runsAsProcess } from '../engines/obtainable.ts'
import { TestBed } from './bed.ts'
import { generateScenario } from './generate.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1-300' }, engines: { type: 'string' }, out: { type: 'string', default: 'reports/soak' } },
})
const [first = 1, last = first] = values.seeds.split('-').map(Number)
const chosen = values.engines?.split(',').map(engineNamed) ?? engines.filter((each) => runsAsProcess(each) && each.name !== 'valkey')
const answersPerOperation = 12
const maxShown = 300

const failed = new Map(chosen.map((engine): [string, number[]] => [engine.name, []]))
let answers = 0
await using bed = new TestBed()
for (let seed = first; seed <= last; seed++) {
  const text = generateScenario(seed)
  if ((seed - first) % 10 === 0) console.error(`seed ${seed} of ${last}`)
  const scenario = parseScenario(text, `soak-${seed}.yaml`)
  for (const engine of chosen) {
    const { wrong, checked } = await bed.try(engine, scenario, answersPerOperation)
    answers += checked
    if (wrong.length === 0) continue
    failed.get(engine.name)?.push(seed)
    mkdirSync(values.out, { recursive: true })
    writeFileSync(join(values.out, `${seed}.yaml`), text)
    console.log(`seed ${seed}, ${engine.name}: ${wrong.length} differences`)
    for (const each of wrong) console.log(`  ${each.length > maxShown ? `${each.slice(0, maxShown)}…` : each}`)
  }
}
for (const [engine, seeds] of failed)
  console.log(`${engine}: ${seeds.length === 0 ? 'right' : `wrong for ${seeds.length} of ${last - first + 1} seeds: ${seeds.join(', ')}`}`)
console.log(`${answers} answers compared${[...failed.values()].some((seeds) => seeds.length > 0) ? `; failing scenarios are in ${values.out}` : ''}`)
if ([...failed.values()].some((seeds) => seeds.length > 0)) process.exitCode = 1
