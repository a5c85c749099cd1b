/** `make micro`: what one operation costs the harness itself; goals are printed beside, a miss fails nothing. */
import { cpus } from 'node:os'
import { Bench } from 'tinybench'
import { makeDataset } from '../src/data/dataset.ts'
import { DrawnParameters } from '../src/data/drawn.ts'
import { rowSource } from '../src/data/rows.ts'
import { encodeCopy } from '../src/engines/postgres/copy.ts'
import { bindToCores } from '../src/host/processes.ts'
import { Counts } from '../src/measure/recorder.ts'
import { Samples } from '../src/measure/samples.ts'
import { measureCeiling } from '../src/replay/ceiling.ts'
import { realClock } from '../src/replay/clock.ts'
import { readScenario } from '../src/scenario/read.ts'
import { columns } from '../src/terminal/tables.ts'

const openRatePerSecond = 20_000
const scenario = readScenario('ecommerce')
const dataset = makeDataset(scenario, 0.003)
// One core, as a worker has it; the other stays free for whatever else runs here.
await bindToCores(process.pid, [cpus().length - 1])

const orders = [...rowSource(dataset, 0, 1).blocks()].find((block) => block.entity === 'order')
if (orders === undefined) throw new Error('no orders')
const counts = new Counts([20e6])
const samples = new Samples()
const params = new DrawnParameters(dataset, scenario.operations, 'micro', 0, scenario.epochMs)
const bytes = Buffer.alloc(4096)
/** Operations per call, so that the loop around does not count. */
const batch = 1000

const bench = new Bench({ time: 1500, warmupTime: 500 })
bench.add('orders', () => void encodeCopy(scenario, orders))
bench.add('record', () => {
  samples.clear(batch)
  for (let i = 0; i < batch; i++) {
    const sentNs = realClock.nowNs()
    const doneNs = realClock.nowNs()
    samples.add(0, doneNs - sentNs, doneNs - sentNs, 0, 1000)
    counts.finish('ok', 1, doneNs - sentNs, doneNs - sentNs)
  }
})
bench.add('draw', () => {
  for (let i = 0; i < batch; i++) {
    params.next(0)
    params.write(0, bytes, 0)
  }
})
await bench.run()
/** Median time of one call, ns. */
const perCallNs = (name: string) => (bench.getTask(name)?.result as { latency: { p50: number } }).latency.p50 * 1e6
const ceiling = await measureCeiling(dataset, scenario.operations, 2, [openRatePerSecond])
const [dispatch = { p50Us: Number.NaN, p99Us: Number.NaN }] = ceiling.dispatch

const rows: [what: string, value: number, unit: string, goal: string, reached: boolean][] = []
const atLeast = (what: string, value: number, unit: string, goal: number) =>
  rows.push([what, value, unit, `≥ ${goal.toLocaleString('en')}`, value >= goal])
const atMost = (what: string, value: number, unit: string, goal: number) =>
  rows.push([what, value, unit, `≤ ${goal.toLocaleString('en')}`, value <= goal])
atLeast('order rows generated into the load format', (orders.rows / perCallNs('orders')) * 1e9, 'rows/s', 3e6)
atMost('recording one operation, clocks included', perCallNs('record') / batch, 'ns', 100)
rows.push(['drawing and writing the parameters of a point read', perCallNs('draw') / batch, 'ns', '', true])
atLeast('simulated engine, closed loop', ceiling.operationsPerSecond, 'operations/s', 200_000)
atMost(`dispatch delay p50, open loop at ${openRatePerSecond.toLocaleString('en')}/s`, dispatch.p50Us, 'µs', 2)
atMost(`dispatch delay p99, open loop at ${openRatePerSecond.toLocaleString('en')}/s`, dispatch.p99Us, 'µs', 200)
const text = (value: number) => (value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3))
console.log(
  columns([
    ['work on one core', 'measured', '', 'goal', ''],
    ...rows.map(([what, value, unit, goal, reached]) => [what, text(value), unit, goal, goal === '' ? '' : reached ? '✓' : '✗']),
  ]),
)
