/** Tries scenarios on real servers: `node bin/node24.mjs test/differential/run.ts FILE… [--engines a,b] [--answers N] [--replay SECONDS]`. */
import { parseArgs } from 'node:util'
import { engineNamed, engines } from '../../src/engines/registry.ts'
import { messageOf } from '../../src/errors.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { runsAsProcess } from '../engines/obtainable.ts'
import { TestBed } from './bed.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { engines: { type: 'string' }, answers: { type: 'string' }, replay: { type: 'string' } },
})
const chosen = values.engines?.split(',').map(engineNamed) ?? engines.filter((each) => runsAsProcess(each) && each.name !== 'valkey')
await using bed = new TestBed()
for (const file of positionals) {
  let scenario: ReturnType<typeof readScenario>
  try {
    scenario = readScenario(file)
  } catch (error) {
    console.log(`${file}: refused: ${messageOf(error)}`)
    process.exitCode = 1
    continue
  }
  for (const engine of chosen) {
    const { wrong, excuses, checked } = await bed.try(engine, scenario, Number(values.answers ?? 24), Number(values.replay ?? 0))
    const excused = excuses.length === 0 ? '' : `, excused: ${excuses.join(', ')}`
    console.log(`${file} ${engine.name}: ${wrong.length === 0 ? `right (${checked} answers)` : 'WRONG'}${excused}`)
    for (const each of wrong) console.log(`  ${each}`)
    if (wrong.length > 0) process.exitCode = 1
  }
}
