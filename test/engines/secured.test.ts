/** Servers of our own where a scenario asks for security: TLS that is verified, a role that reads and writes rows, and nobody else. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import { asRole, type Endpoint } from '../../src/engines/engine.ts'
import { engines, pooledEngines } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { processIds } from '../../src/host/processes.ts'
import { container } from '../../src/provision/container.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { presentImage } from '../../src/provision/images.ts'
import { local } from '../../src/provision/local.ts'
import { thisProcess } from '../../src/provision/owner.ts'
import { type Instance, isUnobtainable, type Order, type Provisioner } from '../../src/provision/provision.ts'
import { containerRuntime } from '../../src/provision/runtime.ts'
import { securityParity } from '../../src/run/phases/security.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { redact } from '../../src/secrets.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { isExpected } from './obtainable.ts'

const kinds = readScenario(fileURLToPath(new URL('./kinds.yaml', import.meta.url)))
const scenario = { ...kinds, requirements: { ...kinds.requirements, compliance: ['pci_dss'] } }
const operations = allOperations(scenario)
const dataset = makeDataset(scenario, 1)
const limits = { cpus: 1, memoryBytes: 2 ** 31 }
const { signal } = new AbortController()
const runtime = await containerRuntime().catch(() => null)
const provisioners: Provisioner[] = [local, ...(runtime === null ? [] : [container])]
const directory = makeRunDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** What others may see of a process. */
function visibleOf(pid: number): string {
  try {
    return ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1')).join('\n')
  } catch {
    return '' // It ended.
  }
}

/** Packages of servers that were built without TLS, and the images that are made from them where no registry is reached. */
const lacksTls = new Set<string>()
for (const { name, server } of engines.filter((engine) => engine.server.package?.withoutTls === true)) {
  lacksTls.add(`${name} local`)
  if (runtime !== null && server.image.offline?.home === undefined && (await presentImage(runtime, server.image)) === server.image.offline?.image)
    lacksTls.add(`${name} container`)
}

/** Those whose accounts have rights: who may not be told to do less is not measured where security is on. */
const withRights = [...engines, ...pooledEngines].filter(({ traits }) => traits.controls['access control'].by === 'product')
const wanted = withRights.flatMap((engine) =>
  provisioners.map((provisioner) => [engine.pooler ?? engine.name, provisioner.kind, engine, provisioner] as const),
)

const had = await Promise.all(wanted.map(([, , engine, provisioner]) => isExpected(engine, provisioner)))

describe.each(wanted.filter((_, at) => had[at]))('%s, %s', (name, kind, engine, provisioner) => {
  const compiled = engine.compile(deriveModel(engine, scenario), operations, scenario, 'fsync')
  const order: Order = {
    ...{ engine, candidate: name, limits, durability: 'fsync', cores: [0], owner: thisProcess(), directory, signal },
    report: () => {},
    secured: true,
  }
  if (lacksTls.has(`${name} ${kind}`)) {
    test('says that its package has no TLS, and what would have it', async () => {
      // No server of that name on the PATH: what is fetched is what would run.
      const path = process.env.PATH
      if (kind === 'local') process.env.PATH = '/nowhere'
      const started = await provisioner.start(order).finally(() => (process.env.PATH = path))
      expect(started).toMatchObject({
        unobtainable: true,
        tried: expect.arrayContaining([expect.stringMatching(/^security is on, and the server .* was built without TLS$/)]),
        mend: expect.stringMatching(/with TLS, so that it is on the PATH, or run it in a container$|reach an image registry/),
      })
    }, 60_000)
    return
  }
  let instance: Instance
  const connect = (endpoint: Endpoint) =>
    engine.connect(endpoint, compiled, { connections: 4, ...(instance.administer === undefined ? {} : { administer: instance.administer }) })

  beforeAll(async () => {
    const started = await provisioner.start(order)
    if (isUnobtainable(started)) throw new Error(`no ${name}: ${started.tried.join('; ')}; ${started.mend}`)
    instance = started
    await using session = await connect(instance.endpoint)
    await session.create()
    await session.load(rowSource(dataset, 0, 1), true)
    await session.settle()
  }, 300_000)
  afterAll(async () => await instance?.[Symbol.asyncDispose](), 60_000)

  test('says that it is secured, and turns others away', async () => {
    const rows = await securityParity(engine, instance.endpoint, scenario)
    expect(rows.filter((row) => !row.ok)).toEqual([])
    const [transport, access] = rows
    expect(transport).toMatchObject({ what: 'transport encryption', asked: 'no plain connections (pci_dss)' })
    expect(transport?.effective).toMatch(/TLS|tls/)
    expect(transport?.effective).toMatch(/; a plain connection is refused$/)
    expect(access?.effective).toMatch(/application.*; who does not log in is refused$/)
    await using session = await connect(instance.endpoint)
    expect((await session.facts(limits)).parity.filter((row) => !row.ok)).toEqual([])
  }, 60_000)

  test('is told apart from one that is not: each row that fails says why', async () => {
    const { tls, role, ...administrator } = instance.endpoint
    const blind = { ...administrator, tls: { ...tls, verify: false } }
    const [transport, access] = await securityParity(
      engine,
      { ...blind, role: { user: administrator.user ?? '', password: administrator.password ?? '' } },
      scenario,
    )
    expect(transport).toMatchObject({ ok: false, effective: expect.stringContaining('its certificate is not verified') })
    expect(access?.ok, access?.effective).toBe(false)
    expect(role?.user).toBe('application')
  }, 60_000)

  test('clients want the certificate of its own authority and its name, and a plain client gets nowhere', async () => {
    const { tls, ...plain } = asRole(instance.endpoint)
    const lane = async (endpoint: Endpoint) => void (await (await openLane(engine, endpoint, compiled, 1))[Symbol.asyncDispose]())
    await lane({ ...plain, ...(tls === undefined ? {} : { tls }) })
    await expect(lane({ ...plain, tls: { verify: true } })).rejects.toThrow(/certificate/)
    await expect(lane({ ...plain, tls: { verify: true, authority: tls?.authority ?? '', name: 'other.dbtrial.internal' } })).rejects.toThrow(
      /name|altnames/i,
    )
    await expect(engine.ready({ ...plain, tls: { verify: true, authority: tls?.authority ?? '', name: 'other.dbtrial.internal' } })).rejects.toThrow()
    await expect(lane(plain)).rejects.toThrow()
    await expect(engine.ready(plain)).rejects.toThrow()
  }, 60_000)

  test('answers every operation of the role, through the driver and the wire client', async () => {
    const reference = new Reference(dataset, operations)
    await using session = await connect(asRole(instance.endpoint))
    const driver = await verify(session, 'driver', compiled, dataset, reference, 6, signal)
    await using lane = await openLane(engine, asRole(instance.endpoint), compiled, 2)
    const wire = await verify(new LaneAnswers(lane), 'wire', compiled, dataset, reference, 6, signal)
    expect([...driver.differences, ...wire.differences]).toEqual([])
    expect(driver.checked).toBeGreaterThan(6 * 20)
  }, 120_000)

  test('the role may not administer', async () => {
    await using session = await connect(asRole(instance.endpoint))
    await expect(compiled.ddl.length > 0 ? session.create() : session.facts(limits)).rejects.toThrow()
  }, 60_000)

  test('its key and its passwords are seen by nobody, and said by nobody', async () => {
    const { password = '', role } = instance.endpoint
    for (const secret of [password, role?.password ?? '']) {
      expect(secret).toMatch(/^\w{32,}$/)
      for (const pid of processIds()) expect(visibleOf(pid)).not.toContain(secret)
      expect(redact(`it said ${secret}`)).toBe('it said •••')
    }
    expect(JSON.stringify(instance.endpoint)).not.toContain('PRIVATE KEY')
    if (kind !== 'local') return
    const [place = ''] = readdirSync(directory).filter((each) => each.startsWith(name))
    const keys = readdirSync(join(directory, place)).filter((file) => /^(server|client)\.(key|pem)$/.test(file))
    expect(keys.length).toBeGreaterThan(0)
    for (const file of keys) expect(statSync(join(directory, place, file)).mode & 0o077, file).toBe(0)
    expect(readdirSync(directory).filter((each) => each.startsWith('authority-'))).toEqual([])
  })
})
