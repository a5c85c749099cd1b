/** Kills runs at random moments and counts what is left: `make kills [count=100] [seed=1]`. Prints a table; exit code 1 where anything stayed. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { keyOf, Source } from '../src/data/random.ts'
import { containerRuntime } from '../src/provision/runtime.ts'
import { commandLine, launcher, leftovers, matching, small, temporaryDirectory } from './e2e/commands.ts'

const count = Number(process.argv[2] ?? 100)
const seed = Number(process.argv[3] ?? 1)
const latestMs = 24_000
const cleanWithinMs = 20_000

interface Killed {
  provision: string
  /** The last phase that it said it was in. */
  phase: string
  left: string[]
  cleanMs: number
}

const draws = new Source().restart(keyOf(seed, 'kills'), 1)
const provisions = (await containerRuntime().catch(() => null)) === null ? ['local'] : ['local', 'container']
const out = temporaryDirectory()
const killed: Killed[] = []
for (let run = 0; run < count; run++) {
  const provision = provisions[run % provisions.length] as string
  const afterMs = draws.next() * latestMs
  const whole = draws.next() < 0.5
  killed.push(await killOne(provision, afterMs, whole))
  const { phase, left, cleanMs } = killed.at(-1) as Killed
  process.stderr.write(
    `${run + 1}/${count} ${provision}, ${whole ? 'with its launcher' : 'alone'}, in ${phase}: ${left.length} left after ${(cleanMs / 1000).toFixed(1)} s ${left.join(', ')}\n`,
  )
}
rmSync(out, { recursive: true, force: true })

// Whatever came late, guards included.
await new Promise((resolve) => setTimeout(resolve, 5000))
const late = [...(await leftovers()), ...matching(1, /reaper\.ts/).map((pid) => `guard ${pid}`)]

const rows = [...Map.groupBy(killed, (each) => `${each.provision} | ${each.phase}`)].sort(([a], [b]) => a.localeCompare(b))
process.stdout.write('| provision | killed in | kills | anything left | slowest clean-up |\n| --- | --- | ---: | ---: | ---: |\n')
for (const [name, own] of rows)
  process.stdout.write(
    `| ${name} | ${own.length} | ${own.filter((each) => each.left.length > 0).length} | ${(Math.max(...own.map((each) => each.cleanMs)) / 1000).toFixed(1)} s |\n`,
  )
const dirty = killed.filter((each) => each.left.length > 0).length
process.stdout.write(`\n${count} kills, ${dirty} left something; five seconds after the last: ${late.length === 0 ? 'nothing' : late.join(', ')}\n`)
process.exit(dirty + late.length === 0 ? 0 : 1)

async function killOne(provision: string, afterMs: number, whole: boolean): Promise<Killed> {
  const arguments_ = ['run', small, '--candidates', 'postgres,mongodb,redis', '--provision', provision, '--out', out]
  const child = spawn(process.execPath, [launcher, ...arguments_], {
    env: { ...process.env, CI: 'true' },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  if (whole) process.kill(-(child.pid as number), 'SIGKILL')
  else for (const pid of matching(child.pid as number, /src\/cli\.ts/)) if (isMain(pid)) process.kill(pid, 'SIGKILL')
  await ended
  const start = performance.now()
  let left = await leftovers()
  while (left.length > 0 && performance.now() - start < cleanWithinMs) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    left = await leftovers()
  }
  // A guard sweeps several times; the next run must not be mistaken for what the last one left.
  const phase = [...said.matchAll(/^ *\d+\.\d s {2}([a-z-]+)$/gm)].at(-1)?.[1] ?? 'before the first phase'
  return { provision, phase, left, cleanMs: performance.now() - start }
}

/** The harness itself, not its guard. */
function isMain(pid: number): boolean {
  return !commandLine(pid).includes('reaper.ts')
}
