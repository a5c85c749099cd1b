/** Servers that somebody else runs, with passwords and TLS: measured in a namespace of our own, which is gone afterwards. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LaneAnswers } from '../../src/clients/lane-answers.ts'
import { openLane } from '../../src/clients/open-lane.ts'
import { makeDataset } from '../../src/data/dataset.ts'
import { rowSource } from '../../src/data/rows.ts'
import type { Endpoint } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { allOperations, deriveModel } from '../../src/families/derive.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import type { Instance } from '../../src/provision/provision.ts'
import { readScenario } from '../../src/scenario/read.ts'
import { Reference } from '../../src/verify/reference.ts'
import { verify } from '../../src/verify/verify.ts'
import { dbtrial, dbtrialUntil, type Ended, resultIn, root, small, startLocally, temporaryDirectory } from './commands.ts'
import { makeCertificates, secured } from './secured.ts'

const password = 'p4ss-"w0rd\'-öß'
const encoded = encodeURIComponent(password)
const out = temporaryDirectory()
const kinds = readScenario(join(root, 'test/engines/kinds.yaml'))
const operations = allOperations(kinds)
const dataset = makeDataset(kinds, 1)
const directory = makeRunDirectory()
const tls = makeCertificates()
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
  rmSync(directory, { recursive: true, force: true })
})

/** Ends TLS in front of a port of this machine. */
async function tlsProxy(port: number): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer({ cert: tls.certificate, key: tls.key }, (secure) => {
    const plain = connect(port, '127.0.0.1')
    secure.pipe(plain).pipe(secure)
    for (const socket of [secure, plain]) socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

/** Files of a report and both outputs. */
function everythingWritten(place: string, ended: Ended): string {
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  return [ended.stdout, ended.stderr, ...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))].join('\n')
}

/** One after the other within an engine; the engines side by side. */
const apart = { concurrent: false, timeout: 240_000 }

// Java's and the shell's quoting are not the subject: their servers get a plainer one. Servers that run already are all there at once.
describe.concurrent.each(['postgres', 'redis', 'mongodb', 'cassandra'])('%s', (name) => {
  const plain = name === 'redis' || name === 'cassandra' ? 'pl4in-w0rd' : password
  const { engine, user, parameters, scheme } = secured(name, plain, tls)
  const place = join(out, name)
  let instance: Instance
  let url: string

  beforeAll(async () => {
    instance = await startLocally(engine, directory)
    url = `${scheme}://${user}:${encodeURIComponent(plain)}@127.0.0.1:${instance.endpoint.port}/?${parameters(tls)}`
  }, 120_000)
  afterAll(async () => await instance?.[Symbol.asyncDispose](), 60_000)

  async function namespaces(): Promise<string[]> {
    const endpoint: Endpoint = {
      ...instance.endpoint,
      user,
      password: plain,
      ...(name === 'redis' ? {} : { tls: { verify: true, authority: readFileSync(tls.authority, 'utf8') } }),
    }
    return (await engineNamed(name).external.list(endpoint)).map((each) => each.name).filter((each) => each.startsWith('dbtrial'))
  }

  test('is measured in a namespace of its own; nothing of it is left, and the password is nowhere', apart, async () => {
    // That of a server of our own, which this one was started as.
    const before = await namespaces()
    const ended = await dbtrial('run', small, '--candidates', name, '--endpoint', `${name}=${url}`, '--out', place)
    expect([0, 99], ended.stderr).toContain(ended.code)
    const [candidate] = resultIn(place, 'small').result.candidates
    expect(candidate?.failure).toBeNull()
    expect(candidate?.verification.wrong).toBe(0)
    expect(candidate?.provision).toMatchObject({ kind: 'external', enforced: { cpu: 'unknown', memory: 'unknown' } })
    expect(candidate?.provision?.origin).toMatch(/namespace dbtrial_|namespace \d+/)
    expect(candidate?.trials.every((trial) => trial.resources.server === null)).toBe(true)
    expect(candidate?.invariants.every((invariant) => invariant.ok)).toBe(true)
    expect(await namespaces()).toEqual(before)
    const written = everythingWritten(place, ended)
    for (const form of [plain, encodeURIComponent(plain), JSON.stringify(plain).slice(1, -1)]) expect(written.includes(form)).toBe(false)
  })

  test('every kind of operation is right through the wire client, over TLS with a password', apart, async () => {
    // This server has no TLS of its own: what ends it in front of the server is a proxy, as people have it.
    await using proxy = name === 'redis' ? await tlsProxy(instance.endpoint.port) : undefined
    const endpoint: Endpoint = { ...instance.endpoint, user, password: plain, tls: { verify: true, authority: readFileSync(tls.authority, 'utf8') } }
    const direct: Endpoint = name === 'redis' ? { ...instance.endpoint, user, password: plain } : endpoint
    const own = engineNamed(name)
    const namespace = await own.external.create(direct, `dbtrial_contract_${process.pid}`)
    try {
      const compiled = own.compile(deriveModel(own, kinds), operations, kinds, 'fsync')
      await using session = await own.connect({ ...direct, namespace }, compiled, { connections: 2 })
      await session.create()
      await session.load(rowSource(dataset, 0, 1), true)
      // As in a run: a reader of what a majority has sees the load only once it is settled.
      await session.settle()
      const through = { ...endpoint, port: proxy?.port ?? endpoint.port, namespace }
      await using lane = await openLane(own, through, compiled, 2)
      const result = await verify(
        new LaneAnswers(lane),
        'wire',
        compiled,
        dataset,
        new Reference(dataset, operations),
        12,
        new AbortController().signal,
      )
      expect(result.differences).toEqual([])
      expect(result.checked).toBeGreaterThan(12 * 20)
      await expect(openLane(own, { ...through, password: 'wr0ng-w0rd' }, compiled, 1)).rejects.toThrow()
      await expect(openLane(own, { ...through, tls: { verify: true } }, compiled, 1)).rejects.toThrow(/certificate/)
    } finally {
      await own.external.drop(direct, namespace)
    }
  })

  test('a wrong password is said in one sentence that does not repeat it', apart, async () => {
    const wrong = url.replace(encodeURIComponent(plain), 'wr0ng-w0rd')
    const ended = await dbtrial('run', small, '--candidates', name, '--endpoint', `${name}=${wrong}`, '--out', join(out, `${name}-wrong`))
    expect(ended.code, ended.stderr).toBe(3)
    expect(everythingWritten(join(out, `${name}-wrong`), ended)).not.toContain('wr0ng-w0rd')
    const [candidate] = resultIn(join(out, `${name}-wrong`), 'small').result.candidates
    expect(candidate?.failure).toMatch(new RegExp(`${name} at 127.0.0.1:\\d+ refused: .*(auth|password|WRONGPASS|incorrect)`, 'i'))
  })
})

describe('one server for several mishaps', () => {
  const { engine } = secured('postgres', password, tls)
  let instance: Instance
  const at = (rest: string) => `postgres=postgres://postgres:${encoded}@127.0.0.1:${instance.endpoint.port}/${rest}`

  beforeAll(async () => {
    instance = await startLocally(engine, directory)
  }, 60_000)
  afterAll(async () => await instance?.[Symbol.asyncDispose](), 60_000)

  test('a certificate of an unknown authority is refused', async () => {
    const ended = await dbtrial('run', small, '--candidates', 'postgres', '--endpoint', at('?sslmode=verify-full'), '--out', join(out, 'untrusted'))
    expect(ended.code).toBe(3)
    expect(resultIn(join(out, 'untrusted'), 'small').result.candidates[0]?.failure).toMatch(/refused: .*(certificate|unable to verify)/)
  }, 60_000)

  test('a server that wants TLS refuses a plain connection, and says so', async () => {
    const ended = await dbtrial('run', small, '--candidates', 'postgres', '--endpoint', at('?sslmode=disable'), '--out', join(out, 'plain'))
    expect(ended.code).toBe(3)
    expect(resultIn(join(out, 'plain'), 'small').result.candidates[0]?.failure).toMatch(/refused: .*no encryption/)
  }, 60_000)

  test('the password may come from the environment; a killed run leaves no namespace', async () => {
    const endpoint: Endpoint = { ...instance.endpoint, user: 'postgres', password, tls: { verify: false } }
    const own = async () =>
      (await engineNamed('postgres').external.list(endpoint)).map((each) => each.name).filter((each) => each.startsWith('dbtrial'))
    const url = `postgres=postgres://postgres@127.0.0.1:${instance.endpoint.port}/?sslmode=require`
    process.env.DBTRIAL_PASSWORD_POSTGRES = password
    const killed = await dbtrialUntil(
      /sweep/,
      (pid) => process.kill(-pid, 'SIGKILL'),
      ...['run', small, '--candidates', 'postgres', '--endpoint', url, '--out', join(out, 'env')],
    )
    delete process.env.DBTRIAL_PASSWORD_POSTGRES
    expect(killed.acted).toBe(true)
    expect(killed.stderr).toContain('namespace dbtrial_')
    for (const end = Date.now() + 10_000; (await own()).length > 0 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await own()).toEqual([])
  }, 60_000)
})

describe('addresses that are refused before anything is reached', () => {
  test.each([
    ['postgres=mysql://u@127.0.0.1/', /postgres is reached by postgres:\/\/ or postgresql:\/\/, not mysql:\/\//],
    ['postgres=postgres://u:secret-word@db.example.invalid/', /db\.example\.invalid is not this machine/],
    ['postgres=postgres://u:secret-word@203.0.113.7/', /203\.0\.113\.7 is not this machine[\s\S]*--allow-remote/],
    ['postgres=postgres://u:secret-word@127.0.0.1/?sslmod=require', /"sslmod" is no parameter that is understood/],
    ['postgres=not a url', /this is no URL/],
    ['oracle=postgres://127.0.0.1/', /there is no candidate of that name/],
    ['postgres', /--endpoint expects NAME=URL/],
  ])('%s', async (endpoint, message) => {
    const ended = await dbtrial('run', small, '--candidates', 'postgres', '--endpoint', endpoint)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toMatch(message)
    expect(ended.stderr).not.toContain('secret-word')
    expect(ended.stderr).not.toMatch(/\n\s+at /)
  })
})
