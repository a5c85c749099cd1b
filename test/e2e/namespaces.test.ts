/** Runs that share a disk and see nothing of each other's processes, as in two containers: each leaves the other alone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { launcher, parent, resultIn, small, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))

/** Ordinary users get a PID namespace with a user namespace around it. */
const ways = [[], ['--user', '--map-root-user']].map((more) => ['unshare', ...more, '--pid', '--fork', '--kill-child', '--mount-proc'])
const way = ways.find(([program = '', ...rest]) => spawnSync(program, [...rest, 'true']).status === 0)

interface Run {
  child: ChildProcess
  said: () => string
  ended: Promise<number | null>
}

function startApart(name: string): Run {
  const [program = '', ...rest] = way as string[]
  const arguments_ = ['run', small, '--candidates', 'redis', '--provision', 'local', '--out', join(out, name)]
  const child = spawn(program, [...rest, process.execPath, launcher, ...arguments_], {
    env: { ...process.env, CI: 'true' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (data: Buffer) => (said += data.toString()))
  return { child, said: () => said, ended: new Promise((resolve) => child.on('exit', resolve)) }
}

const directories = () => (existsSync(parent) ? readdirSync(parent).filter((name) => name.startsWith('run-')) : [])

test('two at once in two PID namespaces: both are whole; one that is killed with all that guards it is removed by the next in its own', async ({
  skip,
}) => {
  if (way === undefined) skip('this machine permits no PID namespace: nothing was tested')
  const before = directories()
  const first = startApart('first')
  await expect.poll(first.said, { timeout: 60_000 }).toMatch(/sweep/)
  const ofFirst = directories().filter((each) => !before.includes(each))
  expect(ofFirst).toHaveLength(1)
  // It sweeps at its start, while the first measures.
  const second = startApart('second')
  await expect.poll(second.said, { timeout: 60_000 }).toMatch(/load/)
  expect(first.child.exitCode).toBeNull()
  expect(directories()).toEqual(expect.arrayContaining(ofFirst))
  expect([0, 99], first.said()).toContain(await first.ended)
  expect([0, 99], second.said()).toContain(await second.ended)
  for (const name of ['first', 'second']) {
    const { result } = resultIn(join(out, name), 'small')
    expect(result.status).toBe('complete')
    const [candidate] = result.candidates
    expect(candidate?.failure).toBeNull()
    expect(candidate?.verification.wrong).toBe(0)
    expect(candidate?.invariants.every((each) => each.ok)).toBe(true)
    expect(candidate?.restarts).toEqual([])
  }
  expect(directories()).toEqual(before)

  // A namespace ends with all its processes, the guard among them: only the lock tells that this run is gone.
  const third = startApart('third')
  await expect.poll(third.said, { timeout: 60_000 }).toMatch(/load/)
  const ofThird = directories().filter((each) => !before.includes(each))
  expect(ofThird).toHaveLength(1)
  third.child.kill('SIGKILL')
  await third.ended
  expect(directories()).toEqual(expect.arrayContaining(ofThird))
  const fourth = startApart('fourth')
  expect([0, 99], fourth.said()).toContain(await fourth.ended)
  expect(directories()).toEqual(before)
}, 300_000)
