/** Who is provably gone, and what no text may carry. */
import { expect, test } from 'vitest'
import { messageOf } from '../../../src/errors.ts'
import { isGone, ownerOf, ownerText, thisProcess } from '../../../src/provision/owner.ts'
import { keepSecret, redact } from '../../../src/secrets.ts'

const own = thisProcess()

test('a process that lives is not gone; another start, another boot is; another machine is never', () => {
  expect(isGone(own)).toBe(false)
  expect(isGone({ ...own, startTicks: own.startTicks + 1 })).toBe(true)
  expect(isGone({ ...own, pid: 2 ** 22 + 1 })).toBe(true)
  expect(isGone({ ...own, boot: '00000000' })).toBe(true)
  expect(isGone({ ...own, machine: '00000000', boot: '00000000', startTicks: 1 })).toBe(false)
})

test('an owner survives being a label; anything else is no owner', () => {
  expect(ownerOf(ownerText(own))).toEqual(own)
  expect(ownerText(own).length).toBeLessThanOrEqual(40)
  for (const text of ['', 'x', 'dbtrial_1_2', `${ownerText(own)}; drop`, "00000000_00000000_'1_1"]) expect(ownerOf(text)).toBeUndefined()
})

test('a password is in no message: as it is, encoded for a URL, escaped for JSON', () => {
  keepSecret('s3cr"t/ö')
  expect(redact('postgres://u:s3cr"t/ö@h and s3cr%22t%2F%C3%B6 and s3cr\\"t/ö')).toBe('postgres://u:•••@h and ••• and •••')
  expect(messageOf(new Error('login failed for s3cr"t/ö'))).toBe('login failed for •••')
})
