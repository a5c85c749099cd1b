#!/usr/bin/env node
// Runs a program under a Node that can execute TypeScript sources: this one if it is new enough, else the
// platform package in node_modules. Plain JavaScript for any Node from 18 on.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const oldest = 24
/** Types stripped and code compiled once: it halves what a command takes to start. Where it cannot be written Node goes on without. */
const compiled = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url))

/** Path of a Node ≥ 24, or undefined where there is none. */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= oldest) return process.execPath
  try {
    const require = createRequire(import.meta.url)
    const name = `node-${process.platform}-${process.arch}`
    return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node')
  } catch {
    return undefined
  }
}

/** Runs `arguments_` under that Node, passes signals on, and ends as it ended. */
export function runUnderNode24(arguments_) {
  const node = findNode()
  if (node === undefined) {
    process.stderr.write(
      `dbtrial needs Node ${oldest} or newer, this is ${process.version}, and no platform package is installed: run "npm ci", or install Node ${oldest}.\n`,
    )
    process.exit(3)
  }
  const env = { NODE_COMPILE_CACHE: compiled, ...process.env, DBTRIAL_LAUNCHER: String(process.pid) }
  let child
  // Whoever signals this process means the program. It takes a terminal's signal, which reaches both, for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill(signal))
  child = spawn(node, arguments_, { stdio: 'inherit', env })
  child.on('error', (error) => {
    process.stderr.write(`${node} did not start: ${error.message}. Run "npm ci" again.\n`)
    process.exit(3)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

if (process.argv[1]?.endsWith('node24.mjs')) runUnderNode24(process.argv.slice(2))
