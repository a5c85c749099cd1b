/** How much several runs of one scenario differ, and what they say together. */
import type { Agreement } from '../assess/judge/agreement.ts'
import type { PooledNumber } from '../assess/judge/pool.ts'
import { columns } from './tables.ts'

/** `speed`: what was done to tell them at one speed. `marked`: a candidate's name as it stands beside numbers. */
export function pooledText(numbers: PooledNumber[], { candidates, ranksAgree }: Agreement, speed: string, marked: (name: string) => string): string {
  const figure = (value: number | null) => (value === null ? '—' : value.toPrecision(3))
  const startedAt = (candidates[0]?.runs ?? []).map((run) => run.startedAt)
  const rows = numbers.map(({ candidate, number, runs, pooled, runsDiffer }) => [
    marked(candidate),
    number === 'CPU per operation' ? `${number}, µs` : `${number}, ×`,
    ...runs.map(figure),
    `${figure(pooled.mid)} (${figure(pooled.low)}–${pooled.high === null ? '' : figure(pooled.high)})`,
    `÷× ${runsDiffer.toFixed(2)}`,
  ])
  const spread = (percent: number | null) => (percent === null ? '—' : `±${percent.toFixed(1)} %`)
  const held = ({ held: own, of }: { held: number; of: number }) => (of === 0 ? '—' : `${own} of ${of}`)
  const agreeing = candidates.map((each) => [
    marked(each.candidate),
    spread(each.saturationSpreadPercent),
    spread(each.cpuPerOperationSpreadPercent),
    held(each.intervalsHold.saturation),
    held(each.intervalsHold.cpu),
    held(each.intervalsHold.objectives),
    each.runs.map(({ probabilityIn }) => (probabilityIn === null ? '—' : probabilityIn.toFixed(2))).join(' '),
    each.flips ? 'in and out' : 'no',
    each.runs.map(({ rank }) => rank ?? '—').join(' '),
  ])
  return [
    `${startedAt.length} runs pooled: ${startedAt.map((each) => each.slice(0, 16).replace('T', ' ')).join(', ')}. Capacities are multiples of the average load; in brackets 80 %, with what differs between runs; 80 % of runs lie within the last factor of the middle.${speed === '' ? '' : ` ${speed}`}`,
    columns([['candidate', 'number', ...startedAt.map((_, at) => `run ${at + 1}`), 'pooled', 'runs differ'], ...rows], 2),
    `Run by run: how far the farthest lies from the middle of the runs; how many 80 % intervals hold that middle; how likely the least likely hard constraint holds (in above 0.9, out below 0.1); ranks, shared by a tie. ${ranksAgree ? 'No two candidates change places.' : 'Two candidates change places.'}`,
    columns(
      [['candidate', 'saturation', 'CPU per operation', 'saturation holds', 'CPU holds', 'objectives hold', 'P(in)', 'flips', 'ranks'], ...agreeing],
      1,
    ),
  ].join('\n\n')
}
