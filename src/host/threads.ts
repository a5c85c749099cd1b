/** Threads of a server that do one kind of work, told by the names they give themselves. */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { cpuSecondsOfThread } from './processes.ts'

/** The kernel's range of niceness starts there: whoever has it is hardly ever kept waiting by others. */
const beforeOthers = -20

export class Threads {
  readonly #paths: { thread: number; path: string }[]

  /** Those that run in `processes` now; without processes, or without such threads, there are none. */
  constructor(processes: number[], name: RegExp) {
    this.#paths = processes.flatMap((process) => {
      try {
        return readdirSync(`/proc/${process}/task`)
          .map((thread) => ({ thread: Number(thread), path: `/proc/${process}/task/${thread}` }))
          .filter(({ path }) => name.test(readFileSync(`${path}/comm`, 'latin1')))
      } catch {
        return [] // It has just ended.
      }
    })
  }

  get count(): number {
    return this.#paths.length
  }

  cpuSeconds(): number {
    return this.#paths.reduce((sum, { path }) => sum + (cpuSecondsOfThread(`${path}/stat`) ?? 0), 0)
  }

  /** Lets them run before other threads, or among them again. Whether all of them do: who may not raise priorities changes nothing. */
  goFirst(first: boolean): boolean {
    try {
      for (const { thread } of this.#paths) setPriority(thread, first ? beforeOthers : 0)
      return this.count > 0
    } catch {
      return false
    }
  }
}
