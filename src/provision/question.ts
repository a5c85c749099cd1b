/** Questions to servers that somebody else runs, asked by a process of its own: one that never answers, floods us or breaks a driver ends that process and nothing else. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../engines/engine.ts'
import { TrialError } from '../errors.ts'
import { faultFrom } from '../stray-errors.ts'

export type Question = { ask: 'ready' } | { ask: 'list' } | { ask: 'create'; proposed: string } | { ask: 'drop'; namespace: string }
export type Namespaces = { namespace: string; name: string }[]
/** What the asking process is told, and what it answers. */
export type Asked = { engine: string; endpoint: Endpoint; question: Question }
/** `fault`: the stack of one of ours. */
export type Answered = { answer: unknown } | { failure: string } | { fault: string }

const answersWithinMs = 20_000
/** A driver needs about 100 MB; a reply that needs so much more is none to any of our questions. */
const maxResidentBytes = 600e6
const pageBytes = 4096
const lookEveryMs = 50

/** @throws TrialError with the reason, where the server refuses, gives no answer in time, or gives one that nobody can read. */
export function askServer(
  engine: string,
  endpoint: Endpoint,
  question: Question,
  signal?: AbortSignal,
  withinMs = answersWithinMs,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // The password goes over the pipe: the arguments of a process are everybody's to read.
    const child = fork(fileURLToPath(new URL('./asker.ts', import.meta.url)), [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    const settle = (act: () => void) => {
      clearTimeout(deadline)
      clearInterval(watch)
      signal?.removeEventListener('abort', onAbort)
      child.kill('SIGKILL')
      act()
    }
    const fail = (why: string) => settle(() => reject(new TrialError('no-answer', why)))
    const onAbort = () => settle(() => reject(signal?.reason as Error))
    const deadline = setTimeout(() => fail(`no answer within ${withinMs / 1000} s`), withinMs)
    const watch = setInterval(() => {
      if (residentBytes(child) > maxResidentBytes) fail('its answer has no end')
    }, lookEveryMs)
    child.on('message', (message: Answered) => {
      if ('failure' in message) fail(message.failure)
      else if ('fault' in message) settle(() => reject(faultFrom(message.fault)))
      else settle(() => resolve(message.answer))
    })
    child.on('exit', (code, by) => fail(`its answer ended the process that asked (${by ?? `exit code ${code}`})`))
    child.on('error', (error) => fail(error.message))
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    child.send({ engine, endpoint, question } satisfies Asked)
  })
}

function residentBytes({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes
  } catch {
    return 0 // It has ended, or this system does not tell.
  }
}
