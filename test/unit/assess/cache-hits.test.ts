/** What the law of the picks lets expect of a cache, held against one that is filled, draw by draw. */
import { expect, test } from 'vitest'
import { type CacheHits, cacheHitsOf } from '../../../src/assess/capacity/cache-hits.ts'
import { picker } from '../../../src/data/distributions.ts'
import { keyOf, Source } from '../../../src/data/random.ts'
import { cacheBlocks, cacheLines } from '../../../src/report/cache-hits.ts'
import type { Result } from '../../../src/result/result.ts'
import { parseScenario } from '../../../src/scenario/read.ts'

const rows = 4000
const [trials, seconds, rate, writes] = [6, 9, 300, 20]

const scenarioOf = (pick: string, ttl: string, memory = '256MiB') =>
  parseScenario(
    `
name: s
summary: x
seed: 7
entities:
  e: { count: ${rows}, fields: { id: { type: int, key: true }, text: { type: bytes, size: 1000B } } }
operations:
  g: { get: e, pick: { skew: '${pick}', miss: 10% }, rate: ${rate}/s, p99: 1s, consistency: eventual, staleness: 1h }
  u: { update: e, set: { text: any }, pick: { skew: '${pick}' }, rate: ${writes}/s, p99: 1s }
requirements: { peak: 2x, durability: fsync }
candidates: [{ name: s+c, engine: s, cache: { engine: c, ttl: ${ttl}, memory: ${memory}, for: [g] } }]
bench: { limits: { cpus: 1, memory: 2GiB } }
`,
    's.yaml',
  )

/** The trials of a cache that holds keys until their time is over, a write takes them out, or others need the room; the first of them is a warm-up. */
function filled(scenario: ReturnType<typeof scenarioOf>, room: number): Pick<Result, 'scenario' | 'trialPlan' | 'candidates'> {
  const [get, update] = scenario.operations
  const cache = scenario.candidates[0]?.cache
  if (get === undefined || update === undefined || cache === undefined) throw new Error('no cache')
  const source = new Source().restart(3, 5)
  const draw = picker(get.pick.skew, rows, keyOf(7, 'popular e'))
  const kept = new Map<number, number>()
  const ran = Array.from({ length: trials }, (_, at) => {
    const from = Date.UTC(2026, 0, 1) + at * (seconds + 6) * 1000
    const g = { attempts: 0, ok: 0, miss: 0, cached: { answers: 0, judged: 40, outdated: 1 } }
    const calls = (seconds + 1) * (rate + writes)
    for (let call = 0; call < calls; call++) {
      const now = from + (call / calls) * (seconds + 1) * 1000
      const counts = now >= from + 1000
      const row = draw(source)
      if (source.next() < writes / (rate + writes)) {
        kept.delete(row)
        continue
      }
      if (counts) g.attempts++
      if (source.next() < get.pick.miss) {
        if (counts) g.miss++
        continue
      }
      if (counts) g.ok++
      const since = kept.get(row)
      if (since !== undefined && now - since < cache.ttlMs) {
        if (counts) g.cached.answers++
        kept.delete(row) // Used last.
        kept.set(row, since)
        continue
      }
      kept.delete(row)
      kept.set(row, now)
      if (kept.size > room) kept.delete(kept.keys().next().value as number)
    }
    const u = { attempts: writes * seconds, ok: writes * seconds, miss: 0 }
    const validity = { verdict: 'valid' }
    return { phase: at === 0 ? 'warm-up' : 'curve', start: 0, startedAt: new Date(from).toISOString(), seconds, validity, operations: { g, u } }
  })
  return { scenario, trialPlan: { share: 1, shares: {} }, candidates: [{ name: 's+c', trials: ran }] } as unknown as Result
}

const hitsOf = (result: Pick<Result, 'scenario' | 'trialPlan' | 'candidates'>) => {
  const [candidate] = result.candidates
  return cacheHitsOf(candidate as Result['candidates'][number], result)[0] as CacheHits
}

test.each([
  ['uniform', '20s', '256MiB', rows],
  ['zipfian(0.9)', '20s', '256MiB', rows],
  ['zipfian(0.9)', '1h', '256MiB', rows],
  ['hotspot(10%, 90%)', '8s', '256MiB', rows],
  // Three quarters of it hold data: rows of 1,008 bytes and what each takes beside them.
  ['uniform', '1h', '2304KiB', 1500],
] as const)('%s, kept for %s in %s', (pick, ttl, memory, room) => {
  const scenario = memory === '2304KiB' ? withMemory(scenarioOf(pick, ttl), 2304 * 1024) : scenarioOf(pick, ttl, memory)
  const hits = hitsOf(filled(scenario, room))
  expect(hits.asked).toBeGreaterThan(10_000)
  expect(Math.abs(hits.expected - hits.answered / hits.asked)).toBeLessThan(0.015)
})

/** Smaller than a server would take. */
function withMemory(scenario: ReturnType<typeof scenarioOf>, memoryBytes: number): ReturnType<typeof scenarioOf> {
  const [candidate] = scenario.candidates
  return { ...scenario, candidates: candidate?.cache === undefined ? [] : [{ ...candidate, cache: { ...candidate.cache, memoryBytes } }] }
}

test('in production it is filled: a row that is read λ times while it stays is answered λ of λ + 1 times', () => {
  // Each row is read 300 × 0.9 ÷ 4,000 times a second and written 20 ÷ 4,000 times.
  const stays = (1 - Math.exp(-0.005 * 20)) / 0.005
  const calls = 0.0675 * stays
  expect(hitsOf(filled(scenarioOf('uniform', '20s'), rows)).inProduction).toBeCloseTo((0.9 * calls) / (1 + calls), 6)
})

test('a start empties it, and a candidate without one has no hits', () => {
  const result = filled(scenarioOf('uniform', '1h'), rows)
  const before = hitsOf(result).expected
  for (const [at, trial] of (result.candidates[0] as Result['candidates'][number]).trials.entries()) trial.start = at
  expect(hitsOf(result).expected).toBeLessThan(before / 2)
  const bare = { ...result, scenario: { ...result.scenario, candidates: [{ name: 's+c', engine: 's', durability: 'fsync' as const }] } }
  expect(cacheHitsOf(bare.candidates[0] as Result['candidates'][number], bare)).toEqual([])
  expect(cacheBlocks(bare)).toEqual([])
  expect(cacheLines(bare)).toEqual([])
})

test('the terminal says it in a line, the report in a table', () => {
  const result = filled(scenarioOf('uniform', '20s'), rows)
  const [line] = cacheLines(result)
  expect(line).toMatch(
    /^s\+c: its cache \(c, 268 MB, 20 seconds\) answered g \d\d(\.\d)? % of 13,[\d,]+ calls \(\d\d(\.\d)? % were to be expected; in production 50\.6 %\); 5 of 200 answers that were looked at were of rows written since$/,
  )
  expect(JSON.stringify(cacheBlocks(result))).toContain('5 of 200')
})
