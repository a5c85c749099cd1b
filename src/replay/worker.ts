/** The thin shim around an executor, a process of its own: opens a lane, runs trials on order, sends back what was recorded. */

import { openLane } from '../clients/open-lane.ts'
import { isConnectionLost } from '../clients/server-error.ts'
import { type Dataset, makeDataset } from '../data/dataset.ts'
import { DrawnParameters } from '../data/drawn.ts'
import type { ClientKind, Compiled, Endpoint, Lane, Session } from '../engines/engine.ts'
import { engineOf } from '../engines/registry.ts'
import { isOwnFault, messageOf } from '../errors.ts'
import { busyShareOf } from '../measure/resources.ts'
import { Samples } from '../measure/samples.ts'
import type { Shares } from '../scenario/shares.ts'
import { faultText, strayError } from '../stray-errors.ts'
import type { TrialSpec } from './arrivals.ts'
import { type Clock, realClock } from './clock.ts'
import { Executor } from './executor.ts'
import { endWithParent } from './forked.ts'
import { collectGarbage } from './garbage.ts'
import { pacedClock } from './pacer.ts'
import { startPurge } from './purge.ts'

export interface OpenOrder {
  type: 'open'
  client: ClientKind
  compiled: Compiled
  endpoint: Endpoint
  shares: Shares
  connections: number
  /** Whether it may spin while it waits for the next start: only on a core that no server uses. */
  spins: boolean
  /** Whether this worker runs the purge of expired rows. */
  purges: boolean
}
export interface TrialOrder {
  type: 'trial'
  spec: TrialSpec
  /** Disjoint range of row numbers and versions: all workers of a trial share it. */
  block: number
  /** Replay time when the trial starts. */
  nowMs: number
  /** On the monotonic clock, which all processes share: their windows are the same, and those of what is read of the machine. */
  startNs: number
}
/** `collect`: garbage, now and not in a trial. `records`: those of the last trial, by window whether it counts. */
export type WorkerOrder = OpenOrder | TrialOrder | { type: 'records'; isKept: boolean[] } | { type: 'close' } | { type: 'collect' }
/** `ends`: nothing more can be asked of this process. `fault`: its stack, where it is one of ours. `lost`: the server, or the way to it, is gone. */
export type Reply = { result: unknown } | { error: string; ends: boolean; fault?: string; lost?: boolean }

let dataset: Dataset
let compiled: Compiled
let lane: Lane | undefined
let purger: Session | undefined
let clock: Clock = realClock
let pacer: AsyncDisposable | undefined
let last: Executor | undefined
const samples = new Samples()

async function open(order: OpenOrder): Promise<void> {
  compiled = order.compiled
  dataset = makeDataset(compiled.scenario, order.shares)
  const engine = engineOf(compiled)
  if (!order.spins) {
    const paced = pacedClock()
    clock = paced
    pacer = paced
  }
  lane = await openLane(engine, order.endpoint, compiled, order.connections, order.client)
  if (order.purges && compiled.model.stores.some((store) => store.expiry !== null)) {
    const session = await engine.connect(order.endpoint, compiled, { connections: 1 })
    if (session.purge === undefined) await session[Symbol.asyncDispose]()
    else purger = session
  }
}

async function trial({ spec, block, nowMs, startNs }: TrialOrder): Promise<unknown> {
  const replayNow = () => nowMs + (clock.nowNs() - startNs) / 1e6
  const params = new DrawnParameters(dataset, compiled.operations, spec.stream, block, nowMs)
  const purge = purger === undefined ? undefined : startPurge(async () => purger?.purge?.(replayNow()))
  try {
    const before = process.cpuUsage()
    last = new Executor(lane as Lane, clock, spec, compiled.operations, params, samples)
    const recording = await last.run(startNs)
    const { user, system } = process.cpuUsage(before)
    const cpuSeconds = (user + system) / 1e6
    return { ...recording, cpuSeconds, busyShare: busyShareOf(spec, recording, cpuSeconds), purgeFailure: (await purge?.stop()) ?? null }
  } finally {
    await purge?.stop()
  }
}

async function close(): Promise<void> {
  await Promise.all([lane?.[Symbol.asyncDispose](), purger?.[Symbol.asyncDispose](), pacer?.[Symbol.asyncDispose]()])
  lane = undefined
  purger = undefined
  pacer = undefined
  clock = realClock
}

async function obey(order: WorkerOrder): Promise<unknown> {
  if (order.type === 'open') return await open(order)
  if (order.type === 'trial') return await trial(order)
  if (order.type === 'records') return last?.recordsOf((window) => order.isKept[window] === true)
  last = undefined
  if (order.type === 'close') return await close()
  collectGarbage()
}

const failureOf = (thrown: unknown, error: string, ends: boolean): Reply => ({
  error,
  ends,
  ...(isOwnFault(thrown) ? { fault: faultText(thrown) } : {}),
  ...(isConnectionLost(thrown) ? { lost: true } : {}),
})

const reply = (message: Reply, then?: () => void) => process.send?.(message, undefined, undefined, then)

process.on('message', (order: WorkerOrder) => {
  obey(order).then(
    (result) => reply({ result }),
    (error: unknown) => reply(failureOf(error, `worker ${process.pid}: ${messageOf(error)}`, false)),
  )
})
process.on('uncaughtException', (error) => {
  const stray = strayError(error)
  reply(failureOf(stray, messageOf(stray), true), () => process.exit(1))
})
endWithParent()
