/** Starts a program of ours as a process of its own that outlives this one in no case. */
import { type ChildProcess, fork } from 'node:child_process'
import { which } from '../host/programs.ts'

/** It ends when its channel does, and the kernel ends one that does not come to it. A terminal's signals are for its own group. */
export function forkProgram(program: URL, flags: string[]): ChildProcess {
  const setpriv = which('setpriv')
  const launch =
    setpriv === undefined
      ? { execPath: process.execPath, execArgv: flags }
      : { execPath: setpriv, execArgv: ['--pdeathsig', 'KILL', process.execPath, ...flags] }
  // Passwords go over the channel alone.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DBTRIAL_PASSWORD')))
  const child = fork(program, [], { ...launch, env, detached: true, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  child.on('error', () => {}) // Between two orders nobody waits; the next order finds the process gone.
  return child
}

export function endProgram(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
