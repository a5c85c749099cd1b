/** The driver's cost, from several starts whose truth is known. */
import { expect, test } from 'vitest'
import { Histogram } from '../../../src/measure/histogram.ts'
import { driverTax } from '../../../src/report/tax.ts'
import type { Result, TrialResult } from '../../../src/result/result.ts'

const times = (answers: [count: number, us: number][]) => {
  const histogram = new Histogram()
  for (const [count, us] of answers) for (let at = 0; at < count; at++) histogram.record(us * 1000)
  return { serviceUs: { count: histogram.count, p50: 1, encoded: histogram.encode() } }
}
const loop = (client: TrialResult['client'], start: number, cpuUs: number, us: number, verdict = 'valid') =>
  ({
    phase: client === 'wire' ? 'sweep' : 'tax',
    client,
    start,
    arrival: { loop: 'closed', concurrency: 1 },
    connections: 1,
    validity: { verdict, reasons: [], clientBound: [] },
    resources: { client: { cpuUsPerOperation: cpuUs } },
    // Nine of ten answers are of one operation: the middle of the mix is none of the other.
    operations: { get: times([[90, us]]), scan: times([[10, 100 * us]]) },
  }) as unknown as TrialResult
const rowOf = (trials: TrialResult[]) => {
  const blocks = driverTax({ candidates: [{ name: 'engine', provision: null, trials }] } as unknown as Result)
  const block = blocks.find(({ kind }) => kind === 'table')
  return block?.kind === 'table' ? block.table.rows[0] : undefined
}

test('every start counts, the first no more than others: medians, and ratios within each start with an interval', () => {
  const trials = [1, 2, 3, 4, 5].flatMap((start) => {
    // The first start is of a machine that was three times as slow.
    const slow = start === 1 ? 3 : 1
    return [loop('wire', start, 10 * slow, 100 * slow), loop('driver', start, (38 + start) * slow, 200 * slow)]
  })
  const [name, starts, wireCpu, driverCpu, cpuTimes, wireUs, driverUs, serviceTimes, reaches] = rowOf(trials) ?? []
  expect([name, starts, wireCpu, wireUs, driverUs]).toEqual(['engine', '5', '10 µs', '100 µs', '200 µs'])
  expect(driverCpu).toBe('42 µs')
  expect(cpuTimes).toMatch(/^4\.1× \(3\.9–4\.3\)$/)
  expect(serviceTimes).toMatch(/^2\.0× \(2\.0–2\.0\)$/)
  expect(reaches).toBe('23,810 operations/s')
})

test('with fewer than three starts there is a ratio without an interval; what others disturbed does not count', () => {
  const two = [1, 2].flatMap((start) => [loop('wire', start, 10, 100), loop('driver', start, 40, 200)])
  expect(rowOf(two)?.[4]).toBe('4.0×')
  expect(rowOf([...two, loop('wire', 3, 10, 100), loop('driver', 3, 400, 2000, 'noisy')])?.slice(1, 5)).toEqual(['2', '10 µs', '40 µs', '4.0×'])
  expect(rowOf([loop('wire', 1, 10, 100)])).toBeUndefined()
})
