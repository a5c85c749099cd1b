/** Data that does not fit into the limit of a server that keeps all of it in memory is a finding, told with how far the load came. */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { isUnobtainable } from '../../src/provision/provision.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { toy } from '../toy/index.ts'

const scenario = readScenario(fileURLToPath(new URL('./kinds.yaml', import.meta.url)))
const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('a load that does not fit ends with the entity and the rows that it came to', async () => {
  const started = await local.start({
    ...{ engine: toy, candidate: 'small', limits: { cpus: 1, memoryBytes: 200_000 }, durability: 'volatile', cores: [0], directory },
    ...{ owner: thisProcess(), signal: new AbortController().signal, report: () => {} },
  })
  if (isUnobtainable(started)) throw new Error(started.mend)
  await using instance = started
  const compiled = toy.compile(deriveModel(toy, scenario), allOperations(scenario), scenario, 'volatile')
  await using session = await toy.connect(instance.endpoint, compiled, { connections: 1 })
  await expect(session.load(rowSource(makeDataset(scenario, 1), 0, 1), true)).rejects.toMatchObject({
    name: 'TrialError',
    code: 'out-of-memory',
    message: expect.stringMatching(/^the memory limit was reached while item was loaded, after [\d,]+ rows: full$/),
  })
}, 60_000)
