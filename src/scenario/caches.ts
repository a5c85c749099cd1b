/** Caches in front of a candidate's store: what they are resolved to, and which gets may be answered from one. */
import { choice, type Path, type Report } from './problems.ts'
import {
  type Cache,
  type Candidate,
  type Entity,
  entityOf,
  type KnownEngine,
  type Operation,
  type OperationOf,
  type Scenario,
  writesOf,
} from './scenario.ts'
import type { ScenarioFile } from './schema.ts'
import { tenantAskedOf } from './tenants.ts'

type CacheFile = NonNullable<Exclude<ScenarioFile['candidates'][number], string>['cache']>

/** Of the memory that store and cache have together, where nothing is said. */
const usualShare = 0.25

export const cacheOf = ({ engine, ttl, memory, for: names }: CacheFile, memoryBytes: number): Cache => ({
  engine,
  ttlMs: ttl,
  memoryBytes: memory ?? Math.floor(memoryBytes * usualShare),
  for: names,
})

interface Context {
  file: ScenarioFile
  engines: readonly KnownEngine[]
  report: Report
}

export function checkCache({ cache }: Candidate, index: number, scenario: Scenario, { file, engines, report: tell }: Context): void {
  if (cache === undefined) return
  const path: Path = ['candidates', index, 'cache']
  const caches = engines.flatMap(({ name, isCache }) => (isCache === true ? [name] : []))
  if (engines.length > 0 && !caches.includes(cache.engine))
    tell([...path, 'engine'], `there is no cache "${cache.engine}"${choice(cache.engine, caches)}`)
  if (cache.memoryBytes > scenario.bench.memoryBytes / 2)
    tell([...path, 'memory'], 'the store keeps half of the memory of limits at least: give less')
  const seen = new Set<string>()
  for (const [at, name] of cache.for.entries()) {
    const report = (message: string) => tell([...path, 'for', at], message)
    if (seen.has(name)) report(`"${name}" is listed twice`)
    seen.add(name)
    const operation = scenario.operations.find((each) => each.name === name)
    if (operation === undefined) {
      const gets = scenario.operations.flatMap((each) => (each.kind === 'get' ? [each.name] : []))
      if (file.operations[name] === undefined) tell([...path, 'for', at], `there is no operation "${name}"`, { meant: { name, known: gets } })
    } else if (operation.kind !== 'get') report(`${name} is a ${operation.kind}: a cache answers gets alone`)
    else for (const why of [unfitRows(operation, scenario), unfitPromise(operation, cache)]) if (why !== null) report(why)
  }
}

/** Why what such a get answers is not kept under the key that it asks by; null: it is. Whatever changes an answer has to be a write that knows this key. */
function unfitRows(operation: OperationOf<'get'>, scenario: Scenario): string | null {
  const entity = entityOf(scenario, operation.entity)
  const { name } = entity
  if (entity.owner !== null)
    return `rows of ${name} change with those of their ${entity.owner.entity}, whose writes do not name them: give a get of ${entity.owner.entity}`
  if (entity.ttlMs !== null) return `rows of ${name} expire, and a cache would keep them for longer`
  if (tenantAskedOf(entity, operation) !== null) return `rows of ${name} are of a tenant, and a cache would answer another`
  const apart = scenario.operations.find((each) => writesApart(each, entity, operation.with))
  return apart === undefined
    ? null
    : `${apart.name} writes rows that ${operation.name} reads with ${name}, without its key: leave out "with", or cache another get`
}

const writesApart = (operation: Operation, { name }: Entity, owned: string[]) =>
  writesOf(operation).some((write) => write.entity !== name && owned.includes(write.entity))

/** Between a read of the store and its way into the cache a row may be written: what is taken out then comes back, and stays until it expires. */
function unfitPromise({ name, consistency, stalenessMs }: OperationOf<'get'>, { ttlMs }: Cache): string | null {
  const seconds = ttlMs / 1000
  if (consistency !== 'eventual')
    return `${name} is ${consistency}, and a cache may hold a row as it was up to ${seconds} s ago: say "consistency: eventual" and "staleness: ${seconds}s" there, or leave it out here`
  if (stalenessMs === null) return `${name} does not say how old an answer may be: say "staleness: ${seconds}s" there`
  return stalenessMs < ttlMs
    ? `${name} may be ${stalenessMs / 1000} s old, and the cache keeps it for ${seconds} s: give a "ttl" of ${stalenessMs / 1000}s at most`
    : null
}
