/** The taking of one trial: it is replayed, what the machine does meanwhile is read, and windows in which the host stood still are left out. */
import type { Compiled } from '../engines/engine.ts'
import { type HostPauses, hostPausesOf, keptSeconds, type Pause, pauseLimitNs } from '../host/pauses.ts'
import { emptyRecording, type Recording } from '../measure/recorder.ts'
import { type Course, startSampler } from '../measure/sampler.ts'
import type { Instance } from '../provision/provision.ts'
import type { TrialSpec } from '../replay/arrivals.ts'
import { realClock } from '../replay/clock.ts'
import type { ReplayOrder, RunContext } from './orders.ts'

/** So long after the order a trial begins: all that take part have it by then. */
const startLeadNs = 20e6

/** Whom it is taken of. */
export interface Subject {
  instance: Instance
  compiled: Compiled
  context: Pick<RunContext, 'pool' | 'signal' | 'device' | 'harnessCores' | 'pauses' | 'hostSpeed'>
  /** Why a trial broke. @throws what no other trial can mend */
  brokenBy(error: unknown): Promise<string>
}

/** Of one trial: what was recorded, and what the machine did meanwhile. */
export interface Taken {
  startedAt: string
  measureNs: number
  recording: Recording
  used: Course
  pauses: Pause[] | null
  /** Why the trial broke; null: it did not. */
  broken: string | null
}

export async function takeTrial(
  { instance, compiled, context, brokenBy }: Subject,
  order: Pick<ReplayOrder, 'warmUpSeconds' | 'seconds' | 'loop'>,
  replay: { spec: TrialSpec; block: number; nowMs: number },
): Promise<Taken> {
  const { pool, signal, device, harnessCores } = context
  await pool.collect()
  const startedAt = new Date().toISOString()
  const startNs = realClock.nowNs() + startLeadNs
  const measureNs = startNs + order.warmUpSeconds * 1e9
  const endNs = measureNs + order.seconds * 1e9
  // Where the server is bound to no core, a pause of one and its speed say nothing of it.
  const isBound = instance.enforced.cpu === 'cpuset'
  const watch = isBound ? context.pauses() : null
  const speed = isBound ? context.hostSpeed() : null
  const watchers = [...(watch?.pids ?? []), ...(speed?.pids ?? [])]
  const sampler = startSampler(instance, device, pool.pids, watchers, harnessCores(), speed, measureNs, endNs)
  watch?.begin(pauseLimitNs(compiled.scenario.operations, order.loop), endNs)
  let broken: string | null = null
  let course: Promise<Course> | undefined
  const recording = await abortable(pool.run({ ...replay, startNs }), signal)
    .catch(async (error: unknown) => {
      broken = await brokenBy(error)
      return emptyRecording(order.seconds, compiled.operations)
    })
    // Of a trial that an abort cuts short, too: a sampler that goes on would hold the process.
    .finally(() => (course = sampler.stop()))
  const used = await (course as unknown as Promise<Course>)
  const pauses = (await watch?.end()) ?? null
  return { startedAt, measureNs, recording, used, pauses, broken }
}

/** The records of windows in which the host stood still are left out of what was taken. */
export async function leaveOutPauses(
  { instance, compiled, context, brokenBy }: Subject,
  { loop }: Pick<ReplayOrder, 'loop'>,
  taken: Taken,
): Promise<HostPauses | null> {
  const { recording, pauses, measureNs } = taken
  if (pauses === null || taken.broken !== null) return null
  const hostPauses = hostPausesOf(pauses, instance.cores, compiled.scenario.operations, recording, loop, measureNs)
  if (hostPauses.windowsLeftOut === 0) return hostPauses
  try {
    recording.operations = await context.pool.recordsOf(hostPauses.isKept)
  } catch (error) {
    taken.broken = await brokenBy(error)
  }
  recording.seconds = keptSeconds(recording.seconds, hostPauses.isKept)
  return hostPauses
}

/** Rejects as soon as the signal aborts; what was under way ends with its process. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
