/**
 * What a cache in front of a store answered in the trials, and what the law of the picks lets expect of its size and time to live after all that
 * it had been asked before: it starts empty, with each start of the server, and a run is shorter than it would take to fill.
 */
import { ownedBytes, rowBytes } from '../../families/sizes.ts'
import type { CandidateResult, Result, TrialResult } from '../../result/result.ts'
import { type Cache, entityOf, type OperationOf, type PickLaw, type Scenario, type Step, writesOf } from '../../scenario/scenario.ts'
import { drawsOfTop } from '../demand/popularity.ts'

export interface CacheHits {
  operation: string
  /** Calls in the trials that count, and those of them that the cache answered. */
  asked: number
  answered: number
  /** Share of the calls that it was to answer in them. */
  expected: number
  /** The same in production on average, once it is filled, where it has room for all. */
  inProduction: number
  /** Of the answers that it gave those that were kept, and those of them that were of rows written since. */
  judged: number
  outdated: number
}

/** In one trial so many steps of time. */
const stepsPerTrial = 40
/** Before the first second that counts. */
const unrecordedSeconds = 1
/** From one class of rows to the next, by how often they are asked for. */
const classRatio = 1.1
/** Of the memory that a cache is given, as they are set up. */
const dataShare = 0.75
/** Beside the values: the key, the entry of its table, names of types; assumed. */
const overheadBytes = 150

const counted = ({ phase, validity }: TrialResult) => phase !== 'warm-up' && validity.verdict !== 'broken'

/** [] where no cache stands in front. */
export function cacheHitsOf(candidate: Pick<CandidateResult, 'name' | 'trials'>, result: Pick<Result, 'scenario' | 'trialPlan'>): CacheHits[] {
  const { scenario, trialPlan } = result
  const cache = scenario.candidates.find(({ name }) => name === candidate.name)?.cache
  if (cache === undefined) return []
  const gets = cache.for.flatMap((name) =>
    scenario.operations.filter((each): each is OperationOf<'get'> => each.kind === 'get' && each.name === name),
  )
  const loadedOf = (name: string) => Math.max(1, Math.round(entityOf(scenario, name).count * (trialPlan.shares[name] ?? trialPlan.share)))
  const models = gets.map((get) => new Kept(get, scenario, loadedOf(get.entity)))
  const trials = [...candidate.trials].sort((a, b) => a.startedAt.localeCompare(b.startedAt))
  const expected = replayed(trials, models, cache)
  return gets.map((get, at) => {
    const own = trials.filter(counted).flatMap(({ operations }) => operations[get.name] ?? [])
    const sum = (of: (each: (typeof own)[number]) => number) => own.reduce((total, each) => total + of(each), 0)
    return {
      operation: get.name,
      asked: sum((each) => each.ok + each.miss),
      answered: sum((each) => each.cached?.answers ?? 0),
      expected: expected[at] as number,
      inProduction: new Kept(get, scenario, entityOf(scenario, get.entity).count).inProduction(scenario, cache),
      judged: sum((each) => each.cached?.judged ?? 0),
      outdated: sum((each) => each.cached?.outdated ?? 0),
    }
  })
}

/** Shares of the calls of each get that the cache has an answer to, by the trials in their order. */
function replayed(trials: TrialResult[], models: Kept[], { ttlMs, memoryBytes }: Cache): number[] {
  const [calls, hits] = [models.map(() => 0), models.map(() => 0)]
  let start: number | undefined
  for (const trial of trials) {
    if (trial.start !== start) for (const model of models) model.empty()
    start = trial.start
    const seconds = trial.seconds + unrecordedSeconds
    const stretch = trial.seconds === 0 ? 0 : seconds / trial.seconds / stepsPerTrial
    for (let step = 0; step < stepsPerTrial; step++) {
      const sinceStart = (seconds * (step + 0.5)) / stepsPerTrial
      const now = Date.parse(trial.startedAt) + sinceStart * 1000
      for (const [at, model] of models.entries()) {
        const doneOf = (operation: string) => (trial.operations[operation]?.ok ?? 0) * stretch
        const found = doneOf(model.get.name)
        const answered = model.step(now, ttlMs, found, doneOf)
        if (!counted(trial) || sinceStart < unrecordedSeconds) continue
        calls[at] = (calls[at] as number) + found + (trial.operations[model.get.name]?.miss ?? 0) * stretch
        hits[at] = (hits[at] as number) + answered
      }
      makeRoom(models, memoryBytes * dataShare)
    }
  }
  return models.map((_, at) => (calls[at] === 0 ? 0 : (hits[at] as number) / (calls[at] as number)))
}

/** What is asked for least goes. */
function makeRoom(models: Kept[], roomBytes: number): void {
  let excess = models.reduce((sum, model) => sum + model.bytes, 0) - roomBytes
  if (excess <= 0) return
  const all = models.flatMap((model) => model.classes.map((rows) => ({ rows, bytesEach: model.bytesEach })))
  for (const { rows, bytesEach } of all.sort((a, b) => a.rows.callsPerRow - b.rows.callsPerRow)) {
    const bytes = rows.count * rows.kept * bytesEach
    if (bytes === 0) continue
    rows.lose(Math.min(1, excess / bytes))
    excess -= bytes
    if (excess <= 0) return
  }
}

/** Rows that are asked for equally often. */
class Rows {
  readonly count: number
  /** Share of the calls that goes to all of them. */
  readonly share: number
  /** Probability that the cache has one of them. */
  kept = 0
  callsPerRow = 0
  /** When they came there, and with which probability; what was lost since is in `scale`. */
  #filled: { at: number; share: number }[] = []
  #scale = 1

  constructor(count: number, share: number) {
    this.count = count
    this.share = share
  }

  empty(): void {
    this.kept = 0
    this.#filled = []
    this.#scale = 1
  }

  lose(share: number): void {
    this.kept *= 1 - share
    this.#scale *= 1 - share
    // What is a billionth of a row is none.
    if (this.#scale < 1e-9) this.empty()
  }

  /**
   * Calls of one step that are answered, of so many of rows that there are, while so many rows are written: within the step a call of a row that
   * is missing brings it and a write takes it out, so that what is kept goes to calls ÷ (calls + writes), exponentially.
   */
  step(now: number, ttlMs: number, found: number, written: number): number {
    while (this.#filled[0] !== undefined && this.#filled[0].at <= now - ttlMs) this.kept -= (this.#filled.shift()?.share ?? 0) * this.#scale
    const before = Math.max(0, this.kept)
    const calls = (found * this.share) / this.count
    const writes = written / this.count
    this.callsPerRow = calls
    if (calls + writes === 0) return 0
    const limit = calls / (calls + writes)
    const approached = -Math.expm1(-(calls + writes))
    const mean = limit + ((before - limit) * approached) / (calls + writes)
    this.kept = before
    this.lose(-Math.expm1(-writes))
    const after = before + (limit - before) * approached
    this.#filled.push({ at: now, share: Math.max(0, after - this.kept) / this.#scale })
    this.kept = after
    return this.count * calls * mean
  }
}

/** Of one get, what the cache has of its rows. */
class Kept {
  readonly get: OperationOf<'get'>
  readonly classes: Rows[]
  readonly bytesEach: number
  /** Operations that take rows out, and how many a call. */
  readonly #writers: { name: string; rows: number; shares: number[] }[]

  constructor(get: OperationOf<'get'>, scenario: Scenario, loaded: number) {
    const entity = entityOf(scenario, get.entity)
    this.get = get
    this.bytesEach = rowBytes(entity, get.fields) + ownedBytes(scenario, entity, get.with) + overheadBytes
    const edges = edgesOf(loaded)
    const counts = edges.slice(1).map((to, at) => to - (edges[at] as number))
    const sharesOf = (skew: PickLaw) => sharesBetween(edges, skew, entity.count)
    const shares = sharesOf(get.pick.skew)
    this.classes = counts.map((count, at) => new Rows(count, shares[at] as number))
    this.#writers = writersOf(scenario, get.entity).map(({ skew, ...writer }) => ({ ...writer, shares: sharesOf(skew) }))
  }

  get bytes(): number {
    return this.classes.reduce((sum, { count, kept }) => sum + count * kept, 0) * this.bytesEach
  }

  empty(): void {
    for (const rows of this.classes) rows.empty()
  }

  /** Calls of one step that are answered, of so many of rows that there are: a row that was deleted is asked for, too, and is in no cache. */
  step(now: number, ttlMs: number, found: number, doneOf: (operation: string) => number): number {
    let answered = 0
    for (const [at, rows] of this.classes.entries()) {
      answered += rows.step(now, ttlMs, found, this.#written(at, doneOf))
    }
    return answered
  }

  /** A row that is asked for λ times while it would stay is kept λ/(1 + λ) of the time; writes end that sooner. Once it is filled, where it has room. */
  inProduction({ operations }: Scenario, { ttlMs }: Cache): number {
    const rateOf = (name: string) => operations.find((each) => each.name === name)?.ratePerSecond ?? 0
    const asked = this.get.ratePerSecond * (1 - this.get.pick.miss)
    const ttl = ttlMs / 1000
    const found = this.classes.reduce((sum, { count, share }, at) => {
      const written = this.#written(at, rateOf) / count
      const stays = written === 0 ? ttl : -Math.expm1(-written * ttl) / written
      const calls = ((asked * share) / count) * stays
      return sum + (share * calls) / (1 + calls)
    }, 0)
    return found * (1 - this.get.pick.miss)
  }

  /** Rows of a class, by how often each operation is done. */
  #written(at: number, doneOf: (operation: string) => number): number {
    return this.#writers.reduce((sum, { name, rows, shares }) => sum + doneOf(name) * rows * (shares[at] as number), 0)
  }
}

function edgesOf(rows: number): number[] {
  const edges = [0]
  for (let edge = 1; edge < rows; edge = Math.max(edge + 1, Math.round(edge * classRatio))) edges.push(edge)
  return [...edges, rows]
}

/** Of the draws; ranks beyond the rows that are loaded fold on them, each as often as any other. */
function sharesBetween(edges: number[], skew: PickLaw, inProduction: number): number[] {
  const rows = edges.at(-1) as number
  const ranks = Math.max(rows, skew.kind === 'tiers' ? rows : inProduction)
  const within = edges.map((edge) => drawsOfTop(skew, ranks, edge))
  const folded = 1 - (within.at(-1) as number)
  return edges.slice(1).map((to, at) => {
    const from = edges[at] as number
    return (within[at + 1] as number) - (within[at] as number) + (folded * (to - from)) / rows
  })
}

/** Writes of rows that are there; those that others are updated through go by how often they are referred to. */
function writersOf(scenario: Scenario, name: string): { name: string; rows: number; skew: PickLaw }[] {
  return scenario.operations.flatMap((operation) =>
    writesOf(operation).flatMap((write) => {
      if (write.entity !== name || write.kind === 'insert') return []
      const rows = write.kind === 'put' ? write.existingShare : 1
      if (write.kind !== 'update' || write.via === null)
        return [{ name: operation.name, rows, skew: ('pick' in write ? (write as Step) : operation).pick.skew }]
      const owned = entityOf(scenario, write.via.owned)
      const generator = owned.fields.find(({ name: field }) => field === write.via?.field)?.generator
      return generator?.kind === 'reference' ? [{ name: operation.name, rows: owned.owner?.mean ?? 1, skew: generator.skew }] : []
    }),
  )
}
