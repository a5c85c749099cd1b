/** Containers as they really run: pulled by digest, confined by the kernel, reached from this machine alone. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { engineNamed } from '../../src/engines/registry.ts'
import { container } from '../../src/provision/container.ts'
import { type Instance, isUnobtainable } from '../../src/provision/provision.ts'
import { containerRuntime } from '../../src/provision/runtime.ts'
import { leftoversWithin, orderOf, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
const redis = engineNamed('redis')
const docker = (...arguments_: string[]) =>
  execFileSync('docker', arguments_, { encoding: 'utf8', env: { ...process.env, DOCKER_BUILDKIT: '0' }, stdio: ['ignore', 'pipe', 'pipe'] }).trim()
afterAll(() => rmSync(out, { recursive: true, force: true }))

async function startContainer(engine = redis, report: (text: string) => void = () => {}): Promise<Instance> {
  const started = await container.start(orderOf(engine, out, report))
  if (isUnobtainable(started)) throw new Error(started.tried.join())
  return started
}

/** What the engine knows of the only container of this test. */
async function inspected() {
  const { docker: api } = await containerRuntime()
  const [found] = await api.listContainers({ all: true, filters: { label: ['dbtrial.candidate=redis'] } })
  return { api, raw: api.getContainer(found?.Id ?? ''), facts: await api.getContainer(found?.Id ?? '').inspect() }
}

test('cores, memory and no swap are enforced; data lies on a disk; nobody else is let in; nothing is left', async () => {
  {
    await using instance = await startContainer()
    await instance.confine()
    expect(instance.enforced).toEqual({ cpu: 'cpuset', memory: 'cgroup' })
    const { raw, facts } = await inspected()
    const inside = async (command: string) => {
      const { client } = await containerRuntime()
      return (await client.container.exec(raw, ['sh', '-c', command], { log: false })).output.trim()
    }
    const limit = await inside('cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null')
    expect(Number(limit)).toBe(2 ** 30)
    expect(facts.HostConfig).toMatchObject({ MemorySwap: 2 ** 30, CpusetCpus: '0' })
    expect(await inside('cat /sys/fs/cgroup/cpuset/cpuset.cpus /sys/fs/cgroup/cpuset.cpus.effective 2>/dev/null')).toBe('0')
    expect(await inside('stat -f -c %T /dbtrial/store')).not.toMatch(/tmpfs|ramfs/)
    expect(await inside('grep ^Uid /proc/1/status')).toMatch(/65534\s+65534/)
    for (const bindings of Object.values(facts.NetworkSettings.Ports)) for (const each of bindings ?? []) expect(each.HostIp).toBe('127.0.0.1')
    expect(facts.HostConfig).toMatchObject({ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], PidsLimit: 4096, Privileged: false })
    // What the server itself may do beyond any user: nothing, and nothing that it starts may either.
    const status = await inside('cat /proc/1/status')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(status).toMatch(new RegExp(`${set}:\\s+0+$`, 'm'))
    expect(status).toMatch(/NoNewPrivs:\s+1/)
    // Alone in its network: a container beside it, in the engine's usual one, does not get there.
    const networks = Object.keys(facts.NetworkSettings.Networks)
    expect(networks).toEqual([facts.HostConfig.Mounts?.[0]?.Source])
    const address = Object.values(facts.NetworkSettings.Networks)[0]?.IPAddress
    const beside = ['run', '--rm', '--entrypoint', 'timeout', facts.Image, '5', 'redis-cli', '-h', String(address), 'ping']
    expect(() => docker(...beside)).toThrow(/exited|failed|Could not connect/i)
    expect(instance.image?.id).toBe(facts.Image)
    expect((await instance.sample())?.residentBytes).toBeGreaterThan(1e6)
  }
  expect(await leftoversWithin(3000)).toEqual([])
}, 60_000)

test('a container that is killed is started again on its data', async () => {
  await using instance = await startContainer()
  const { raw } = await inspected()
  const ended = instance.exited
  await raw.kill()
  expect((await ended).code).toBe(137)
  await instance.restart?.()
  expect(await redis.ready(instance.endpoint)).toMatch(/^\d+\.\d+/)
}, 60_000)

test('a container that cannot be started is told and removed', async () => {
  const name = 'dbtrial-test/empty:1'
  mkdirSync(join(out, 'empty'))
  writeFileSync(join(out, 'empty', 'Dockerfile'), 'FROM scratch\nLABEL dbtrial.test=empty\n')
  docker('build', '--quiet', '--tag', name, join(out, 'empty'))
  try {
    const image = { image: 'dbtrial-nowhere/none:1', digest: `sha256:${'0'.repeat(64)}`, home: '/', offline: { image: name } }
    await expect(startContainer({ ...redis, server: { ...redis.server, image } })).rejects.toThrow(/redis's container did not start: .*"sh"/)
    expect(await leftoversWithin(3000)).toEqual([])
  } finally {
    docker('rmi', '--force', name)
  }
}, 60_000)

test('an image is pulled by its digest, with progress, and the digest is kept', async () => {
  const port = await freePort()
  mkdirSync(join(out, 'registry'))
  writeFileSync(
    join(out, 'registry.yml'),
    `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${join(out, 'registry')} } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
  )
  const registry = spawn('docker-registry', ['serve', join(out, 'registry.yml')], { stdio: 'ignore' })
  const name = `127.0.0.1:${port}/dbtrial-test/redis:7`
  try {
    for (
      let attempt = 0;
      attempt < 50 &&
      !(await fetch(`http://127.0.0.1:${port}/v2/`).then(
        (answer) => answer.ok,
        () => false,
      ));
      attempt++
    )
      await new Promise((resolve) => setTimeout(resolve, 100))
    // A layer that this machine does not have once the image is removed.
    writeFileSync(join(out, 'Dockerfile'), `FROM ${redis.server.image.offline?.image}\nRUN head -c 40000000 /dev/urandom >/filler\n`)
    docker('build', '--quiet', '--tag', name, '--file', join(out, 'Dockerfile'), join(out, 'registry'))
    docker('push', name)
    const digest = docker('image', 'inspect', '--format', '{{index .RepoDigests 0}}', name).split('@')[1] as string
    docker('rmi', '--force', name)
    const said: string[] = []
    const image = { image: name, digest, home: '/usr/bin', offline: { image: 'dbtrial-offline/none:1' } }
    await using instance = await startContainer({ ...redis, server: { ...redis.server, image } }, (text) => said.push(text))
    expect(instance.image).toMatchObject({ name, digest })
    expect(instance.origin).not.toContain('could not be pulled')
    expect(said[0]).toBe(`pulling ${name}`)
    expect(said.some((text) => /: \d+ of \d+ MB$/.test(text))).toBe(true)
  } finally {
    registry.kill()
    try {
      docker(
        'rmi',
        '--force',
        ...docker('images', '--quiet', '--filter', `reference=127.0.0.1:${port}/dbtrial-test/*`)
          .split('\n')
          .filter((id) => id !== ''),
      )
    } catch {
      // The test failed before it was there.
    }
  }
}, 120_000)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
