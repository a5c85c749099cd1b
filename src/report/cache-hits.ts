/** What caches in front of stores answered in the trials, beside what was to be expected of them: a line of the terminal, a table of the report. */
import { type CacheHits, cacheHitsOf } from '../assess/capacity/cache-hits.ts'
import { bytes } from '../assess/figures/amount.ts'
import type { Result } from '../result/result.ts'
import type { Cache } from '../scenario/scenario.ts'
import { type Block, heading, paragraph, table } from './render/document.ts'
import { count, percent } from './render/format.ts'
import { spanText } from './spans.ts'

type Told = Pick<Result, 'scenario' | 'trialPlan' | 'candidates'>
interface OnTrial {
  name: string
  cache: Cache
  hits: CacheHits[]
}

/** Those that were asked at all. */
function onTrial(result: Told): OnTrial[] {
  return result.candidates.flatMap((candidate) => {
    const cache = result.scenario.candidates.find(({ name }) => name === candidate.name)?.cache
    const hits = cacheHitsOf(candidate, result).filter(({ asked }) => asked > 0)
    return cache === undefined || hits.length === 0 ? [] : [{ name: candidate.name, cache, hits }]
  })
}

const cacheText = ({ engine, ttlMs, memoryBytes }: Cache) => `${engine}, ${bytes(memoryBytes)}, ${spanText(ttlMs)}`
const share = ({ asked, answered }: CacheHits) => percent(answered / asked)

export function cacheLines(result: Told): string[] {
  return onTrial(result).map(({ name, cache, hits }) => {
    const each = hits.map(
      (own) =>
        `${own.operation} ${share(own)} of ${count(own.asked)} calls (${percent(own.expected)} were to be expected; in production ${percent(own.inProduction)})`,
    )
    return `${name}: its cache (${cacheText(cache)}) answered ${each.join(', ')}; ${outdatedText(hits)}`
  })
}

function outdatedText(hits: CacheHits[]): string {
  const sum = (of: (each: CacheHits) => number) => hits.reduce((total, each) => total + of(each), 0)
  const [judged, outdated] = [sum((each) => each.judged), sum((each) => each.outdated)]
  return judged === 0 ? 'none of its answers was looked at' : `${outdated} of ${judged} answers that were looked at were of rows written since`
}

export function cacheBlocks(result: Told): Block[] {
  const all = onTrial(result)
  if (all.length === 0) return []
  return [
    heading(3, 'What the caches on trial answered'),
    paragraph(
      'Measured in all trials after the warm-up. To be expected: what the law of the picks gives for the size of the cache and its time to live, after all that it had been asked since its server was started, on the rows that were loaded. In production: on average, on all rows, once it is filled and where it has room. Latencies and capacities of such a candidate hold for the share that was measured: where production’s is smaller, its store has more to do than it had here. Written since: answers of rows that were written between the store was asked and the cache, of those that were kept for judging; they are allowed for as long as an answer may be old, and one that is older counts as wrong.',
    ),
    table(
      ['candidate', 'its cache', 'calls by key', 'calls', 'answered by the cache', 'to be expected', 'in production', 'written since'],
      all.flatMap(({ name, cache, hits }) =>
        hits.map((own) => [
          name,
          cacheText(cache),
          own.operation,
          count(own.asked),
          share(own),
          percent(own.expected),
          percent(own.inProduction),
          own.judged === 0 ? '—' : `${own.outdated} of ${own.judged}`,
        ]),
      ),
      [3, 4, 5, 6, 7],
    ),
  ]
}
