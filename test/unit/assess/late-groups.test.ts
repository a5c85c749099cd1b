/** What a second store would mend beside money, told only where it was measured. */
import { expect, test } from 'vitest'
import { lateGroups } from '../../../src/assess/decision/late-groups.ts'

const groups = [
  { entities: ['session'], operations: ['read_session', 'write_session'], candidate: 'redis', usdPerMonth: 200 },
  { entities: ['order'], operations: ['get_order'], candidate: 'postgres', usdPerMonth: 900 },
]
const call = (operation: string, holds: number, limitMs: number) => ({
  ...{ operation, objective: 'p99', month: 0, load: 'average', limitMs, holds },
  totalMs: { p10: 1, p50: 13.3, p90: 20 },
})
const plan = (...calls: ReturnType<typeof call>[]) => ({ name: 'postgres', plan: { latency: { calls } } }) as never
const bench = (name: string, ...cells: [operation: string, outcome: string, p99Us: number][]) =>
  ({ name, at: [{ multiple: 1, cells: cells.map(([operation, outcome, p99Us]) => ({ operation, outcome, p99Us })) }] }) as never

test('a group that is late on the one store and was in time on another is told with both numbers', () => {
  const [text, ...more] = lateGroups(groups, plan(call('write_session', 0.2, 10), call('get_order', 0.9, 20)), [
    bench('postgres', ['write_session', 'met', 8000]),
    bench('redis', ['write_session', 'met', 1400]),
    bench('mongodb', ['write_session', 'missed', 1400]),
  ])
  expect(more).toEqual([])
  expect(text).toBe(
    'session: postgres is planned to answer late (p99 of write_session 13.3 ms of 10 ms); redis answered on the bench in time (write_session 1.4 ms, without a hop). Money is not all that a second store would be for.',
  )
})

test('who was not measured in time, in every call that is late, is not named', () => {
  const late = plan(call('write_session', 0.2, 10), call('read_session', 0.3, 5))
  expect(lateGroups(groups, late, [bench('redis', ['write_session', 'met', 1400])])).toEqual([])
  expect(lateGroups(groups, late, [bench('redis', ['write_session', 'met', 1400], ['read_session', 'undetermined', 900])])).toEqual([])
  expect(lateGroups(groups, plan(call('write_session', 0.8, 10)), [bench('redis', ['write_session', 'met', 1400])])).toEqual([])
})
