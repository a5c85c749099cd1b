/**
 * How fast the host lets the server's cores run. On shared machines it changes within seconds by a factor of up to two, no figure of the kernel
 * shows it, and whatever is measured changes with it.
 */
import type { ChildProcess } from 'node:child_process'
import { endProgram, forkProgram } from '../replay/fork.ts'
import { bindToCores, putFirst } from './processes.ts'
import type { Timed } from './speed-probe.ts'

/** Interrupts and others that run meanwhile make some calls longer, none shorter. */
const quantile = 0.25
const minCalls = 5
/** More than the longest trial and its drain. */
const keptNs = 180e9
const readyWithinMs = 30_000

export class HostSpeed implements AsyncDisposable {
  readonly #probes: ChildProcess[]
  readonly #calls: Timed[]

  private constructor(probes: ChildProcess[]) {
    this.#probes = probes
    this.#calls = probes.map(() => ({ atNs: [], us: [] }))
    for (const [at, probe] of probes.entries()) probe.on('message', (message) => this.#keep(at, message as Timed))
  }

  /** One probe on each core; null where processes cannot be bound to cores. */
  static async start(cores: readonly number[]): Promise<HostSpeed | null> {
    const probes = cores.map(() =>
      forkProgram(new URL('./speed-probe.ts', import.meta.url), ['--disable-warning=ExperimentalWarning', '--single-threaded']),
    )
    const bound = await Promise.all(probes.map((probe, at) => isReady(probe).then((ready) => ready && placed(probe, cores[at] as number))))
    if (bound.every((each) => each)) return new HostSpeed(probes)
    await Promise.all(probes.map(endProgram))
    return null
  }

  get pids(): number[] {
    return this.#probes.flatMap(({ pid }) => pid ?? [])
  }

  /** Microseconds that the piece of code took between two moments of the monotonic clock, on average over the cores; null: too few calls to tell. */
  between(fromNs: number, toNs: number): number | null {
    const byCore = this.#calls.map(({ atNs, us }) => {
      const own = us.filter((_, at) => (atNs[at] as number) >= fromNs && (atNs[at] as number) < toNs).sort((a, b) => a - b)
      return own.length < minCalls ? null : (own[Math.floor(quantile * own.length)] as number)
    })
    return byCore.reduce<number | null>((sum, own) => (sum === null || own === null ? null : sum + own / byCore.length), 0)
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#probes.map(endProgram))
  }

  #keep(probe: number, { atNs, us }: Timed): void {
    const kept = this.#calls[probe] as Timed
    const since = (atNs.at(-1) ?? 0) - keptNs
    const old = kept.atNs.findIndex((ns) => ns >= since)
    kept.atNs.splice(0, old < 0 ? kept.atNs.length : old)
    kept.us.splice(0, old < 0 ? kept.us.length : old)
    kept.atNs.push(...atNs)
    kept.us.push(...us)
  }
}

/** Once its code has been compiled. */
function isReady(probe: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    probe.once('message', () => resolve(true))
    probe.once('exit', () => resolve(false))
    probe.once('error', () => resolve(false))
    setTimeout(() => resolve(false), readyWithinMs).unref()
  })
}

/** Ahead of the server's own threads where that is permitted: a call that is interrupted by them is lost. */
async function placed({ pid }: ChildProcess, core: number): Promise<boolean> {
  if (pid === undefined || !(await bindToCores(pid, [core]))) return false
  await putFirst(pid)
  return true
}
