import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** In a process of its own: Vitest takes for a failure whatever nobody caught. */
const script = `
import { connect, createServer } from 'node:net'
import { catchStrayErrors, owningStrayErrors } from '${new URL('../../src/stray-errors.ts', import.meta.url).href}'
catchStrayErrors((error) => console.log('nobody: ' + error.message))
const server = createServer((socket) => setTimeout(() => socket.write('.'), 20)).listen(0, '127.0.0.1', async () => {
  const talk = (name) => () => new Promise(() => connect(server.address().port).on('data', () => { throw new Error(name) }))
  const late = () => { setTimeout(() => { throw new Error('too late') }, 60); return Promise.resolve('done') }
  const said = await Promise.allSettled([owningStrayErrors(talk('first')), owningStrayErrors(talk('second')), owningStrayErrors(late)])
  console.log(said.map((each) => each.reason?.message ?? each.value).join(', '))
  setTimeout(() => { throw new Error('alone') }, 60)
  setTimeout(() => process.exit(), 150)
})`

test('an error that a reply causes belongs to the work that opened the connection, or to nobody', () => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    cwd,
    encoding: 'utf8',
  })
  expect(printed.trim().split('\n')).toEqual(['first, second, done', 'nobody: too late', 'nobody: alone'])
})
