#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { runUnderNode24 } from './node24.mjs'

const flags = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=4096']
runUnderNode24([...flags, fileURLToPath(new URL('../src/cli.ts', import.meta.url)), ...process.argv.slice(2)])
