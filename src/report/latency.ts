/** How long calls take on the planned fleets: a short table of those that come closest to their limits, and all of them folded away. */
import type { CandidatePlan } from '../assess/fleet/candidate-plan.ts'
import type { Latency, LatencyCall, LoadLevel } from '../assess/fleet/latency-of-plan.ts'
import { type Block, details, heading, list, paragraph, table } from './render/document.ts'
import { micros, percent } from './render/format.ts'

type Planned = { name: string; plan: CandidatePlan }[]

export const atRiskLegend = 'At risk: it holds on one server as measured, and with what the fleet adds it more likely misses than holds.'

/** Of each candidate, beside those at risk. */
const maxShown = 3

export function latencyBlocks(planned: Planned): Block[] {
  const told = planned.filter(({ plan }) => plan.latency.calls.length > 0)
  const [first] = told
  if (first === undefined) return []
  const columns = first.plan.latency.loads
  const risks = told.flatMap(({ name, plan }) => atRiskText(plan.latency).map((said) => `${name}: ${said}`))
  const untold = told.flatMap(({ name, plan }) => (plan.latency.untold.length === 0 ? [] : [`${name}: ${plan.latency.untold.join(', ')}`]))
  const head = ['candidate', 'objective', 'limit', ...columns.map(columnText)]
  const numbers = columns.map((_, at) => at + 3)
  return [
    heading(3, 'How long calls take on it'),
    paragraph(
      'What one server of the bench took at the load that the busiest server of the fleet has with one member lost, on a slower or faster core, and what the bench has not: a hop between zones for the caller and for a copy that is waited for, the flush of a volume over the network, rows that are not cached, tables of production’s size. Percentiles are added up, which is the upper end of what they come to together. Medians of the draws, in parentheses how likely the limit holds. Of each candidate those that come closest to their limits.',
    ),
    table(
      head,
      told.flatMap(({ name, plan }) => closest(plan.latency).map((calls) => rowOf(name, calls))),
      numbers,
    ),
    ...(risks.length === 0 ? [] : [paragraph(atRiskLegend), list(risks)]),
    ...(untold.length === 0 ? [] : [paragraph(`Called too rarely to tell: ${untold.join('; ')}.`)]),
    details('all objectives, and what each number is made of', [
      table(
        head,
        told.flatMap(({ name, plan }) => byObjective(plan.latency).map((calls) => rowOf(name, calls))),
        numbers,
      ),
      table(
        ['candidate', 'objective', 'in month', 'as measured, at peak', 'added'],
        told.flatMap(({ name, plan }) =>
          plan.latency.calls
            .filter(({ load }) => load === 'peak')
            .map((call) => [name, objectiveOf(call), String(call.month), millis(call.aloneMs.p50), addedText(call)]),
        ),
        [2, 3],
      ),
    ]),
  ]
}

/** One sentence for each operation, of the first month and the lightest load in which it is at risk. */
export function atRiskText({ calls }: Latency): string[] {
  const first = new Map<string, LatencyCall>()
  for (const call of calls) if (call.atRisk && !first.has(objectiveOf(call))) first.set(objectiveOf(call), call)
  return [...first.values()].map(
    (call) =>
      `${objectiveOf(call)} ${loadText(call.load)}${call.month === 0 ? '' : ` in month ${call.month}`}: ${millis(call.aloneMs.p50)} on one server, ${millis(call.totalMs.p50)} with ${addedText(call)}, of ${millis(call.limitMs)} allowed`,
  )
}

/** The objective that is passed most, or comes closest, in the last month at peak. */
export function worstText(latency: Latency): string | null {
  const [worst] = closest(latency)
  const now = worst?.find(({ load, month }) => load === 'peak' && month === 0)
  const last = worst?.findLast(({ load }) => load === 'peak')
  if (now === undefined || last === undefined) return null
  return `closest to its limit at peak is ${objectiveOf(now)}: ${millis(now.totalMs.p50)} now, ${millis(last.totalMs.p50)} in month ${last.month}, of ${millis(now.limitMs)} allowed (holds in ${percent(now.holds)} and ${percent(last.holds)} of the draws)`
}

const byObjective = ({ calls }: Latency): LatencyCall[][] => [...Map.groupBy(calls, objectiveOf).values()]

function closest(latency: Latency): LatencyCall[][] {
  const most = (calls: LatencyCall[]) => Math.max(...calls.map(({ totalMs, limitMs }) => totalMs.p50 / limitMs))
  return byObjective(latency)
    .sort((a, b) => most(b) - most(a))
    .filter((calls, at) => at < maxShown || calls.some(({ atRisk }) => atRisk))
}

const objectiveOf = ({ operation, objective }: Pick<LatencyCall, 'operation' | 'objective'>) => `${objective} of ${operation}`
const millis = (ms: number) => micros(ms * 1000)
const loadText = (load: LoadLevel) => (load === 'average' ? 'at average load' : 'at peak')
const columnText = ({ month, load }: Latency['loads'][number]) => `${month === 0 ? 'now' : `month ${month}`}, ${load === 'average' ? '1×' : 'peak'}`
const addedText = ({ added }: LatencyCall) =>
  added
    .filter(({ ms }) => ms > 0)
    .map(({ name, ms }) => `${millis(ms)} for ${name}`)
    .join(', ')

function rowOf(name: string, calls: LatencyCall[]): string[] {
  const [first] = calls as [LatencyCall, ...LatencyCall[]]
  return [name, objectiveOf(first), millis(first.limitMs), ...calls.map(({ totalMs, holds }) => `${millis(totalMs.p50)} (${percent(holds)})`)]
}
