/** What is shown of a server that ended: what it said, not where in it that was thrown. */
import { expect, test } from 'vitest'
import { endOf } from '../../../src/provision/provision.ts'

const ofNode = `file:///run/server.mjs:6
throw new Error('no account')
      ^

Error: no account
    at file:///run/server.mjs:6:7
    at async asyncRunEntryPointWithESMLoader (node:internal/modules/run_main:117:5)

Node.js v20.20.2`

test('the error is among the last lines, whatever stands below it', () => {
  expect(endOf({ code: 1, signal: null, lastWords: ofNode }, 2)).toBe('Error: no account · Node.js v20.20.2')
  expect(endOf({ code: 1, signal: null, lastWords: 'first\nat most five\nlast' }, 2)).toBe('at most five · last')
  expect(endOf({ code: null, signal: 'SIGKILL', lastWords: '' }, 2)).toBe('')
})
