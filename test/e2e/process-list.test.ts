/** What other users of the machine see of a run: its processes' arguments. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { processTree } from '../../src/host/processes.ts'
import { commandLine, launcher, small, temporaryDirectory } from './commands.ts'

const out = temporaryDirectory()
afterAll(() => rmSync(out, { recursive: true, force: true }))

test.each([
  ['--endpoint', 'postgres=postgres://me:sEcret-%C3%B6-w0rd@127.0.0.1:PORT/'],
  ['--endpoint=postgres=postgres://me:sEcret-%C3%B6-w0rd@127.0.0.1:PORT/?sslmode=disable'],
])('the password of a URL is in none of them, and reaches the program', async (...endpoint) => {
  // It accepts and says nothing: the run waits while its processes are looked at.
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const asked = new Promise((resolve) => silent.once('connection', resolve))
  const arguments_ = ['run', small, '--candidates', 'postgres', ...endpoint.map((each) => each.replace('PORT', String(port))), '--out', out]
  const child = spawn(process.execPath, [launcher, ...arguments_], { stdio: 'ignore', detached: true })
  try {
    await asked
    const tree = processTree(child.pid as number)
    expect(tree.length).toBeGreaterThan(2)
    for (const pid of tree) expect(commandLine(pid)).not.toMatch(/sEcret|w0rd/)
    const harness = tree.find((pid) => commandLine(pid).includes('src/cli.ts'))
    expect(readFileSync(`/proc/${harness}/environ`, 'utf8').split('\0')).toContain('DBTRIAL_PASSWORD_POSTGRES=sEcret-ö-w0rd')
  } finally {
    process.kill(-(child.pid as number), 'SIGKILL')
    silent.close()
  }
}, 60_000)
