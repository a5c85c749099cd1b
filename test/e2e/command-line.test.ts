/** The command line from the outside: signals in the middle of a trial, readers that go, runs found again, defaults, what else it prints. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Result } from '../../src/result/result.ts'
import { dbtrial, dbtrialUntil, dbtrialWith, launcher, leftoversWithin, resultIn, root, small, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))
const saved = join(root, 'test/golden/results/small.json')
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)

describe.each([
  ['SIGINT', 130, 'all', /redis, warm-up/],
  ['SIGTERM', 143, 'launcher', /redis, sweep/],
  ['SIGHUP', 129, 'all', /start 1 of 1: redis, open loops/],
] as const)('%s in the middle of a trial', (signal, code, to, moment) => {
  test('ends the run in order within seconds, says that nothing was decided, and leaves nothing', async () => {
    const place = join(out, signal)
    let sentMs = 0
    const ended = await dbtrialUntil(
      moment,
      (pid) =>
        setTimeout(() => {
          sentMs = performance.now()
          process.kill(to === 'all' ? -pid : pid, signal)
        }, 600),
      ...['run', small, '--candidates', 'redis', '--provision', 'local', '--out', place],
    )
    expect(ended.acted).toBe(true)
    expect(performance.now() - sentMs).toBeLessThan(10_000) // Seconds of a busy machine; `make kills` demands five.
    expect(ended.code, ended.stderr).toBe(code)
    expect(lastLine(ended.stderr)).toBe(`exit code ${code}: stopped by ${signal}`)
    expect(ended.stdout).toMatch(/^Nothing was decided: the run was stopped during measurement/)
    const { directory, result } = resultIn(place, 'small')
    expect(result.status).toBe('interrupted')
    expect(readFileSync(join(directory, 'report.md'), 'utf8')).toMatch(/^# .*\n\n> .* Nothing was decided/)
    // The command that is printed is the one that was typed, and continues.
    expect(ended.stderr).toContain(
      `to continue: node bin/dbtrial.mjs run ${small} --candidates redis --provision local --out ${place} --resume ${directory}`,
    )
    expect((await dbtrial('assess', directory)).code).toBe(4)
    expect(await leftoversWithin(5000)).toEqual([])
  }, 120_000)
})

test('a reader that goes ends nothing: the run is measured and written', async () => {
  const place = join(out, 'pipe')
  const ended = spawnSync(
    'bash',
    [
      '-c',
      `"${process.execPath}" "${launcher}" run "${small}" --candidates redis --provision local --out "${place}" 2>&1 | head -2; echo "\${PIPESTATUS[0]}"`,
    ],
    { encoding: 'utf8', env: { ...process.env, CI: 'true' } },
  )
  expect(ended.stdout.trim().split('\n')).toHaveLength(3)
  expect(['0', '99']).toContain(lastLine(ended.stdout))
  expect(resultIn(place, 'small').result.status).toBe('complete')
}, 120_000)

test('a full device behind stdout is said, in one line', () => {
  const ended = spawnSync('bash', ['-c', `"${process.execPath}" "${launcher}" assess "${saved}" --fail-on none --json > /dev/full`], {
    encoding: 'utf8',
  })
  expect(ended.status).toBe(3)
  expect(ended.stderr).toBe('stdout could not be written: ENOSPC: no space left on device, write\n')
  const head = spawnSync('bash', ['-c', `"${process.execPath}" "${launcher}" report "${saved}" --format md | head -1; echo "\${PIPESTATUS[0]}"`], {
    encoding: 'utf8',
  })
  expect(head.stdout).toMatch(/^# small.*\n0\n$/)
  expect(head.stderr).toBe('')
}, 60_000)

test('a server that refuses: the reason on the screen and as the last line, with the code', async () => {
  const ended = await dbtrial('run', small, '--candidates', 'redis', '--endpoint', 'redis=redis://127.0.0.1:1/', '--out', join(out, 'refused'))
  expect(ended.code, ended.stderr).toBe(3)
  expect(ended.stdout).toMatch(/^Nothing was decided: no candidate ran to the end/)
  expect(ended.stdout).toMatch(/^redis.*ECONNREFUSED/m)
  expect(lastLine(ended.stderr)).toMatch(/^exit code 3: there was no server: redis: .*ECONNREFUSED/)
}, 60_000)

describe('runs are found again', () => {
  const reports = join(out, 'reports')
  const run = (name: string, change: (result: Result) => void) => {
    const directory = join(reports, 'small', name)
    mkdirSync(directory, { recursive: true })
    const result = JSON.parse(readFileSync(saved, 'utf8')) as Result
    change(result)
    writeFileSync(join(directory, 'result.json'), JSON.stringify(result))
    return directory
  }
  let older = ''
  let newer = ''
  beforeAll(() => {
    older = run('20260101T000000Z-1', (result) => void (result.startedAt = '2026-01-01T00:00:00.000Z'))
    newer = run('20260102T000000Z-1', (result) => void (result.startedAt = '2026-01-02T00:00:00.000Z'))
    mkdirSync(join(reports, 'small/20260103T000000Z-1'))
    writeFileSync(join(reports, 'small/20260103T000000Z-1/result.json'), '{')
  })

  test('newest first, a damaged one among them', async () => {
    const listed = JSON.parse((await dbtrial('list', '--out', reports, '--json')).stdout) as { status: string; directory: string }[]
    expect(listed.map((each) => each.status)).toEqual(['unreadable', 'complete', 'complete'])
    expect(listed[1]?.directory).toBe(newer)
  }, 60_000)

  test('by their directory, and as the last two, with the reason for what nobody can say', async () => {
    rmSync(join(reports, 'small/20260103T000000Z-1'), { recursive: true })
    const named = await dbtrial('compare', older, newer, '--format', 'csv')
    expect(named.code, named.stderr).toBe(0)
    expect(named.stdout.split('\r\n')[0]).toContain('ratio_low')
    const last = await dbtrial('compare', 'last', '--out', reports)
    expect(last.stdout).toMatch(new RegExp(`baseline ${join(older, 'result.json')}\nresult +${join(newer, 'result.json')}`))
    expect(last.stdout).toMatch(/\d+ undetermined: (the baseline has|only|too few)/)
    expect((await dbtrial('compare', 'last', 'nothing', '--out', reports)).stderr).toMatch(/last: there are 0 runs of nothing/)
    rmSync(older, { recursive: true })
    expect((await dbtrial('compare', 'last', '--out', reports)).stderr).toMatch(/there is 1 run of small .*\n→ measure it once more: .* run small/)
    run('20260101T000000Z-1', (result) => void (result.startedAt = '2026-01-01T00:00:00.000Z'))
  }, 60_000)

  test('a build on GitHub gets its summary', async () => {
    const summary = join(out, 'summary.md')
    await dbtrialWith({ GITHUB_STEP_SUMMARY: summary }, 'compare', older, newer)
    expect(readFileSync(summary, 'utf8')).toMatch(/^## dbtrial: compared with the baseline/)
  }, 60_000)
})

test('assess says first what other wishes change; a budget that the horizon breaks is no pass', async () => {
  const sample = join(root, 'reports/sample')
  const ended = await dbtrial('assess', sample, '--peak', '5x', '--growth', 'order=8%/month', '--horizon', '5y', '--budget', '2000 USD/month')
  expect(ended.stdout).toMatch(/^What changed: postgres ranks first → nobody passes every hard constraint/)
  // What stands on a condition passes on none of its own.
  expect(ended.stdout).toMatch(/^postgres +passes +on a condition: objectives on average, objectives at peak +not: .*budget/m)
  expect(ended.stdout).toMatch(/postgres is out: .* in month 60, of 2,000: within it in every month with a probability of /)
  expect(ended.code).toBe(0)
  const unchanged = await dbtrial('assess', sample)
  expect(unchanged.stdout).toMatch(
    /^postgres ranks first, ahead of mongodb † with a probability of [\d.]+\. postgres stands on one condition: daily_revenue is kept rolled up; else daily_revenue would take /m,
  )
  // What README shows of the sample is what anybody sees who asks again.
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const shown = /^```\n(No candidate[\s\S]*?)^```$/m.exec(readme)?.[1]?.split('\n') ?? []
  expect(shown.length).toBeGreaterThan(20)
  const lines = unchanged.stdout.split('\n').map((line) => line.trimEnd())
  for (const line of shown.filter((each) => each !== '…')) expect(lines).toContain(line.trimEnd())
}, 180_000)

test('advise says that there is nothing to try, whom it does not know, and what compares nothing', async () => {
  const place = join(out, 'advise')
  mkdirSync(place, { recursive: true })
  const result: Result = JSON.parse(readFileSync(join(root, 'test/golden/results/ecommerce.json'), 'utf8'))
  const write = (uses: number) => {
    for (const candidate of result.candidates) {
      const [store] = candidate.model.stores.filter(({ indexes }) => indexes.some(({ unique, kind }) => !unique && kind === 'ordered'))
      const index = store?.indexes.find(({ unique, kind }) => !unique && kind === 'ordered')
      candidate.indexUseOf = 'all starts'
      candidate.indexUse = store === undefined || index === undefined ? [] : [{ table: store.name, index: index.name, uses }]
      candidate.explanations = []
    }
    writeFileSync(join(place, 'result.json'), JSON.stringify(result))
  }
  write(1)
  const nothing = await dbtrial('advise', place, '--candidate', 'postgres')
  expect(nothing).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^postgres: nothing to try\. As far as its server tells, no index of it went unused/),
  })
  const unknown = await dbtrial('advise', place, '--candidate', 'oracle')
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/the result has no candidate "oracle"\n→ it has postgres, /) })
  write(0)
  const smoke = await dbtrial('advise', place, '--effort', 'smoke')
  expect(smoke).toMatchObject({ code: 2, stderr: expect.stringMatching(/a smoke run compares nothing/) })
}, 60_000)

describe('defaults', () => {
  const place = join(out, 'defaults')
  const plan = (environment: Record<string, string>, ...arguments_: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [launcher, 'plan', small, ...arguments_], {
      cwd: place,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    })
    return { said: stdout.split('\n')[0], stderr, status }
  }
  beforeAll(() => mkdirSync(place))

  test('an option goes before its variable, and that before the file', () => {
    writeFileSync(join(place, 'dbtrial.yaml'), 'effort: quick\ncandidates: [redis]\nseed: 5\n')
    expect(plan({}).said).toBe('small: redis, effort quick, seed 5')
    expect(plan({ DBTRIAL_EFFORT: 'standard' }).said).toContain('effort standard')
    expect(plan({ DBTRIAL_EFFORT: 'standard' }, '--effort', 'smoke').said).toContain('effort smoke')
  }, 60_000)

  test.each([
    ['allow-remote: true\n', /dbtrial.yaml: allow-remote: no such default\n→ defaults are candidates/],
    ['effort: fast\n', /dbtrial.yaml: effort: fast is none of smoke, quick/],
    ['- a\n', /dbtrial.yaml: expected options with their values/],
    ['effort: [\n', /dbtrial.yaml: /],
  ])(
    '%j is refused, with the file',
    (text, message) => {
      writeFileSync(join(place, 'dbtrial.yaml'), text)
      const { status, stderr } = plan({})
      expect(status).toBe(2)
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(/\n\s+at /)
    },
    20_000,
  )
})

test('make fails on what is wrong, not on what is slow, and repeats what was typed', () => {
  const dry = (...words: string[]) => execFileSync('make', ['-n', '-C', root, ...words], { encoding: 'utf8' })
  const bench = dry('bench', 'scenario=ecommerce', 'candidates=postgres')
  expect(bench).toContain('run ecommerce --candidates postgres')
  expect(bench).toMatch(/--fail-on answers,invariants$/m)
  expect(bench).toMatch(/DBTRIAL_MAKE='make bench (candidates=postgres scenario=ecommerce|scenario=ecommerce candidates=postgres)'/)
  expect(dry('assess', 'peak=5x', 'budget=9000 USD/month')).toMatch(/assess 'last' --peak '5x' +--budget '9000 USD\/month'/)
  expect(dry('compare')).toMatch(/compare last *$/m)
})

test('exit codes are in the help, a version has its short form, and shells complete what there is', async () => {
  const help = await dbtrial('run', '--help')
  for (const text of ['Exit codes:', '99  a finding', '--fail-on']) expect(help.stdout).toContain(text)
  expect((await dbtrial('-v')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  const { stdout: script } = await dbtrial('completion', 'bash')
  const completed = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _dbtrial; echo "\${COMPREPLY[*]}"`,
      ],
      {
        encoding: 'utf8',
      },
    ).trim()
  expect(completed('dbtrial', 'com')).toBe('compare completion')
  expect(completed('dbtrial', 'run', 'x', '--eff')).toBe('--effort')
  expect(completed('dbtrial', 'run', 'x', '--effort', 's')).toBe('smoke standard')
  expect((await dbtrial('completion', 'fish')).stdout).toContain("-l effort -x -a 'smoke quick standard thorough'")
}, 60_000)

test('a dialogue asks again after a wrong answer', async () => {
  const directory = join(out, 'init')
  const answers = ['a bazaar', 'nothing', 'a shop', 'lots of things', 'order=2M', 'often', '4x', 'perhaps', 'volatile', 'oracle', 'redis']
  const program = `import pty,os,sys,time
pid,fd=pty.fork()
if pid==0: os.execvp(sys.argv[1],sys.argv[1:])
said=b''
for answer in ${JSON.stringify(answers)}:
  before=said.count(b']: ')
  while said.count(b']: ')<=before-0 and said.count(b']: ')==before and not said[said.rfind(b'\\n')+1:].strip().endswith(b']:'): said+=os.read(fd,4096)
  os.write(fd,answer.encode()+b'\\n'); time.sleep(.3)
try:
  while True: 
    data=os.read(fd,4096)
    if not data: break
    said+=data
except OSError: pass
print(said.decode()); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))`
  const ended = spawnSync('python3', ['-c', program, process.execPath, launcher, 'init', 'shop', '--dir', directory], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect(ended.status, ended.stdout + ended.stderr).toBe(0)
  for (const text of [
    'there is no scenario "a bazaar" to start from',
    'lots: expected NAME=ROWS',
    'often: expected',
    'perhaps: expected fsync, relaxed, volatile',
    'there is no engine "oracle"',
  ])
    expect(ended.stdout).toContain(text)
  expect(ended.stdout).not.toContain('--entity')
  const written = readFileSync(join(directory, 'shop.yaml'), 'utf8')
  for (const text of ['count: 2M', 'peak: 4x', 'durability: volatile', 'redis']) expect(written).toContain(text)
}, 40_000)

test('a scenario of the library is copied under a new name, as it is', async () => {
  const directory = join(out, 'copies')
  const copy = await dbtrial('init', 'mine', '--from', 'ycsb-a', '--dir', directory)
  expect(copy.code, copy.stderr).toBe(0)
  const written = readFileSync(join(directory, 'mine.yaml'), 'utf8')
  for (const text of ['# Begun as a copy of ycsb-a', 'name: mine', 'rate: 500/s']) expect(written).toContain(text)
  expect((await dbtrial('validate', join(directory, 'mine.yaml'))).code).toBe(0)
  const strange = await dbtrial('init', 'other', '--from', 'ycsb-z', '--dir', directory)
  expect([strange.code, strange.stderr]).toEqual([2, expect.stringContaining('there is no scenario "ycsb-z" to start from: there are audit-log')])
  const mixed = await dbtrial('init', 'other', '--from', 'ycsb-a', '--peak', '3x', '--dir', directory)
  expect([mixed.code, mixed.stderr]).toEqual([2, expect.stringContaining("cannot be used with option '--peak <factor>'")])
  expect(readdirSync(directory)).toEqual(['mine.yaml'])
}, 40_000)

test('a terminal gets colours and a bar; NO_COLOR takes the colours, not the bar', () => {
  const place = join(out, 'terminal')
  cpSync(saved, join(place, 'result.json'))
  const script = (environment: Record<string, string>, command: string) =>
    spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', ...environment },
    }).stdout
  const assessed = (environment: Record<string, string>) =>
    script(environment, `stty cols 100 rows 40; "${process.execPath}" "${launcher}" assess "${place}"`)
  expect(assessed({})).toContain('\u001b[32m✓')
  expect(assessed({ NO_COLOR: '1' })).not.toContain('\u001b[32m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant.
  const plain = assessed({}).replaceAll(/\u001b\[\d+m/g, '')
  expect(
    Math.max(
      ...plain
        .split(/\r?\n/)
        .filter((line) => / {2,}/.test(line))
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(100)
  const run = script(
    { NO_COLOR: '1' },
    `stty cols 100 rows 40; timeout -s INT 14 "${process.execPath}" "${launcher}" run "${small}" --candidates redis --provision local --out "${join(place, 'run')}"`,
  )
  expect(run).toMatch(/░ \d+ %, \d+ s gone, about .* left/)
  const [, phase = ''] = /the run was stopped during ([a-z-]+)/.exec(run) ?? []
  expect(phase).not.toBe('')
  expect(run).not.toContain(`✔ ${phase}`)
  expect(existsSync(join(place, 'run/small')) && readdirSync(join(place, 'run/small')).length).toBe(1)
}, 60_000)

test('JUnit is well-formed whatever a message says', async () => {
  const result = JSON.parse(readFileSync(saved, 'utf8')) as Result
  const path = join(out, 'hostile.json')
  const [first] = result.candidates
  if (first !== undefined) first.failure = '\u001b[2J\u0000 <&> "\ud800"'
  writeFileSync(path, JSON.stringify(result))
  const ended = await dbtrial('compare', saved, path, '--format', 'junit')
  expect(ended.code).toBe(99)
  const checked = spawnSync('python3', ['-c', 'import sys,xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())'], {
    input: ended.stdout,
    encoding: 'utf8',
  })
  expect(checked.status, checked.stderr).toBe(0)
}, 60_000)
