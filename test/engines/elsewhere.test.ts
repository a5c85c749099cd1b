/** Servers that this machine does not have: each provisioner says so in a sentence, and how it is had. Their contract runs where they are (contract.test.ts). */
import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { engines } from '../../src/engines/registry.ts'
import { container } from '../../src/provision/container.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { containerRuntime } from '../../src/provision/runtime.ts'
import { orderOf } from '../e2e/commands.ts'
import { isExpected, runsAsProcess } from './obtainable.ts'

const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const hasRuntime = (await containerRuntime().catch(() => null)) !== null

test.each(engines.filter((engine) => !runsAsProcess(engine)).map((engine) => [engine.name, engine] as const))(
  '%s runs in its image, or where somebody runs it',
  async (name, engine) => {
    const { image, offline } = engine.server.image
    const hint = `run it in a container, which pulls ${image}, or give --endpoint NAME=${name}://…`
    const tried = `nothing that is looked for here has ${name}`
    expect(await local.start(orderOf(engine, directory))).toEqual({ unobtainable: true, tried: [tried], mend: hint })
    expect(await local.probe(engine)).toEqual({ usable: 'no', what: tried, fix: hint })
    expect(offline).toBeNull()
    if (!hasRuntime || (await isExpected(engine, container))) return
    expect(await container.probe(engine)).toEqual({ usable: 'later', what: `${image}, to be pulled`, fix: 'reach an image registry' })
    expect(await container.start(orderOf(engine, directory))).toEqual({
      unobtainable: true,
      tried: [expect.stringMatching(new RegExp(`^${image} could not be pulled \\(.+\\), and none can be built here$`))],
      mend: 'reach an image registry',
    })
  },
  60_000,
)
