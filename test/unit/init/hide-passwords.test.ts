/** No password of an endpoint stays among the arguments of a process. */
import { expect, test } from 'vitest'
import { hidePasswords } from '../../../bin/hide-passwords.mjs'

test.each([
  [['--endpoint', 'pg-1=postgres://app:secret@127.0.0.1:1/x'], ['--endpoint', 'pg-1=postgres://app@127.0.0.1:1/x'], 'DBTRIAL_PASSWORD_PG_1'],
  [['--endpoint=pg=postgres://app:secret@127.0.0.1:1/x'], ['--endpoint=pg=postgres://app@127.0.0.1:1/x'], 'DBTRIAL_PASSWORD_PG'],
  [['--from-postgres', 'postgres://app:secret@127.0.0.1:1/x'], ['--from-postgres', 'postgres://app@127.0.0.1:1/x'], 'DBTRIAL_PASSWORD_POSTGRES'],
  [['--from-postgres=postgres://app:secret@127.0.0.1:1/x'], ['--from-postgres=postgres://app@127.0.0.1:1/x'], 'DBTRIAL_PASSWORD_POSTGRES'],
])('%s', (given, shown, variable) => {
  const title = process.title
  const environment: Record<string, string> = {}
  expect(hidePasswords(given, environment)).toEqual(shown)
  expect(environment).toEqual({ [variable]: 'secret' })
  process.title = title
})

test('what is no endpoint stays as it is', () => {
  const given = ['init', 'shop', '--from-ddl', 'schema.sql', '--from', 'ecommerce', '--summary', 'a=b']
  expect(hidePasswords(given, {})).toEqual(given)
})
