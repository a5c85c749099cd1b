/** Threads of a server that do one kind of work, told by the names they give themselves. */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { cpuSecondsOfThread } from './processes.ts'

/** The kernel's range of niceness starts there: whoever has it is hardly ever kept waiting by others. */
const beforeOthers = -20

export class Threads {
  readonly #processes: number[]
  readonly #name: RegExp

  constructor(processes: number[], name: RegExp) {
    this.#processes = processes
    this.#name = name
  }

  get count(): number {
    return this.#now().length
  }

  /** Of those that run now. */
  cpuSeconds(): number {
    return this.#now().reduce((sum, { path }) => sum + (cpuSecondsOfThread(`${path}/stat`) ?? 0), 0)
  }

  /** Lets them run before other threads, or among them again. Whether all of them do: who may not raise priorities changes nothing. */
  goFirst(first: boolean): boolean {
    const done = this.#now().map(({ thread }) => {
      try {
        setPriority(thread, first ? beforeOthers : 0)
        return true
      } catch {
        return false // It has just ended, or nobody allows it.
      }
    })
    return done.length > 0 && done.every((each) => each)
  }

  /** Listed each time: a server starts and ends threads as it likes, and they inherit. */
  #now(): { thread: number; path: string }[] {
    return this.#processes.flatMap((process) => {
      try {
        return readdirSync(`/proc/${process}/task`)
          .map((thread) => ({ thread: Number(thread), path: `/proc/${process}/task/${thread}` }))
          .filter(({ path }) => this.#name.test(nameOf(path)))
      } catch {
        return [] // It has just ended.
      }
    })
  }
}

function nameOf(path: string): string {
  try {
    return readFileSync(`${path}/comm`, 'latin1')
  } catch {
    return '' // It has just ended.
  }
}
