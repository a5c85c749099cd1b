/** Trouble, each on real servers: what goes wrong is told in one sentence, the rest is measured, nothing is lost and nothing is left. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engines/engine.ts'
import { engineNamed } from '../../src/engines/registry.ts'
import { container } from '../../src/provision/container.ts'
import { makeRunDirectory } from '../../src/provision/directories.ts'
import { local } from '../../src/provision/local.ts'
import { isUnobtainable } from '../../src/provision/provision.ts'
import type { Result } from '../../src/result/result.ts'
import {
  dbtrial,
  dbtrialUntil,
  dbtrialWith,
  leftoversWithin,
  matching,
  orderOf,
  resultIn,
  root,
  SmallDisk,
  small,
  temporaryDirectory,
} from './commands.ts'

const out = temporaryDirectory()
const directory = makeRunDirectory()
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
  rmSync(directory, { recursive: true, force: true })
})

function changed(engine: Engine, server: Partial<Engine['server']>): Engine {
  return { ...engine, server: { ...engine.server, ...server } }
}

test('a port that is taken meanwhile: started again on another', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const port = (taken.address() as { port: number }).port
  const said: string[] = []
  for (const name of ['postgres', 'redis']) {
    const engine = engineNamed(name)
    let starts = 0
    const unlucky = changed(engine, {
      // The port is written into the command or into the configuration, whichever the engine has.
      start: (context) => engine.server.start(starts++ === 0 && name === 'postgres' ? { ...context, port } : context),
      files: (context) => engine.server.files(starts === 0 && name === 'redis' ? { ...context, port } : context),
    })
    const started = await local.start(orderOf(unlucky, directory, (text) => said.push(text)))
    if (isUnobtainable(started)) throw new Error(started.tried.join())
    expect(started.endpoint.port).not.toBe(port)
    await engine.ready(started.endpoint)
    await started[Symbol.asyncDispose]()
  }
  await new Promise((resolve) => taken.close(resolve))
  expect(said.filter((text) => text.includes('a port was taken meanwhile'))).toHaveLength(2)
}, 60_000)

test('a server that never becomes ready is ended, with the last thing it said to clients', async () => {
  const engine = changed(engineNamed('postgres'), { prepare: () => null, start: () => ({ program: 'sleep', arguments: ['600'] }) })
  await expect(local.start({ ...orderOf(engine, directory), readyWithinMs: 1500 })).rejects.toThrow(
    /postgres was not ready within 1.5 s: .*ECONNREFUSED/,
  )
  expect(matching(process.pid, /^sleep 600/)).toEqual([])
}, 30_000)

test('an image that is missing where no registry has it: said, with the mend', async () => {
  const postgres = engineNamed('postgres')
  const image = { image: 'dbtrial-nowhere/none:1', digest: `sha256:${'0'.repeat(64)}`, home: '/', offline: { image: 'dbtrial-offline/none:1' } }
  const found = await container.start(orderOf(changed(postgres, { image }), directory))
  expect(isUnobtainable(found)).toBe(true)
  if (!isUnobtainable(found)) return
  expect(found.tried.join()).toMatch(/dbtrial-nowhere\/none:1 could not be pulled \(.+\), and dbtrial-offline\/none:1 was not built on this machine/)
  expect(found.mend).toContain('docker/offline/build.sh postgres')
}, 60_000)

test('a disk that fills up while loading: the candidate failed, with the reason, and the run is written', async () => {
  using disk = new SmallDisk(110)
  const ended = await dbtrial('run', 'ecommerce', '--candidates', 'postgres', '--provision', 'local', '--data', disk.path, '--out', join(out, 'full'))
  expect(ended.code, ended.stderr).toBe(4)
  expect(ended.stderr).not.toMatch(/\n\s+at /)
  const { result } = resultIn(join(out, 'full'), 'ecommerce')
  expect(result.candidates[0]?.failure).toMatch(/No space left on device/)
  expect(result.candidates[0]?.trials).toEqual([])
}, 120_000)

test('a server killed in the middle of a trial: that trial is broken, the rest is measured after one restart, no acknowledged write is lost', async () => {
  const ended = await dbtrialUntil(
    /open loops/,
    (pid) =>
      setTimeout(
        () =>
          matching(pid, /postgres -D/)
            .slice(0, 1)
            .forEach((each) => process.kill(each, 'SIGKILL')),
        2000,
      ),
    ...['run', small, '--candidates', 'postgres', '--provision', 'local', '--out', join(out, 'killed')],
  )
  expect(ended.acted).toBe(true)
  expect([0, 99], ended.stderr).toContain(ended.code)
  const [candidate] = resultIn(join(out, 'killed'), 'small').result.candidates
  expect(candidate?.failure).toBeNull()
  expect(candidate?.restarts).toMatchObject([{ reason: expect.stringMatching(/the server ended \(SIGKILL\)/) }])
  const confirmed = candidate?.trials.filter((trial) => trial.phase === 'confirmation') ?? []
  expect(confirmed.map((trial) => trial.validity.verdict)).toContain('broken')
  expect(confirmed.some((trial) => trial.validity.verdict !== 'broken' && trial.throughputPerSecond > 10)).toBe(true)
  expect(candidate?.invariants.filter((each) => !each.ok)).toEqual([])
}, 120_000)

test.each([
  ['postgres', /postgres -D/],
  ['redis', /redis-server/],
])(
  'a %s that is killed while its writes are read back: the candidate failed, and no write is called lost',
  async (engine, program) => {
    const path = join(mkdtempSync(join(tmpdir(), 'dbtrial-e2e-')), 'many.yaml')
    // So many rows are written that reading them back takes a while.
    writeFileSync(path, readFileSync(small, 'utf8').replace('set: { state: any }, rate: 10/s', 'set: { state: any }, rate: 900/s'))
    const ended = await dbtrialUntil(
      /^.*invariants/m,
      (pid) =>
        setTimeout(
          () =>
            matching(pid, program)
              .slice(0, 1)
              .forEach((each) => process.kill(each, 'SIGKILL')),
          150,
        ),
      ...['run', path, '--candidates', engine, '--provision', 'local', '--out', join(out, `read-back-${engine}`)],
    )
    expect(ended.acted, ended.stderr).toBe(true)
    const [candidate] = resultIn(join(out, `read-back-${engine}`), 'small').result.candidates
    expect(candidate?.failure, ended.stderr).toMatch(/the server ended \(SIGKILL\)/)
    expect(candidate?.invariants).toEqual([])
    expect(ended.code).toBe(4)
    rmSync(dirname(path), { recursive: true })
  },
  120_000,
)

test('a server that dies again after its restart: the candidate failed, what was measured is kept', async () => {
  let killer: NodeJS.Timeout | undefined
  const ended = await dbtrialUntil(
    /open loops/,
    (pid) =>
      (killer = setInterval(
        () =>
          matching(pid, /postgres -D/)
            .slice(0, 1)
            .forEach((each) => process.kill(each, 'SIGKILL')),
        1500,
      )),
    ...['run', small, '--candidates', 'postgres', '--provision', 'local', '--out', join(out, 'twice')],
  )
  clearInterval(killer)
  expect(ended.code, ended.stderr).toBe(4)
  const [candidate] = resultIn(join(out, 'twice'), 'small').result.candidates
  expect(candidate?.failure).toMatch(/the server ended/)
  expect(candidate?.restarts).toHaveLength(1)
  expect(candidate?.trials.some((trial) => trial.phase === 'sweep' && trial.validity.verdict !== 'broken')).toBe(true)
}, 120_000)

test('a fault of ours in a worker process ends the run: its stack is printed, what was measured is kept, and nothing is left', async () => {
  const marker = join(out, 'thrown')
  const hook = pathToFileURL(join(root, 'test/e2e/throw-in-worker.mjs')).href
  const ended = await dbtrialWith(
    { NODE_OPTIONS: `--import ${hook}`, DBTRIAL_TEST_MARKER: marker },
    ...['run', small, '--candidates', 'postgres', '--provision', 'local', '--out', join(out, 'thrower')],
  )
  expect(existsSync(marker)).toBe(true)
  expect(ended.code, ended.stderr).toBe(1)
  expect(ended.stderr).toMatch(/worker \d+: Error: thrown by a test\n\s+at .*throw-in-worker\.mjs/)
  const { directory: at, result } = resultIn(join(out, 'thrower'), 'small')
  expect(ended.stderr.trimEnd().split('\n').at(-1)).toBe(
    `exit code 1: this is a fault of dbtrial, and of no candidate: please report it with the lines above and with ${join(at, 'result.json')}`,
  )
  expect(result.status).toBe('interrupted')
  expect(result.fault).toContain('thrown by a test')
  const [candidate] = result.candidates
  expect(candidate?.failure).toBeNull()
  expect(candidate?.verification.wrong).toBe(0)
  expect(candidate?.trials.some((trial) => trial.phase === 'sweep' && trial.validity.verdict !== 'broken')).toBe(true)
  expect(await leftoversWithin(10_000)).toEqual([])
}, 120_000)

test('a worker process that is killed: that trial is broken, the rest is measured', async () => {
  const ended = await dbtrialUntil(
    /open loops/,
    (pid) =>
      setTimeout(
        () =>
          matching(pid, /replay\/worker\.ts/)
            .slice(0, 1)
            .forEach((each) => process.kill(each, 'SIGKILL')),
        1500,
      ),
    ...['run', small, '--candidates', 'postgres', '--provision', 'local', '--out', join(out, 'lost-worker')],
  )
  expect(ended.acted).toBe(true)
  expect([0, 99], ended.stderr).toContain(ended.code)
  const [candidate] = resultIn(join(out, 'lost-worker'), 'small').result.candidates
  expect(candidate?.failure).toBeNull()
  const broken = candidate?.trials.filter((trial) => trial.validity.verdict === 'broken') ?? []
  expect(broken.map((trial) => trial.validity.reasons)).toEqual([[expect.stringMatching(/a worker process (has )?ended/)]])
  expect(candidate?.trials.at(-1)?.validity.verdict).not.toBe('broken')
  // What the worker had written is unknown: no invariant may be claimed, held or broken.
  expect(candidate?.invariants).toEqual([])
}, 120_000)

test('a full result disk: the result is kept elsewhere, and where is said', async () => {
  using disk = new SmallDisk(4)
  disk.fill()
  const ended = await dbtrial('run', small, '--candidates', 'redis', '--provision', 'local', '--out', disk.path)
  expect(ended.code, ended.stderr).toBe(3)
  const [, path = ''] = /the result could not be written to .*: ENOSPC.*; it is kept in (\S+)/.exec(ended.stderr) ?? []
  expect(path, ended.stderr).not.toBe('')
  const kept = JSON.parse(readFileSync(path, 'utf8')) as Result
  expect(kept.status).toBe('complete')
  expect(kept.candidates[0]?.trials.length).toBeGreaterThan(3)
  rmSync(dirname(path), { recursive: true })
}, 120_000)

test('memory that runs out is a finding: the candidate failed with its limit, the run is written', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'dbtrial-e2e-')), 'tight.yaml')
  const text = readFileSync(join(root, 'scenarios/ecommerce.yaml'), 'utf8')
    .replace('memory: 2GiB', 'memory: 16MiB')
    // The Redis that is installed here without a container speaks no TLS.
    .replace('bench:\n', 'bench:\n  security: off\n')
  writeFileSync(path, text)
  const ended = await dbtrial('run', path, '--candidates', 'redis', '--provision', 'local', '--out', join(out, 'tight'))
  expect(ended.code, ended.stderr).toBe(4)
  const { result } = resultIn(join(out, 'tight'), 'ecommerce')
  expect(result.candidates[0]?.failure).toMatch(/the memory limit was reached while \w+ was loaded, after [\d,]+ rows: OOM/)
  rmSync(dirname(path), { recursive: true })
}, 120_000)

describe('a run that was interrupted', () => {
  const place = join(out, 'interrupted')

  test('is continued: what was measured is not measured again', async () => {
    const arguments_ = ['run', small, '--candidates', 'postgres,redis', '--provision', 'local', '--out', place]
    const stopped = await dbtrialUntil(/redis, open loops/, (pid) => setTimeout(() => process.kill(-pid, 'SIGKILL'), 1500), ...arguments_)
    expect(stopped.acted).toBe(true)
    expect(await leftoversWithin(10_000)).toEqual([])
    const { directory: at, result: before } = resultIn(place, 'small')
    expect(before.status).toBe('interrupted')
    const done = before.candidates[0]?.trials.filter((trial) => trial.phase === 'confirmation') ?? []
    // Beside others every trial is noisy, and repeated once.
    expect(new Set(done.map((trial) => trial.arrival.multiple)).size).toBe(2)
    const resumed = await dbtrial(...arguments_, '--resume', at)
    expect([0, 99], resumed.stderr).toContain(resumed.code)
    const { result } = resultIn(place, 'small')
    expect(result.status).toBe('complete')
    expect(result.contentHash).toBe(before.contentHash)
    const confirmed = (at: number) => result.candidates[at]?.trials.filter((trial) => trial.phase === 'confirmation') ?? []
    // How much slower the host was is told by all that is known of it, at the end.
    const measured = (trials: typeof done) => trials.map(({ slowdown: _, ...rest }) => rest)
    expect(measured(confirmed(0))).toEqual(measured(done))
    expect(new Set(confirmed(1).map((trial) => trial.start))).toEqual(new Set([2]))
    expect(result.candidates.every((each) => each.failure === null && each.invariants.every((invariant) => invariant.ok))).toBe(true)
  }, 180_000)

  test('is refused under another seed, and once it is complete', async () => {
    const { directory: at } = resultIn(place, 'small')
    const again = await dbtrial('run', small, '--candidates', 'postgres,redis', '--provision', 'local', '--resume', at)
    expect(again).toMatchObject({ code: 2 })
    expect(again.stderr).toContain('holds a complete run')
    const file = join(at, 'result.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"status":"complete"', '"status":"interrupted"'))
    const other = await dbtrial('run', small, '--candidates', 'postgres,redis', '--provision', 'local', '--seed', '12', '--resume', at)
    expect(other).toMatchObject({ code: 2 })
    expect(other.stderr).toMatch(/cannot be continued: different are the seed, .*the generated data/)
  }, 60_000)
})

test.each(['SIGTERM', 'SIGHUP'] as const)('%s ends the run in order: the partial result is written, nothing is left', async (signal) => {
  const place = join(out, signal)
  const ended = await dbtrialUntil(/sweep/, (pid) => process.kill(-pid, signal), ...['run', small, '--candidates', 'redis', '--out', place])
  expect(ended.code, ended.stderr).toBe({ SIGTERM: 143, SIGHUP: 129 }[signal])
  expect(resultIn(place, 'small').result.status).toBe('interrupted')
  expect(await leftoversWithin(3000)).toEqual([])
}, 60_000)

describe('hostile text', () => {
  test.each([
    "'; drop table",
    '$(id)',
    '../../x',
    '<script>',
    'x'.repeat(10_000),
    '😀',
    'שלום',
  ])('as the name of a scenario: refused in one line (%#)', (name) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/dbtrial.mjs'), 'run', name], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toMatch(/^there is no scenario /)
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2)
    expect(stderr.length).toBeLessThan(600)
  })

  test('as values, in paths and in the summary: it stays data in every engine, in files and in HTML', async () => {
    const place = join(out, "$(touch pwned) '; drop <b> 😀")
    const ended = await dbtrial('run', small, '--provision', 'local', '--out', place)
    expect([0, 99], ended.stderr).toContain(ended.code)
    const { directory: at, result } = resultIn(place, 'small')
    for (const candidate of result.candidates) {
      expect(candidate.failure, candidate.name).toBeNull()
      expect(candidate.verification.wrong, candidate.name).toBe(0)
    }
    const html = readFileSync(join(at, 'report.html'), 'utf8')
    expect(html).not.toContain('<script>alert')
    // What stands in a fence is shown as it is.
    expect(readFileSync(join(at, 'report.md'), 'utf8').replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '')).not.toContain('<script>')
    expect(existsSync('/tmp/dbtrial-pwned') || existsSync(join(root, 'pwned'))).toBe(false)
  }, 240_000)
})
