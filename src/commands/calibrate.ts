/** `dbtrial calibrate`: the limits of the harness on this machine, in a minute; what a run measures briefly of it stands in its result. */
import { cpus } from 'node:os'
import { makeDataset } from '../data/dataset.ts'
import { bindToCores } from '../host/processes.ts'
import { type Calibration, calibrate as measure } from '../measure/calibrate.ts'
import { dataParent } from '../provision/places.ts'
import { type Ceiling, measureCeiling } from '../replay/ceiling.ts'
import { readScenario } from '../scenario/read.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { columns } from '../terminal/tables.ts'
import { print } from './output.ts'

const ratesPerSecond = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000]
const secondsEach = 5

export async function calibrate(name: string, options: { json?: boolean }): Promise<void> {
  const scenario = readScenario(name)
  const idle = await measure(dataParent(), { idleSeconds: 5 })
  // The core that replays, as a run divides them.
  const pinned = await bindToCores(process.pid, [0])
  const harness = await measureCeiling(makeDataset(scenario, 0.001), scenario.operations, secondsEach, ratesPerSecond)
  print(options.json === true ? JSON.stringify({ ...idle, harness, pinned, cores: cpus().length }) : text(scenario, idle, harness, pinned))
}

function text(scenario: Scenario, idle: Calibration, harness: Ceiling, pinned: boolean): string {
  const number = (value: number) => Math.round(value).toLocaleString('en')
  const micros = (value: number) => (value >= 1000 ? `${(value / 1000).toFixed(1)} ms` : `${value.toPrecision(3)} µs`)
  const facts = [
    ['idle, others used', `${idle.idleBaselineCores.toFixed(3)} cores`],
    ['write and sync of 8 KiB', `${micros(idle.fsyncUs.p50)} median, ${micros(idle.fsyncUs.p99)} at worst of ${idle.fsyncUs.samples}`],
    [`closed loop, ${scenario.name}'s mix`, `${number(harness.operationsPerSecond)} operations/s on one core, with an engine that answers at once`],
    [
      'open loop stays valid up to',
      harness.openRatePerSecond === null ? 'none of the rates below' : `${number(harness.openRatePerSecond)} operations/s on one core`,
    ],
    ['bound to a core', pinned ? 'yes' : 'no: taskset is missing or refused'],
  ]
  const dispatch = harness.dispatch.map((each) => [
    `${number(each.ratePerSecond)}/s`,
    micros(each.p50Us),
    micros(each.p99Us),
    `${Math.round(each.busyShare * 100)} %`,
  ])
  return `${columns(facts)}\n\n${columns([['open loop', 'dispatch p50', 'p99', 'of the core busy'], ...dispatch], 1)}`
}
