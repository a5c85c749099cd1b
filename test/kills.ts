/**
 * Ends runs at random moments with SIGINT, SIGTERM, SIGHUP and SIGKILL in turn: `make kills [count=100] [seed=1]`. Prints a table; exit code 1
 * where anything stayed, or where a run did not end as it says: in order with its own code, launcher included, within five seconds.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { keyOf, Source } from '../src/data/random.ts'
import { containerRuntime } from '../src/provision/runtime.ts'
import { launcher, leftovers, matching, small, temporaryDirectory } from './e2e/commands.ts'

const count = Number(process.argv[2] ?? 100)
const seed = Number(process.argv[3] ?? 1)
const latestMs = 24_000
const cleanWithinMs = 20_000
const endedWithinMs = 5000
/** As a run documents them. A launcher that was killed together with the harness, or before it knew a signal, ends by the signal itself. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: 137 } as const
type Signal = keyof typeof codes
const signals = Object.keys(codes) as Signal[]

interface Killed {
  provision: string
  /** The last phase that it said it was in. */
  phase: string
  signal: Signal
  /** What is not as documented; '' where all is. */
  wrong: string
  left: string[]
  cleanMs: number
}

const draws = new Source().restart(keyOf(seed, 'kills'), 1)
const provisions = (await containerRuntime().catch(() => null)) === null ? ['local'] : ['local', 'container']
const out = temporaryDirectory()
const killed: Killed[] = []
for (let run = 0; run < count; run++) {
  const provision = provisions[Math.floor(run / signals.length) % provisions.length] as string
  const signal = signals[run % signals.length] as Signal
  const afterMs = draws.next() * latestMs
  const whole = draws.next() < 0.5
  killed.push(await killOne(provision, signal, afterMs, whole))
  const { phase, left, cleanMs, wrong } = killed.at(-1) as Killed
  process.stderr.write(
    `${run + 1}/${count} ${provision}, ${signal} to ${whole ? 'all' : 'one'}, in ${phase}: ${wrong === '' ? '' : `${wrong}; `} ${left.length} left after ${(cleanMs / 1000).toFixed(1)} s ${left.join(', ')}\n`,
  )
}
rmSync(out, { recursive: true, force: true })

// Whatever came late, guards included.
await new Promise((resolve) => setTimeout(resolve, 5000))
const late = [...(await leftovers()), ...matching(1, /reaper\.ts/).map((pid) => `guard ${pid}`)]

const rows = [...Map.groupBy(killed, (each) => `${each.signal} | ${each.provision} | ${each.phase}`)].sort(([a], [b]) => a.localeCompare(b))
process.stdout.write(
  '| signal | provision | sent in | runs | not as documented | anything left | slowest clean-up |\n| --- | --- | --- | ---: | ---: | ---: | ---: |\n',
)
for (const [name, own] of rows)
  process.stdout.write(
    `| ${name} | ${own.length} | ${own.filter((each) => each.wrong !== '').length} | ${own.filter((each) => each.left.length > 0).length} | ${(Math.max(...own.map((each) => each.cleanMs)) / 1000).toFixed(1)} s |\n`,
  )
const dirty = killed.filter((each) => each.left.length > 0).length
const wrong = killed.filter((each) => each.wrong !== '').length
process.stdout.write(
  `\n${count} signals, ${wrong} runs did not end as documented, ${dirty} left something; five seconds after the last: ${late.length === 0 ? 'nothing' : late.join(', ')}\n`,
)
process.exit(wrong + dirty + late.length === 0 ? 0 : 1)

async function killOne(provision: string, signal: Signal, afterMs: number, whole: boolean): Promise<Killed> {
  const arguments_ = ['run', small, '--candidates', 'postgres,mongodb,redis', '--provision', provision, '--out', out]
  const child = spawn(process.execPath, [launcher, ...arguments_], {
    env: { ...process.env, CI: 'true' },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const ended = new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve) => child.on('exit', (code, by) => resolve({ code, by })))
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  const sentMs = performance.now()
  const phase = [...said.matchAll(/^ *\d+\.\d s {2}([a-z][a-z -]*)$/gm)].at(-1)?.[1] ?? 'before the first phase'
  // Whole: as a terminal does. Otherwise SIGKILL hits the harness, and what can be passed on the launcher.
  if (whole) process.kill(-(child.pid as number), signal)
  else if (signal === 'SIGKILL') for (const pid of matching(child.pid as number, /src\/cli\.ts/)) process.kill(pid, signal)
  else child.kill(signal)
  const hung = new Promise<null>((resolve) => setTimeout(() => resolve(null), endedWithinMs).unref())
  const end = await Promise.race([ended, hung])
  if (end === null) process.kill(-(child.pid as number), 'SIGKILL')
  const { code, by } = await ended
  // A run that was over before the signal came ends as any other.
  const over = /^ *[\d.]+ s {2}stop$/m.test(said) && !said.includes(`${signal}: stopping`)
  const wrong =
    end === null ? `did not end within ${endedWithinMs / 1000} s` : over || by === signal || code === codes[signal] ? '' : `ended with ${code ?? by}`
  if (wrong !== '') process.stderr.write(said.replaceAll(/^/gm, '    '))
  process.stderr.write(`ended after ${((performance.now() - sentMs) / 1000).toFixed(1)} s; `)
  const start = performance.now()
  let left = await leftovers()
  while (left.length > 0 && performance.now() - start < cleanWithinMs) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    left = await leftovers()
  }
  return { provision, signal, phase, wrong, left, cleanMs: performance.now() - start }
}
