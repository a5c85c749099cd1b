/** Watches the server's cores for pauses of the host, a process for each, while a trial runs. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { endProgram, forkProgram } from '../replay/fork.ts'
import type { Pause } from './pauses.ts'
import { bindToCores, putFirst } from './processes.ts'
import type { WakeOrder, Wakes } from './wake.ts'

const patienceMs = 5000
const heapMb = 16

interface Watcher {
  core: number
  child: ChildProcess
  /** null: it did not. */
  started: Promise<unknown>
}

export class PauseWatch implements AsyncDisposable {
  readonly #watchers: Watcher[]

  constructor(cores: number[]) {
    const program = new URL('./wake.ts', import.meta.url)
    const flags = ['--disable-warning=ExperimentalWarning', '--single-threaded', `--max-old-space-size=${heapMb}`]
    this.#watchers = cores.map((core) => {
      const child = forkProgram(program, flags)
      return { core, child, started: answer(child) }
    })
  }

  /** Before anything is watched: null, or why pauses on these cores cannot be told from the server's own work. */
  async settle(): Promise<string | null> {
    const refusals = await Promise.all(this.#watchers.map(settle))
    const refusal = refusals.find((each) => each !== null) ?? null
    if (refusal !== null) await this[Symbol.asyncDispose]()
    return refusal
  }

  get pids(): number[] {
    return this.#watchers.flatMap(({ child: { pid, exitCode, signalCode } }) =>
      pid === undefined || exitCode !== null || signalCode !== null ? [] : [pid],
    )
  }

  /** From now on; shorter pauses are not told, and before `untilNs` an answer may take a quarter of a second. */
  begin(minNs: number, untilNs: number): void {
    for (const { child } of this.#watchers) order(child, { watch: true, minNs, untilNs })
  }

  /** Those since the beginning, on all cores; null: a watcher is gone, and nobody knows. */
  async end(): Promise<Pause[] | null> {
    const seen = await Promise.all(this.#watchers.map(({ core, child }) => pausesOf(child, core)))
    return seen.some((each) => each === null) ? null : seen.flatMap((each) => each ?? []).sort((a, b) => a.endNs - b.endNs)
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#watchers.map(({ child }) => endProgram(child)))
  }
}

/** On its core and before all others; null, or what forbids it. */
async function settle({ core, child, started }: Watcher): Promise<string | null> {
  const { pid } = child
  if ((await started) === null || pid === undefined) return 'the process that would watch for them does not start'
  return (await bindToCores(pid, [core])) ? await putFirst(pid) : 'taskset of util-linux is missing, or refuses'
}

async function pausesOf(child: ChildProcess, core: number): Promise<Pause[] | null> {
  if (!child.connected) return null
  const told = answer(child, AbortSignal.timeout(patienceMs))
  order(child, { watch: false })
  const wakes = (await told) as Wakes | null
  return wakes === null ? null : wakes.endNs.map((endNs, at) => ({ core, endNs, lateNs: wakes.lateNs[at] as number }))
}

/** null: it ended, or hangs. */
async function answer(child: ChildProcess, late?: AbortSignal): Promise<unknown> {
  const ended = new AbortController()
  const onExit = () => ended.abort()
  child.once('exit', onExit)
  try {
    const [message] = await once(child, 'message', { signal: AbortSignal.any([ended.signal, ...(late === undefined ? [] : [late])]) })
    return message
  } catch {
    return null
  } finally {
    child.off('exit', onExit)
  }
}

/** One that is gone is found when it is asked for what it saw. */
function order(child: ChildProcess, what: WakeOrder): void {
  if (child.connected) child.send(what, () => {})
}
