/** What is particular to Memcached: who lists its keys meets those of others, which may be any bytes. */
import { afterAll, expect, test } from 'vitest'
import { MemcachedConnection } from '../../src/clients/protocols/memcached.ts'
import { memcached } from '../../src/engines/memcached/index.ts'
import { TestBed } from '../differential/bed.ts'

const bed = new TestBed()
afterAll(() => bed[Symbol.asyncDispose](), 60_000)

test('keys of others that are no text are left alone, and stop nobody from finding and dropping what is his', async () => {
  const { endpoint } = await bed.server(memcached)
  const { list, create, drop } = memcached.external
  const { host, port, user = '', password = '' } = endpoint
  const connection = await MemcachedConnection.open({ host, port, user, password })
  try {
    connection.request.length = 0
    connection.request.append(Buffer.from('set k\xFC 0 0 1\r\n1\r\n', 'latin1'))
    const stored = new Promise((resolve) => {
      connection.onReply = (bytes, from, to) => resolve(bytes.toString('latin1', from, to))
    })
    connection.send()
    expect(await stored).toMatch(/^STORED/)
    const name = await create(endpoint, 'its_own-1.a')
    const own = async () => (await list(endpoint)).map((each) => each.name)
    expect(await own()).toEqual([name])
    await connection.ask(`set ${name}:e:1!(*)' 0 0 1\r\n1\r\n`)
    await drop(endpoint, name)
    expect(await own()).toEqual([])
    expect((await connection.ask('stats\r\n')).toString()).toMatch(/^STAT curr_items 1\r$/m)
  } finally {
    connection.end()
  }
}, 60_000)

test('who drops a namespace that is not his leaves alone what others keep under that prefix', async () => {
  const { endpoint } = await bed.server(memcached)
  const { create, drop } = memcached.external
  const { host, port, user = '', password = '' } = endpoint
  const connection = await MemcachedConnection.open({ host, port, user, password })
  try {
    await connection.ask('set theirs:e:1 0 0 1\r\n1\r\n')
    const longer = await create(endpoint, 'theirs2')
    await drop(endpoint, 'theirs')
    expect((await connection.ask('touch theirs:e:1 0\r\n')).toString()).toMatch(/^TOUCHED/)
    await drop(endpoint, longer)
  } finally {
    connection.end()
  }
}, 60_000)
