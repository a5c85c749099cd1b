/** From the file's grammar to a resolved scenario: derives what can be derived, finds every contradiction. */
import { cacheOf, checkCache } from './caches.ts'
import { checkEpoch, completeReferences, resolveEntity } from './entities.ts'
import { everything } from './grammar.ts'
import type { OperationContext } from './operation-context.ts'
import { resolveOperation } from './operations.ts'
import { resolvePreferences } from './preferences.ts'
import { choice, type Problem, type Report } from './problems.ts'
import { asksForSecurity } from './regimes.ts'
import { type Candidate, type Entity, type Invariant, type KnownEngine, promised, type Scenario } from './scenario.ts'
import { defaultEpoch, type ScenarioFile } from './schema.ts'
import { markTenants } from './tenants.ts'
import { checkSearched } from './writes.ts'

/**
 * `broken` names what was left out because its own text is wrong (see grammar.ts): references to it are not reported again.
 * `engines` are the candidates there can be; none: whoever reads knows.
 */
export function resolve(file: ScenarioFile, broken: Set<string>, engines: readonly KnownEngine[]): { scenario: Scenario; problems: Problem[] } {
  const problems: Problem[] = []
  const report: Report = (path, message, more) => problems.push({ path, message, ...more })
  const isBroken = (entity: string, field?: string) =>
    broken.has(everything) ||
    broken.has(entity) ||
    (field !== undefined && (broken.has(`${entity}.${field}`) || broken.has(`${entity}.${everything}`)))
  const epochMs = Date.parse(file.epoch ?? defaultEpoch)
  checkEpoch(epochMs, report)
  const entities = Object.entries(file.entities).map(([name, entity]) => resolveEntity(name, entity, { file, epochMs, isBroken, report }))
  const known = new Map(entities.map((entity) => [entity.name, entity]))
  completeReferences(entities, known)
  if (file.tenant !== undefined) markTenants(file.tenant, entities, isBroken, report)
  const context: OperationContext = { entities: known, epochMs, engines: engines.map(({ name }) => name), isBroken, report }
  const operations = Object.entries(file.operations).flatMap(([name, operation]) => resolveOperation(name, operation, context) ?? [])
  checkSearched(operations, report)
  if (Object.keys(file.operations).length === 0) report(['operations'], 'a scenario needs at least one operation', { lacking: true })
  const scenario: Scenario = {
    name: file.name,
    summary: file.summary,
    seed: file.seed,
    epochMs,
    entities,
    operations,
    invariants: Object.entries(file.invariants ?? {}).flatMap(([name, { conserve }]) => resolveInvariant(name, conserve, context) ?? []),
    requirements: requirementsOf(file),
    criteria: resolvePreferences(
      file,
      file.candidates.map((candidate) => (typeof candidate === 'string' ? candidate : candidate.name)),
      report,
    ),
    candidates: candidatesOf(file),
    bench: benchOf(file),
  }
  checkCandidates(scenario, file, context)
  for (const [index, candidate] of scenario.candidates.entries()) {
    promise(candidate, index, file, engines, report)
    checkPooler(candidate, index, engines, report)
    checkCache(candidate, index, scenario, { file, engines, report })
  }
  if (scenario.bench.scale === 0) report(['bench', 'scale'], 'a scale of 0% loads nothing')
  return { scenario, problems }
}

function requirementsOf({ requirements }: ScenarioFile): Scenario['requirements'] {
  return {
    peak: requirements.peak,
    durability: requirements.durability,
    availability: requirements.availability ?? null,
    rpoMs: requirements.rpo ?? null,
    rtoMs: requirements.rto ?? null,
    regions: requirements.regions ?? [],
    compliance: requirements.compliance ?? [],
    licences: requirements.licences ?? null,
    budgetUsdPerMonth: requirements.budget ?? null,
    engineerUsdPerHour: requirements.engineer ?? null,
    horizonMs: requirements.horizon ?? null,
  }
}

function candidatesOf({ candidates, requirements: { durability }, bench }: ScenarioFile): Candidate[] {
  return candidates.map((candidate) =>
    typeof candidate === 'string'
      ? { name: candidate, engine: candidate, durability }
      : {
          name: candidate.name,
          engine: candidate.engine,
          durability: candidate.durability ?? durability,
          ...(candidate.pooler === undefined ? {} : { pooler: candidate.pooler }),
          ...(candidate.cache === undefined ? {} : { cache: cacheOf(candidate.cache, memoryOf(bench)) }),
        },
  )
}

const memoryOf = (bench: ScenarioFile['bench']) => bench?.limits?.memory ?? 2 * 2 ** 30

function benchOf({ bench, requirements: { compliance } }: ScenarioFile): Scenario['bench'] {
  return {
    scale: bench?.scale ?? null,
    cpus: bench?.limits?.cpus ?? 1,
    memoryBytes: memoryOf(bench),
    sizes: [...new Set(bench?.sizes ?? [])].sort((a, b) => a - b),
    effort: bench?.effort ?? 'quick',
    repeats: bench?.repeats ?? null,
    ...(bench?.kills === undefined ? {} : { kills: bench.kills }),
    ...((bench?.security ?? (asksForSecurity(compliance ?? []) ? 'on' : 'off')) === 'on' ? { security: 'on' as const } : {}),
  }
}

function checkCandidates(scenario: Scenario, file: ScenarioFile, { engines, report }: OperationContext): void {
  const seen = new Set<string>()
  for (const [index, { name, engine }] of scenario.candidates.entries()) {
    if (seen.has(name)) report(['candidates', index], `candidate "${name}" is listed twice`)
    seen.add(name)
    const path = ['candidates', index, ...(typeof file.candidates[index] === 'string' ? [] : ['engine'])]
    if (engines.length > 0 && !engines.includes(engine)) report(path, `there is no engine "${engine}"${choice(engine, engines)}`)
  }
}

function checkPooler({ engine, pooler }: Candidate, index: number, engines: readonly KnownEngine[], report: Report): void {
  const poolers = engines.find(({ name }) => name === engine)?.poolers ?? []
  if (engines.length === 0 || pooler === undefined || poolers.includes(pooler)) return
  report(['candidates', index, 'pooler'], `there is no pooler "${pooler}" of ${engine}${choice(pooler, [...poolers])}`)
}

/** What a candidate keeps is the least of its engine that is as much as was asked for. */
function promise(candidate: Candidate, index: number, file: ScenarioFile, engines: readonly KnownEngine[], report: Report): void {
  const offered = engines.find(({ name }) => name === candidate.engine)?.durability
  if (offered === undefined) return
  const kept = promised(candidate.durability, offered)
  if (kept !== undefined) {
    candidate.durability = kept
    return
  }
  const given = file.candidates[index]
  const path = ['candidates', index, ...(typeof given === 'string' ? [] : [given?.durability === undefined ? 'engine' : 'durability'])]
  report(
    path,
    `${candidate.engine} promises no more than ${offered[0]}, and ${candidate.durability} is asked for: leave it out, or say "durability: ${offered[0]}" in requirements, or for it alone as { name: …, engine: ${candidate.engine}, durability: ${offered[0]} }`,
  )
}

function resolveInvariant(name: string, text: string, { entities, isBroken, report }: OperationContext): Invariant | undefined {
  const path = ['invariants', name, 'conserve']
  const pattern = /\s*([+-]?)\s*sum\(\s*([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\s*\)/y
  const terms: Invariant['terms'] = []
  let scale: number | undefined
  while (pattern.lastIndex < text.trimEnd().length || terms.length === 0) {
    const match = pattern.exec(text)
    if (match === null || (terms.length > 0 && match[1] === '')) {
      report(path, 'expected a sum such as "sum(product.stock) + sum(order_item.quantity)"')
      return undefined
    }
    const [, sign, entityName = '', fieldName = ''] = match
    const entity = entities.get(entityName)
    if (entity === undefined) {
      if (!isBroken(entityName)) report(path, `there is no entity "${entityName}"`, { meant: { name: entityName, known: [...entities.keys()] } })
      return undefined
    }
    const field = numericField(entity, fieldName)
    if (field === undefined) {
      const known = entity.fields.filter((each) => numericField(entity, each.name) !== undefined).map((each) => each.name)
      if (!isBroken(entityName, fieldName)) report(path, `"${fieldName}" is no numeric field of ${entityName}`, { meant: { name: fieldName, known } })
      return undefined
    }
    scale ??= field.scale
    if (field.scale !== scale) report(path, 'all sums must have the same scale')
    terms.push({ sign: sign === '-' ? -1 : 1, entity: entityName, field: fieldName })
  }
  return { name, terms }
}

function numericField(entity: Entity, name: string) {
  return entity.fields.find((each) => each.name === name && (each.type === 'int' || each.type === 'decimal'))
}
