/** A server that only the system's own package manager has: it is looked for where systems put servers, and who lacks it is told what to install. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fetch } from '../../../src/commands/fetch.ts'
import type { Engine } from '../../../src/engines/engine.ts'
import { engines } from '../../../src/engines/registry.ts'
import { local } from '../../../src/provision/local.ts'
import { thisProcess } from '../../../src/provision/owner.ts'

const known = engines.find(({ server }) => server.package === null) as Engine
const hint = known.server.needs[0]?.hint as string
const named = (program: string): Engine => ({
  ...known,
  server: { ...known.server, onPath: { program, versionArguments: ['--version'], supported: /\b10\.11\./, supportedText: '10.11' } },
})
const order = (engine: Engine) => ({
  ...{ engine, candidate: engine.name, limits: { cpus: 1, memoryBytes: 2 ** 30 }, durability: 'fsync' as const, cores: [0] },
  ...{ owner: thisProcess(), directory: '/nowhere', signal: new AbortController().signal, report: () => {} },
})

test('where it is not installed the mend is what to install', async () => {
  const engine = named('no-such-server')
  expect(await local.probe(engine)).toEqual({ usable: 'no', what: 'no no-such-server on the PATH', fix: hint })
  expect(await local.start(order(engine))).toEqual({ unobtainable: true, tried: ['no no-such-server on the PATH'], mend: hint })
  await expect(fetch(known.name)).rejects.toMatchObject({ code: 'no-package', hint })
})

test('of another version than those that are known it is not run', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dbtrial-path-'))
  const program = join(directory, 'some-server')
  writeFileSync(program, '#!/bin/sh\necho "some-server Ver 5.5.1"\n')
  chmodSync(program, 0o755)
  const path = process.env.PATH
  process.env.PATH = `${directory}:${path}`
  try {
    const engine = named('some-server')
    const why = `${program} is "some-server Ver 5.5.1", supported is 10.11`
    expect(await local.probe(engine)).toEqual({ usable: 'no', what: why, fix: hint })
    expect(await local.start(order(engine))).toEqual({ unobtainable: true, tried: [why], mend: hint })
  } finally {
    process.env.PATH = path
    rmSync(directory, { recursive: true })
  }
})
