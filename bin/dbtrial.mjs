#!/usr/bin/env node
import { basename, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hidePasswords } from './hide-passwords.mjs'
import { runUnderNode24 } from './node24.mjs'

// Hints name the program as it was called.
const called = process.argv[1] ?? ''
process.env.DBTRIAL_PROGRAM =
  basename(called) === 'dbtrial' ? 'dbtrial' : `node ${relative(process.cwd(), called).startsWith('..') ? called : relative(process.cwd(), called)}`
// One core is the harness's: collector threads would compete with the thread that they are to help.
const flags = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=4096', '--single-threaded-gc', '--expose-gc']
runUnderNode24([...flags, fileURLToPath(new URL('../src/cli.ts', import.meta.url)), ...hidePasswords(process.argv.slice(2), process.env)])
