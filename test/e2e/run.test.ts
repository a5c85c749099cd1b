/** The real command, on real servers, from the outside. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { afterAll, describe, expect, test } from 'vitest'
import type { Decision } from '../../src/assess/decision/decision.ts'
import { killQuietly, processIds, workingDirectory } from '../../src/host/processes.ts'
import type { Result } from '../../src/result/result.ts'
import { commandLine, dbtrial, dbtrialUntil, type Ended, launcher, matching, resultIn, root, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))

describe('ecommerce at smoke with all its candidates', () => {
  let ended: Ended
  let result: Result
  let directory: string

  test('runs to the end and says where the report is', async () => {
    ended = await dbtrial('run', 'ecommerce', '--effort', 'smoke', '--out', out)
    expect(ended.stderr).not.toMatch(/\bat .*\.ts:\d+/)
    expect([0, 99]).toContain(ended.code)
    const [name] = readdirSync(join(out, 'ecommerce'))
    directory = join(out, 'ecommerce', name as string)
    result = JSON.parse(readFileSync(join(directory, 'result.json'), 'utf8')) as Result
    for (const file of ['report.md', 'report.html', 'result.json']) expect(ended.stdout).toContain(join(directory, file))
  }, 480_000)

  test('every candidate answered right, kept its invariants, and was measured', () => {
    expect(result.status).toBe('complete')
    expect(result.candidates.map((candidate) => candidate.name)).toEqual(['postgres', 'mongodb', 'cassandra', 'redis'])
    for (const candidate of result.candidates) {
      expect(candidate.failure, candidate.name).toBeNull()
      expect(candidate.verification.wrong).toBe(0)
      expect(candidate.verification.checked).toBeGreaterThanOrEqual(300)
      expect(candidate.invariants.filter((invariant) => !invariant.ok)).toEqual([])
      expect(candidate.invariants.length).toBeGreaterThan(5)
      expect(candidate.parity.every((each) => each.ok)).toBe(true)
      for (const phase of ['warm-up', 'sweep', 'confirmation']) expect(candidate.trials.some((trial) => trial.phase === phase)).toBe(true)
      for (const trial of candidate.trials) for (const operation of Object.values(trial.operations)) expect(operation.wrong).toBe(0)
    }
    expect(result.excuses.map((excuse) => [excuse.engine, excuse.operation])).toEqual([
      ['cassandra', 'place_order'],
      ['redis', 'daily_revenue'],
    ])
  })

  test('what its regimes ask for was on in what was measured, and is what they are judged by', () => {
    expect(result.scenario.bench).toMatchObject({ security: 'on' })
    for (const { name, parity } of result.candidates) {
      const [transport, access] = ['transport encryption', 'access control'].map((what) => parity.find((row) => row.what === what))
      expect(transport, name).toMatchObject({ asked: 'no plain connections (gdpr, pci_dss)', ok: true })
      expect(access, name).toMatchObject({ set: 'operations come from the role application, which may read and write rows', ok: true })
    }
    const report = readFileSync(join(directory, 'report.md'), 'utf8')
    // One row for each candidate, among its promises; what their products offer is a row of the section on security.
    expect(report.match(/^\| transport encryption \| no plain connections/gm)).toHaveLength(result.candidates.length)
    expect(report.match(/^\| transport encryption \| gdpr/gm)).toHaveLength(1)
    expect(report).toContain('security was on: ')
    for (const file of ['report.md', 'report.html', 'result.json']) expect(readFileSync(join(directory, file), 'utf8')).not.toContain('PRIVATE KEY')
  })

  test('open-loop trials account for every intended start', () => {
    for (const candidate of result.candidates) {
      for (const trial of candidate.trials.filter((each) => each.arrival.loop === 'open')) {
        for (const [name, each] of Object.entries(trial.operations)) {
          const errors = Object.values(each.errors).reduce((sum, count) => sum + count, 0)
          expect(each.ok + each.miss + each.conflict + errors + each.dropped, `${candidate.name} ${name}`).toBe(each.intended)
          expect(each.responseUs?.count).toBe(each.intended)
        }
      }
    }
  })

  test('the result fits its published schema', () => {
    const schema = JSON.parse(readFileSync(join(root, 'src/result/result.schema.json'), 'utf8')) as object
    const validate = new Ajv2020.default({ strict: false }).compile(schema)
    expect(validate(result), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true)
  })

  test('the report names candidates, operations and excuses, and has its charts', () => {
    const markdown = readFileSync(join(directory, 'report.md'), 'utf8')
    for (const text of ['postgres', 'cassandra', 'place\\_order', '## 1 Decision', 'Validity of every trial']) expect(markdown).toContain(text)
    for (const [, file] of markdown.matchAll(/\(charts\/([^)]+)\)/g)) expect(existsSync(join(directory, 'charts', file as string))).toBe(true)
    const html = readFileSync(join(directory, 'report.html'), 'utf8')
    expect(html.match(/<figure class="chart"/g)?.length).toBeGreaterThanOrEqual(4)
    // The namespace of SVG is a name, which nobody fetches.
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//)
  })

  test('assess and report work again on the saved result, offline', async () => {
    const path = join(directory, 'result.json')
    const assessed = await dbtrial('assess', path, '--json')
    expect(JSON.parse(assessed.stdout)).toEqual(result.assessment)
    const reported = await dbtrial('report', path, '--format', 'md')
    expect(reported.stdout).toContain('## 1 Decision')
  }, 30_000)

  test('leaves no server and no data behind', () => {
    expect(
      processIds()
        .map(commandLine)
        .filter((command) => command.includes('/run-') && command.includes('dbtrial-')),
    ).toEqual([])
    const parent = `/var/tmp/dbtrial-${process.getuid?.()}`
    const own = readdirSync(parent).filter((name) => name.startsWith('run-') && !name.startsWith(`run-${process.pid}-`))
    expect(own).toEqual([])
  })
})

test('Ctrl-C stops the servers, writes what there is, and exits with 130', async () => {
  const child = spawn(
    process.execPath,
    [launcher, 'run', 'ecommerce', '--candidates', 'postgres', '--provision', 'local', '--effort', 'smoke', '--out', join(out, 'stopped')],
    { env: { ...process.env, CI: 'true' }, detached: true },
  )
  let stderr = ''
  const servers: number[] = []
  const code = await new Promise<number | null>((resolve) => {
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString()
      if (stderr.includes('sweep') && servers.length === 0) {
        servers.push(...matching(child.pid as number, /postgres/))
        process.kill(-(child.pid as number), 'SIGINT')
      }
    })
    child.on('exit', resolve)
  })
  expect(code, stderr).toBe(130)
  expect(servers.length).toBeGreaterThan(2)
  for (const pid of servers) expect(existsSync(`/proc/${pid}`)).toBe(false)
  const [name] = readdirSync(join(out, 'stopped/ecommerce'))
  const result = JSON.parse(readFileSync(join(out, 'stopped/ecommerce', name as string, 'result.json'), 'utf8')) as Result
  expect(result.status).toBe('interrupted')
  expect(result.candidates[0]?.verification.checked).toBeGreaterThan(300)
}, 120_000)

test('what a run left that was killed together with its guard is swept by the next one, stopped children of a paused server included', async () => {
  const parent = `/var/tmp/dbtrial-${process.getuid?.()}`
  const strays = () => processIds().filter((pid) => workingDirectory(pid)?.startsWith(`${parent}/run-`))
  const child = spawn(
    process.execPath,
    [launcher, 'run', 'ecommerce', '--candidates', 'postgres,mongodb', '--provision', 'local', '--effort', 'smoke', '--out', join(out, 'killed')],
    { env: { ...process.env, CI: 'true' } },
  )
  let killed = false
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
    // While the second candidate is loaded, the first one is paused.
    if (killed || !/load[\s\S]*mongodb/.test(stderr)) return
    killed = true
    for (const pid of matching(child.pid as number, /src\/cli\.ts|reaper\.ts/)) killQuietly(pid)
  })
  await new Promise((resolve) => child.on('exit', resolve))
  expect(killed).toBe(true)
  expect(readdirSync(parent).length).toBeGreaterThan(0)
  const next = await dbtrial('run', 'ecommerce', '--candidates', 'postgres', '--provision', 'local', '--effort', 'smoke', '--out', join(out, 'next'))
  expect([0, 99]).toContain(next.code)
  expect(strays()).toEqual([])
  expect(readdirSync(parent)).toEqual([])
}, 120_000)

test('a server that dies before it was verified is told, its errors are no wrong answers, and the run is finished and written', async () => {
  let killer: NodeJS.Timeout | undefined
  const ended = await dbtrialUntil(
    / s {2}load\n/, // It runs by then, however busy the machine is.
    (pid) => (killer = setInterval(() => matching(pid, /postgres -D/).forEach(killQuietly), 200)),
    ...['run', 'ecommerce', '--candidates', 'postgres', '--provision', 'local', '--effort', 'smoke', '--out', join(out, 'died')],
  )
  clearInterval(killer)
  expect(ended.code, ended.stderr).toBe(4)
  expect(ended.stderr.trimEnd().split('\n').at(-1)).toMatch(/^exit code 4: postgres: the server ended \(SIGKILL\)/)
  const [candidate] = resultIn(join(out, 'died'), 'ecommerce').result.candidates
  expect(candidate?.failure).toMatch(/the server ended \(SIGKILL\)/)
  expect(candidate?.verification.wrong).toBe(0)
}, 120_000)

test('rows that grew by more than a tenth: the server starts again on its snapshot, is warmed, and every acknowledged write since is there', async () => {
  const path = join(out, 'growing.yaml')
  writeFileSync(
    path,
    readFileSync(join(root, 'test/e2e/small.yaml'), 'utf8')
      .replace('rate: 0.4/s', 'rate: 60/s')
      .replace('peak: 2x', 'peak: 1x')
      .replace('effort: smoke', 'effort: quick, repeats: 1'),
  )
  const ended = await dbtrial('run', path, '--candidates', 'redis', '--provision', 'local', '--json', '--out', join(out, 'growing'))
  expect([0, 99], ended.stderr).toContain(ended.code)
  const [candidate] = (JSON.parse(ended.stdout) as Result).candidates
  expect(candidate?.failure).toBeNull()
  expect(candidate?.restores).toBeGreaterThan(0)
  expect(candidate?.trials.find((trial) => trial.phase === 'sweep')?.start).toBe(1)
  expect(candidate?.trials.filter((trial) => trial.phase === 'confirmation').every((trial) => trial.start > 1)).toBe(true)
  expect(candidate?.invariants.filter((invariant) => !invariant.ok)).toEqual([])
  expect(candidate?.invariants.length).toBeGreaterThan(1)
}, 120_000)

describe('a saved result asked again', () => {
  const saved = join(root, 'test/golden/results/ecommerce.json')
  const decided = async (...options: string[]) => {
    const ended = await dbtrial('assess', saved, '--json', ...options)
    expect([0, 99], ended.stderr).toContain(ended.code)
    return (JSON.parse(ended.stdout) as { decision: Decision }).decision
  }

  test('a higher peak needs more, other weights rank otherwise or not, a small budget rules out', async () => {
    const [before, peak, budget] = [await decided(), await decided('--peak', '9x'), await decided('--budget', '10 USD/month')]
    const cost = (decision: Decision) =>
      new Map(decision.candidates.flatMap(({ name, plan }) => (plan === null ? [] : [[name, plan.usdPerMonth.now.p50] as const])))
    const planned = [...cost(before)].filter(([name]) => cost(peak).has(name))
    expect(planned.length).toBeGreaterThan(0)
    for (const [name, usd] of planned) expect(cost(peak).get(name), name).toBeGreaterThan(usd)
    expect(budget.ranking.standings).toEqual([])
    const constraints = budget.candidates.flatMap((each) => each.constraints)
    expect(constraints.find((each) => each.name === 'budget')).toMatchObject({ state: 'out', probability: 0 })
  }, 120_000)

  test('a number is explained, an unknown one is named', async () => {
    const ended = await dbtrial('assess', saved, '--explain', 'demand.order.rows@12')
    expect(ended.stdout).toMatch(/^demand\.order\.rows@12 = [\d,]+ rows .*\n {2}= min\(stock/)
    const unknown = await dbtrial('assess', saved, '--explain', 'cost.nobody.total')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toMatch(/there is no such number\n→ those near it/)
  }, 120_000)

  test('the screen ends with the ranking, servers, dates and cost', async () => {
    const { stdout } = await dbtrial('assess', saved)
    for (const text of [/servers now/, /USD a month now → month \d+ \(budget/, /Forecast error here/]) expect(stdout).toMatch(text)
  }, 120_000)
})

describe('the other commands', () => {
  test('an invalid scenario starts nothing and exits with 2', async () => {
    const path = join(out, 'broken.yaml')
    writeFileSync(path, readFileSync(join(root, 'scenarios/ecommerce.yaml'), 'utf8').replace('rate: 900/s', 'rate: often'))
    const ended = await dbtrial('run', path)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toBe(`${path}:51:42: operations.get_product.rate: expected a rate such as 900/s, 6/min or 40/h\n`)
  })

  test.each([
    [['run', 'ecomerce'], /there is no scenario "ecomerce", did you mean "ecommerce"\?/],
    [['run', 'ecommerce', '--effort', 'fast'], /Allowed choices are smoke, quick, standard, thorough/],
    [['run', 'ecommerce', '--candidates', 'oracle'], /there is no candidate or engine "oracle"/],
    [['plan', 'ecommerce', '--seed', 'x'], /--seed x: expected a whole number/],
    [['models', 'ecommerce', '--engine', 'x'], /there is no engine "x"/],
    [['assess', '/nowhere/result.json'], /cannot be read as a result/],
    [['frobnicate'], /unknown command/],
  ])('%j is wrong usage: one sentence, exit code 2', async (arguments_, message) => {
    const ended = await dbtrial(...arguments_)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toMatch(message)
    expect(ended.stderr).not.toMatch(/\n\s+at /)
  })

  test('plan: another seed is another plan, the same seed the same', async () => {
    const [a, b, c] = await Promise.all([
      dbtrial('plan', 'ecommerce', '--json'),
      dbtrial('plan', 'ecommerce', '--json'),
      dbtrial('plan', 'ecommerce', '--json', '--seed', '5'),
    ])
    expect(a.stdout).toBe(b.stdout)
    expect(a.stdout).not.toBe(c.stdout)
    expect((await dbtrial('plan', 'ecommerce')).stdout).toContain('scale-limited')
  }, 30_000)

  test('without a server to be had: an excuse with the mend, exit code 3', async () => {
    const ended = await new Promise<Ended>((resolve) => {
      const env = { HOME: out, XDG_CACHE_HOME: join(out, 'cache'), PATH: '/nonexistent', CI: 'true' }
      execFile(
        process.execPath,
        [launcher, 'run', 'ecommerce', '--effort', 'smoke', '--candidates', 'cassandra', '--provision', 'local', '--out', join(out, 'none')],
        { env },
        (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      )
    })
    expect(ended.code, ended.stderr).toBe(3)
    expect(ended.stdout).toMatch(/no server to be had: .*no java on the PATH/)
    expect(ended.stdout).toContain('install a JDK')
  }, 60_000)
})
