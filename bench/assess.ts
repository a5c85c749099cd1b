/** `make speed`: how long an assessment takes, beside its goals; with another checkout beside this one, in turn; a miss fails nothing. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from '../src/stats/median.ts'
import { columns } from '../src/terminal/tables.ts'

const here = fileURLToPath(new URL('..', import.meta.url))
const [beside] = process.argv.slice(2)
const checkouts = [here, ...(beside === undefined ? [] : [beside])]
const repeats = 5
/** `assess` must not touch what is committed. */
const directory = mkdtempSync(join(tmpdir(), 'dbtrial-speed-'))
const copied = (path: string, name: string) => {
  const copy = join(directory, name)
  cpSync(join(here, path), copy)
  return copy
}
const sample = copied('reports/sample/result.json', 'sample.json')
const cases = [
  { what: 'the sample', arguments: [sample], goalSeconds: 2 },
  { what: 'the sample with --horizon 10y', arguments: [sample, '--horizon', '10y'], goalSeconds: 4 },
  {
    what: 'small ring with --horizon 30y',
    arguments: [copied('test/golden/results/small-ring.json', 'ring.json'), '--horizon', '30y'],
    goalSeconds: 10,
  },
]

function secondsOf(checkout: string, arguments_: readonly string[]): number {
  const from = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [join(checkout, 'bin/dbtrial.mjs'), 'assess', ...arguments_], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`assess ${arguments_.join(' ')} ended with ${status}: ${stderr}`)
  return (performance.now() - from) / 1000
}

try {
  // The first call compiles.
  for (const checkout of checkouts) secondsOf(checkout, [sample])
  const rows = cases.map(({ what, arguments: asked, goalSeconds }) => {
    const rounds = Array.from({ length: repeats }, () => checkouts.map((checkout) => secondsOf(checkout, asked)))
    const [own, other] = checkouts.map((_, at) => median(rounds.map((round) => round[at] as number)) as number)
    const shown = [own, other].flatMap((seconds) => (seconds === undefined ? [] : [seconds.toFixed(2)]))
    return [what, ...shown, 's', `≤ ${goalSeconds}`, (own as number) <= goalSeconds ? '✓' : '✗']
  })
  console.log(columns([['assessment', 'here', ...(beside === undefined ? [] : ['beside']), '', 'goal', ''], ...rows]))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
