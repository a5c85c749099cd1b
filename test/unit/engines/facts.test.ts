/** What every engine states of its product has a source, and its ranges are in order; that all of it is there is what types check. */
import { expect, test } from 'vitest'
import { engines, pooledEngines } from '../../../src/engines/registry.ts'
import { traits as schema } from '../../../src/result/facts.ts'

type Stated = { [name: string]: Stated } | string | number | boolean | null

/** Places of objects that hold something without a source, or a range that is not in order. */
function faultsOf(stated: Stated, place = ''): string[] {
  if (stated === null || typeof stated !== 'object' || Array.isArray(stated)) return []
  const { source, range, value } = stated
  const told = Object.values(stated).filter((each) => each !== null && typeof each === 'object' && !Array.isArray(each))
  const isFact = range !== undefined || value !== undefined || source !== undefined || told.length === 0
  const faults = isFact && !(typeof source === 'string' && source.length > 3) ? [`${place} has no source`] : []
  if (range !== undefined) {
    const { low, mid, high } = range as { low: number; mid: number; high: number }
    return low <= mid && mid <= high ? faults : [...faults, `${place} is no range`]
  }
  return isFact ? faults : Object.entries(stated).flatMap(([name, each]) => faultsOf(each, `${place}/${name}`))
}

test.each([...engines, ...pooledEngines].map((engine) => [engine.pooler ?? engine.name, engine.traits] as const))('facts of %s', (_name, traits) => {
  expect(schema.parse(traits)).toEqual(traits)
  expect(faultsOf(traits as unknown as Stated)).toEqual([])
})

test('a fact without its source, and a range out of order, are found', () => {
  const { traits } = engines[0] as (typeof engines)[number]
  const { failoverSeconds } = traits.plan
  const plan = { ...traits.plan, failoverSeconds: { source: '', range: { ...failoverSeconds.range, low: 1000 } } }
  const { source: _, ...licence } = traits.licence
  expect(faultsOf({ ...traits, plan, licence } as unknown as Stated)).toEqual([
    '/plan/failoverSeconds has no source',
    '/plan/failoverSeconds is no range',
    '/licence has no source',
  ])
})
