/** Who is provably gone, and what no text may carry. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { messageOf } from '../../../src/errors.ts'
import { isGone, type Owner, ownerOf, ownerText, thisProcess } from '../../../src/provision/owner.ts'
import { keepSecret, redact } from '../../../src/secrets.ts'

const own = thisProcess()
const source = (name: string) => join(import.meta.dirname, '../../../src/provision', name)
const inNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath]
const permitted = spawnSync(inNamespace[0] as string, [...inNamespace.slice(1, -1), 'true']).status === 0

/** A process that has taken an owner of its own and lives until it is killed. */
async function another(program: string[]): Promise<{ owner: Owner; child: ChildProcess; ended: Promise<unknown> }> {
  const script = `import { ownerText, thisProcess } from '${source('owner.ts')}'; console.log(ownerText(thisProcess())); setInterval(() => {}, 1000)`
  const [first = '', ...rest] = program
  const child = spawn(first, [...rest, '--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve))
  return { owner: ownerOf(line) as Owner, child, ended }
}

test('a process that lives is not gone; another start is; another machine and another container never', () => {
  expect(isGone(own)).toBe(false)
  expect(isGone({ ...own, startTicks: own.startTicks + 1 })).toBe(true)
  expect(isGone({ ...own, pid: 2 ** 22 + 1 })).toBe(true)
  expect(isGone({ ...own, machine: '00000000', boot: '00000000', startTicks: 1 })).toBe(false)
  expect(isGone({ ...own, pidNamespace: own.pidNamespace + 1, pid: 2 ** 22 + 1 })).toBe(false)
})

test('after a reboot a machine knows that its processes are gone; a container does not know of those of its image', () => {
  expect(isGone({ ...own, boot: '00000000', pidNamespace: 0 })).toBe(true)
  expect(isGone({ ...own, boot: '00000000', pidNamespace: 500 })).toBe(false)
})

test('a process is gone once it was killed', async () => {
  const { owner, child, ended } = await another([process.execPath])
  expect(isGone(owner)).toBe(false)
  child.kill('SIGKILL')
  await ended
  expect(isGone(owner)).toBe(true)
})

test('its lock tells of a process that cannot be seen from here, for as long as it lives', async ({ skip }) => {
  if (!permitted) skip('this machine permits no PID namespace')
  const { owner, child, ended } = await another(inNamespace)
  expect(owner.pidNamespace).not.toBe(own.pidNamespace)
  // Seen from here there is another process of that number, or none: that proves nothing.
  expect(isGone(owner)).toBe(false)
  child.kill('SIGKILL')
  await ended
  await expect.poll(() => isGone(owner)).toBe(true)
})

test('an owner survives being a label; anything else is no owner', () => {
  expect(ownerOf(ownerText(own))).toEqual(own)
  // With what stands around it, it is the name of a keyspace: 48 at most.
  const longest = ownerText({ ...own, pidNamespace: 36 ** 3 - 1, pid: 2 ** 22, startTicks: 36 ** 7 - 1 })
  expect(`dbtrial_${longest}_0`.length).toBeLessThanOrEqual(48)
  for (const text of ['', 'x', 'dbtrial_1_2', `${ownerText(own)}; drop`, "00000000_00000000_0_'1_1"]) expect(ownerOf(text)).toBeUndefined()
})

test('a password is in no message: as it is, encoded for a URL, escaped for JSON', () => {
  keepSecret('s3cr"t/ö')
  expect(redact('postgres://u:s3cr"t/ö@h and s3cr%22t%2F%C3%B6 and s3cr\\"t/ö')).toBe('postgres://u:•••@h and ••• and •••')
  expect(messageOf(new Error('login failed for s3cr"t/ö'))).toBe('login failed for •••')
})
