/** How much several runs of one scenario differ, and what they say together. */
import type { PooledNumber } from '../assess/pool.ts'
import { columns } from './tables.ts'

export function pooledText(numbers: PooledNumber[], startedAt: string[]): string {
  const figure = (value: number | null) => (value === null ? '—' : value.toPrecision(3))
  const rows = numbers.map(({ candidate, number, runs, pooled, runsDiffer }) => [
    candidate,
    number === 'CPU per operation' ? `${number}, µs` : `${number}, ×`,
    ...runs.map(figure),
    `${figure(pooled.mid)} (${figure(pooled.low)}–${pooled.high === null ? '' : figure(pooled.high)})`,
    `÷× ${runsDiffer.toFixed(2)}`,
  ])
  return [
    `${startedAt.length} runs pooled: ${startedAt.map((each) => each.slice(0, 16).replace('T', ' ')).join(', ')}. Capacities are multiples of the average load; in brackets 80 %, with what differs between runs; 80 % of runs lie within the last factor of the middle.`,
    columns([['candidate', 'number', ...startedAt.map((_, at) => `run ${at + 1}`), 'pooled', 'runs differ'], ...rows], 2),
  ].join('\n\n')
}
