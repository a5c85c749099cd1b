/** Passwords leave every message and every free text of a result, and nothing else. */
import { expect, test } from 'vitest'
import { keepSecret, redact, redactFreeText } from '../../src/secrets.ts'

test('messages carry no password, short ones only as whole words, long ones anywhere', () => {
  keepSecret('ab')
  keepSecret('S3cr3t-Pw%zz')
  keepSecret('S3cr3t-Pw%zz-and-more')
  expect(redact('password ab of user about')).toBe('password ••• of user about')
  expect(redact('xS3cr3t-Pw%zz-and-morex')).toBe('x•••x')
  expect(redact(encodeURIComponent('S3cr3t-Pw%zz'))).toBe('•••')
})

test('names and numbers of a result stay, whatever the password is', () => {
  keepSecret('postgres')
  keepSecret('100')
  const result = { name: 'postgres', engine: 'postgres', rows: 100, failure: 'refused: password postgres of 100', reasons: ['postgres said 100'] }
  expect(redactFreeText(result)).toEqual({ ...result, failure: 'refused: password ••• of •••', reasons: ['••• said •••'] })
})
