/**
 * Each server is killed in the middle of its writes, as often as the effort has time for, and started again on what it left: is there what it
 * acknowledged? SIGKILL ends a program; what the kernel holds of its files stays. So this tries what a program that fails loses, not the
 * power supply, and not the disk.
 */
import { keepsPromise, killedText } from '../../assess/judge/kills.ts'
import { keyOf, Source } from '../../data/random.ts'
import { logOutcomes } from '../../measure/recorder.ts'
import { writesOf } from '../../scenario/scenario.ts'
import { type InvariantResult, isForgone } from '../../verify/invariants.ts'
import { readBack } from '../../verify/read-back.ts'
import { Writes } from '../../verify/writes.ts'
import type { CandidateRun } from '../candidate.ts'
import type { RunContext } from '../orders.ts'
import { killedTrialSeconds } from '../plan.ts'
import { sum } from '../trial.ts'

type Kills = NonNullable<CandidateRun['kills']>

/** Fewer writes a second tell little of what is lost. */
const minWritesPerSecond = 200
/** Of the trial, in which the server is killed: its writes have begun by then, and some are still to come. */
const killedBetween = [0.4, 0.9] as const
/** What `relaxed` loses is looked for in the last writes, in ever more of them. */
const windowsSeconds = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

export async function killAmidWrites(run: CandidateRun, context: RunContext): Promise<void> {
  const ratesPerSecond = ratesOf(run, context)
  if (!run.isKillable || run.reference === null || run.writesUnknown || ratesPerSecond === null) return
  const moments = new Source().restart(keyOf(context.dataset.scenario.seed, 'kills'), 1)
  const [earliest, latest] = killedBetween.map((share) => share * killedTrialSeconds * 1000) as [number, number]
  const trial = { loop: 'open', multiple: null, concurrency: run.connections, warmUpSeconds: 0, seconds: killedTrialSeconds, ratesPerSecond } as const
  for (let kill = 0; kill < context.plan.budget.kills; kill++) {
    const from = run.writes.operation.length
    const seconds = await run.killAmid({ ...trial, repeat: kill }, earliest + moments.below(Math.round(latest - earliest)))
    // Without the log of what was acknowledged nothing can be said of it, nor where nothing was.
    if (seconds === null || run.failure !== null) return
    const lastNs = lastAcknowledgedNs(run.writes, from)
    if (lastNs === 0) continue
    const before: Kills = run.kills ?? { times: 0, written: 0, read: 0, lost: 0, lostWithinSeconds: 0, recoverySeconds: [] }
    const { written, read, lost, lostWithinSeconds } = await lostSince(run, context, from, lastNs)
    run.kills = {
      times: before.times + 1,
      written: before.written + written,
      read: before.read + read,
      lost: before.lost + lost,
      lostWithinSeconds:
        lostWithinSeconds === null || before.lostWithinSeconds === null ? null : Math.max(before.lostWithinSeconds, lostWithinSeconds),
      recoverySeconds: [...before.recoverySeconds, seconds],
    }
  }
}

/** Writes alone, in their proportions, as often as at the peak or often enough to tell something; null: the scenario writes nothing. */
function ratesOf(run: CandidateRun, { plan }: RunContext): number[] | null {
  const supported = new Set(run.supported)
  const atPeak = run.ratesAt(Math.max(...plan.multiples))
  const rates = run.compiled.operations.map((operation, index) =>
    supported.has(index) && writesOf(operation).length > 0 ? (atPeak[index] as number) : 0,
  )
  const total = sum(rates)
  return total === 0 ? null : rates.map((rate) => rate * Math.max(1, minWritesPerSecond / total))
}

/** Reads back the rows that were written since an entry of the log. `lastNs`: when the last of those writes was acknowledged. */
async function lostSince(
  run: CandidateRun,
  { dataset, signal }: RunContext,
  from: number,
  lastNs: number,
): Promise<Pick<Kills, 'written' | 'read' | 'lost' | 'lostWithinSeconds'>> {
  const { compiled, writes: log, deathsNs, reference, nowMs } = run
  const isForgoneBefore = isForgone(compiled.durability, deathsNs.slice(0, -1))
  return await run.withSession(16, async (session) => {
    const lostWithout = async (seconds: number) => {
      const isLosable = (doneNs: number) => isForgoneBefore(doneNs) || (seconds > 0 && doneNs > lastNs - seconds * 1e9)
      const writes = new Writes(compiled.operations, dataset, log, isLosable)
      const found = await readBack(session, compiled, dataset, reference as NonNullable<typeof reference>, writes, nowMs, signal, { from })
      const of = (name: 'written' | 'read' | 'lost') => sum(found.map((each) => each[name]))
      return { written: of('written'), read: of('read'), lost: of('lost') }
    }
    const found = await lostWithout(0)
    if (found.lost === 0) return { ...found, lostWithinSeconds: 0 }
    for (const seconds of windowsSeconds) if ((await lostWithout(seconds)).lost === 0) return { ...found, lostWithinSeconds: seconds }
    return { ...found, lostWithinSeconds: null }
  })
}

function lastAcknowledgedNs({ doneNs, outcome }: CandidateRun['writes'], from: number): number {
  let last = 0
  for (let at = from; at < doneNs.length; at++) if (outcome[at] === logOutcomes.ok) last = Math.max(last, doneNs[at] as number)
  return last
}

/** What it says of the promise; nothing where the server was not killed. */
export function promiseKept({ kills, candidate: { durability } }: Pick<CandidateRun, 'kills' | 'candidate'>): InvariantResult[] {
  if (kills === null) return []
  const { written, read, lost } = kills
  const forgone = lost > 0 && durability !== 'fsync' ? `, which ${durability} does not promise` : ''
  return [
    {
      name: 'acknowledged writes after a kill',
      ok: keepsPromise(kills, durability),
      detail: `${killedText(kills)}; ${read} of ${written} written rows read back, ${lost} lost${forgone}`,
    },
  ]
}
