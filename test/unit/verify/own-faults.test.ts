/** An error of a server in place of an answer is a wrong answer; a fault of ours is none, and ends the verification. */
import { expect, test } from 'vitest'
import { ServerError } from '../../../src/clients/server-error.ts'
import type { Compiled } from '../../../src/engines/engine.ts'
import { Reference } from '../../../src/verify/reference.ts'
import { verify } from '../../../src/verify/verify.ts'
import { dataset, operations, scenario } from '../replay/sessions.ts'

const compiled = { scenario, operations, programs: operations.map(() => ({})) } as unknown as Compiled
const verified = (error: Error) =>
  verify({ perform: () => Promise.reject(error) }, 'driver', compiled, dataset, new Reference(dataset, operations), 2, new AbortController().signal)

test('a server that refuses gives a wrong answer', async () => {
  const { checked, wrong, differences } = await verified(new ServerError('invalid', 'relation "e" does not exist', { detail: '42P01' }))
  expect(wrong).toBe(checked)
  expect(differences[0]?.got).toBe('error: relation "e" does not exist')
})

test('a TypeError in a session is thrown', async () => {
  await expect(verified(new TypeError('rows is not iterable'))).rejects.toThrow(TypeError)
})
