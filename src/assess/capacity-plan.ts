/** One candidate's plan: what production asks of it month by month, what a server carries, and the cheapest fleets that do. */
import type { EngineTraits, PlanFacts } from '../engines/engine.ts'
import type { PhysicalModel } from '../model/model.ts'
import { ownedBytes, rowBytes } from '../model/sizes.ts'
import type { CandidateResult, Result } from '../result.ts'
import { entityOf, type Operation, writesOf } from '../scenario/scenario.ts'
import { cpuFill } from './capacity.ts'
import type { Demand } from './demand.ts'
import { assumed, derived, derivedFrom, type Figure, given, productOf, sumOf } from './figure.ts'
import { missCurve, pagesOf } from './pages.ts'
import type { BlockStorage, Shape } from './prices.ts'
import { doublingOf, fitScalability, type Scalability, sweepOf } from './scaling.ts'
import { type Storage, storageOf } from './storage.ts'
import { type Choice, cheapest, type Need, type Terms } from './supply.ts'
import { type Work, workOf } from './work.ts'

/** What every plan takes for granted; each is a figure that `--explain` shows. */
export const assumptions = {
  /** Of the CPU: beyond it queues grow faster than load. */
  cpuFill,
  diskFill: 0.75,
  doubling: assumed(0.6, 0.8, 1),
  host: assumed(0.5, 0.85, 1.2),
  /** Of a cloud server with so many vCPUs, sustained. */
  networkBytesPerSecondPerVcpu: 40e6,
} as const

/** What a plan is of, and with which numbers. */
export interface PlanInput {
  candidate: CandidateResult
  result: Result
  demand: Demand
  /** What it serves: all that it can do, or a part of it beside another store. */
  serves?: { operations: Operation[]; entities: string[] }
}
export interface CapacityPlan {
  candidate: string
  /** Those that it serves. */
  operations: Operation[]
  facts: PlanFacts
  work: Work
  storage: Storage
  scalability: Scalability | null
  /** Operations per second of its mix at today's average load. */
  averageRate: number
  /** Multiples that one bench-sized server carries. */
  carried: Figure<'multiple'>
  cacheShare: Figure<'share'>
  /** In use at peak, on all servers: operations in flight by Little's law. */
  connections(month: number): Figure<'connections'>
  needFigures(month: number): Figure[]
  /** Values of `needFigures`, in order, put into `to`. */
  needOf(values: readonly number[], to?: Need): Need
  terms(block: BlockStorage, shapes: readonly Shape[]): Terms
  /** Bytes that one call returns or writes. */
  payload(operation: Operation): Figure<'bytes'>
  /** The cheapest fleet, for `choiceOf`. */
  choice(month: number, shapes: readonly Shape[], block: BlockStorage, path: string): Figure<'ratio'>
}
/** A sentence that says why there is no plan. */
export type NoPlan = { candidate: string; reason: string }

export function planCapacity({ candidate, result, demand, serves }: PlanInput): CapacityPlan | NoPlan {
  const none = (reason: string): NoPlan => ({ candidate: candidate.name, reason })
  const facts = (candidate.traits as unknown as Partial<EngineTraits>).plan
  if (candidate.failure !== null) return none(`it did not run to the end: ${candidate.failure}`)
  if (facts === undefined) return none('its engine states no topology: the result was written by an earlier dbtrial')
  const { scenario } = demand
  const work = workOf(candidate, scenario.operations)
  if (work === null) return none('no trial tells what its operations cost')
  const storage = storageOf(candidate, result, demand, serves?.entities)
  if (storage === null) return none('its storage was not measured at two shares of a load')
  const mix = scenario.operations.filter((operation) => work.perOperation.has(operation.name))
  const own = mix.filter((operation) => serves === undefined || serves.operations.includes(operation))
  const name = candidate.name
  const model = candidate.model as unknown as PhysicalModel
  const { topology } = facts
  const figures = new Map<string, Figure>()
  const once = <U extends Figure['unit']>(path: string, make: (path: string) => Figure<U>): Figure<U> => {
    const known = (figures.get(path) as Figure<U> | undefined) ?? make(path)
    figures.set(path, known)
    return known
  }
  const coresAtAverage = sumOf(
    `capacity.${name}.coresAtAverage`,
    'cores',
    mix.map((operation) =>
      productOf(`capacity.${name}.${operation.name}.cores`, 'cores', 'rate × cpu', [
        demand.rate(operation, 0),
        work.perOperation.get(operation.name) as Figure<'core-s/operation'>,
      ]),
    ),
  )
  const scalability = fitScalability(sweepOf(candidate))
  const carried = carriedFigure()
  if (carried === null) return none(`no rate was found that it sustains on one server (${candidate.capacity.boundBy})`)
  const measuredDoubling = doublingOf(candidate.sizes)
  const doubling = given(
    `plan.${name}.doubling`,
    'ratio',
    measuredDoubling ?? assumptions.doubling,
    measuredDoubling === null ? 'assumed' : 'measured',
    `throughput of twice the cores, over twice that of one${measuredDoubling === null ? '; fewer than three sizes were measured (bench.sizes)' : `, on ${candidate.sizes.map((size) => size.cpus).join(', ')} cores`}`,
  )
  const host = given('plan.hostFactor', 'ratio', assumptions.host, 'assumed', 'a cloud vCPU over a core of the machine that was measured on')
  const reserve = given(`plan.${name}.diskReserve`, 'ratio', facts.diskReserve.range, 'assumed', facts.diskReserve.source)
  const cacheShare = given(`plan.${name}.cacheShare`, 'share', facts.cacheShare.range, 'assumed', facts.cacheShare.source)
  const replicaWork = given(`plan.${name}.replicaWork`, 'ratio', facts.replicaWork.range, 'assumed', facts.replicaWork.source)
  const rowsOf = productionRows(result)
  const pages = new Map(own.map((operation) => [operation.name, pagesOf(operation, model, scenario, rowsOf.get(operation.name) ?? 1)]))
  const missAt = missCurve(
    scenario,
    new Map(own.filter(isReadOperation).map((operation) => [operation.name, operation.ratePerSecond * (pages.get(operation.name) as number)])),
  )

  /** Work at peak in multiples of today's average, of some operations, each as often as copies or readers ask. */
  const loadOf = (what: string, month: number, some: Operation[], times: (operation: Operation) => number): Figure<'multiple'> =>
    once(`capacity.${name}.${what}@${month}`, (path) => {
      const cores = sumOf(
        `capacity.${name}.${what}Cores@${month}`,
        'cores',
        some.map((operation) =>
          productOf(
            `capacity.${name}.${operation.name}.${what}Cores@${month}`,
            'cores',
            times(operation) === 1 ? 'peakRate × cpu' : `peakRate × cpu × ${times(operation)} copies`,
            [demand.peakRate(operation, month), work.perOperation.get(operation.name) as Figure<'core-s/operation'>],
            times(operation),
          ),
        ),
      )
      return derived(path, 'multiple', `${what}Cores ÷ coresAtAverage`, [cores, coresAtAverage], ratio)
    })
  const single = () => 1
  const load = (month: number) =>
    topology.kind === 'ring'
      ? loadOf('load', month, own, (operation) => (isReadOperation(operation) ? topology.consulted[operation.consistency] : topology.copies))
      : loadOf('load', month, own, single)
  const offloadable = (month: number) => loadOf('offloadable', month, topology.kind === 'ring' ? [] : own.filter(mayBeOld), single)
  const writing = (month: number) =>
    loadOf(
      'writes',
      month,
      own.filter((operation) => !isReadOperation(operation)),
      single,
    )

  const rates = <U extends Figure['unit']>(
    path: string,
    unit: U,
    formula: string,
    some: Operation[],
    month: number,
    factors: (operation: Operation) => Figure,
  ) =>
    once(path, () =>
      sumOf(
        path,
        unit,
        some.map((operation) =>
          productOf(`${path.replace('@', `.${operation.name}@`)}`, unit, formula, [demand.peakRate(operation, month), factors(operation)]),
        ),
      ),
    )
  const constant = <U extends Figure['unit']>(path: string, unit: U, value: number, source: string) =>
    once(path, () => given(path, unit, value, 'derived', source))

  const payload = (operation: Operation) =>
    constant(`plan.${name}.${operation.name}.payload`, 'bytes', payloadOf(operation), 'rows returned or written × bytes of their fields')

  const serviceSeconds = serviceOf(candidate, own)
  const timed = own.filter((operation) => serviceSeconds.has(operation.name))
  const connections = (month: number) =>
    rates(`capacity.${name}.connections@${month}`, 'connections', 'peakRate × service', timed, month, (operation) =>
      once(`work.${name}.${operation.name}.service`, (path) =>
        given(path, 'seconds', serviceSeconds.get(operation.name) as number, 'measured', 'mean service time at the lowest rate that was confirmed'),
      ),
    )

  const needFigures = (month: number): Figure[] => {
    const bytes = once(`capacity.${name}.diskBytes@${month}`, (path) =>
      productOf(path, 'bytes', 'bytes × diskReserve', [storage.bytes(month), reserve]),
    )
    const reads = rates(`capacity.${name}.pages@${month}`, 'I/O/s', 'peakRate × pages', own.filter(isReadOperation), month, (operation) =>
      constant(`plan.${name}.${operation.name}.pages`, 'ratio', pages.get(operation.name) as number, 'from the access path of the model'),
    )
    const writes = own.filter((operation) => !isReadOperation(operation))
    const flushes = rates(
      `capacity.${name}.flushes@${month}`,
      'I/O/s',
      'peakRate × flushes',
      writes,
      month,
      (operation) => work.flushes.get(operation.name) as Figure,
    )
    const written = rates(
      `capacity.${name}.written@${month}`,
      'bytes/s',
      'peakRate × written',
      writes,
      month,
      (operation) => work.written.get(operation.name) as Figure,
    )
    const network = rates(`capacity.${name}.network@${month}`, 'bytes/s', 'peakRate × payload', own, month, payload)
    return [
      load(month),
      offloadable(month),
      writing(month),
      replicaWork,
      carried,
      doubling,
      host,
      bytes,
      storage.workingSet(month),
      cacheShare,
      reads,
      flushes,
      written,
      network,
    ]
  }
  const terms = (block: BlockStorage, shapes: readonly Shape[]): Terms => ({
    topology,
    memoryBound: facts.memoryBound,
    benchCpus: candidate.provision?.limits.cpus ?? 1,
    diskFill: assumptions.diskFill,
    missAt,
    block,
    leastUsdPerHour: shapes.length === 0 ? 0 : Math.min(...shapes.map((shape) => shape.usdPerHour ?? Number.POSITIVE_INFINITY)),
    networkBytesPerSecond: (shape) => shape.vcpus * assumptions.networkBytesPerSecondPerVcpu,
  })
  return {
    candidate: name,
    operations: own,
    facts,
    work,
    storage,
    scalability,
    averageRate: mix.reduce((sum, operation) => sum + operation.ratePerSecond, 0),
    carried,
    cacheShare,
    connections,
    needFigures,
    needOf,
    terms,
    payload,
    choice: (month, shapes, block, path) => {
      const by = terms(block, shapes)
      const need = {} as Need
      const figure = derivedFrom(`${path}@${month}`, 'ratio', 'the cheapest fleet that carries it', needFigures(month), (values) =>
        encode(cheapest(shapes, needOf(values, need), by)),
      )
      return { ...figure, display: (value) => fleetText(choiceOf(value), shapes) }
    },
  }

  function carriedFigure(): Figure<'multiple'> | null {
    const saturated = saturatedFigure()
    const { multiple } = candidate.capacity
    const full = productOf(`capacity.${name}.cpuBound`, 'multiple', `${assumptions.cpuFill} × saturated`, [saturated], assumptions.cpuFill)
    if (multiple === null) return null
    const sustained = given(
      `capacity.${name}.sustained`,
      'multiple',
      // Where the bound lies beyond what was tried, nothing above the low end is counted on.
      multiple.high === null ? { low: multiple.low, mid: multiple.low, high: multiple.mid, confidence: null } : { ...multiple, high: multiple.high },
      'measured',
      `the least of three capacities of one server: objectives, 70 % of its cores, saturation; bound by ${candidate.capacity.boundBy}`,
    )
    return derived(`capacity.${name}.carried`, 'multiple', 'min(sustained, cpuBound)', [sustained, full], (a, b) => Math.min(a, b))
  }

  function saturatedFigure(): Figure<'multiple'> {
    const cpus = given(`capacity.${name}.cpus`, 'cores', candidate.provision?.limits.cpus ?? 1, 'measured', 'cores of the server that was measured')
    const byCpu = derived(`capacity.${name}.saturatedByCpu`, 'multiple', 'cpus ÷ coresAtAverage', [cpus, coresAtAverage], ratio)
    const most =
      scalability?.mostPerSecond ??
      Math.max(0, ...candidate.trials.filter((trial) => trial.phase === 'sweep').map((trial) => trial.throughputPerSecond))
    if (most <= 0) return { ...byCpu, path: `capacity.${name}.saturated` }
    const throughput = given(
      `capacity.${name}.most`,
      'operations/s',
      most,
      'measured',
      scalability === null ? 'highest of the closed-loop sweep' : 'highest of the Universal Scalability Law fitted to the closed-loop sweep',
    )
    const average = sumOf(
      `capacity.${name}.averageRate`,
      'operations/s',
      mix.map((operation) => demand.rate(operation, 0)),
    )
    return derived(
      `capacity.${name}.saturated`,
      'multiple',
      'min(saturatedByCpu, most ÷ averageRate)',
      [byCpu, throughput, average],
      (cpu, x, rate) => Math.min(cpu, x / rate),
    )
  }

  function payloadOf(operation: Operation): number {
    const entity = entityOf(scenario, operation.entity)
    const fields = 'fields' in operation ? operation.fields : undefined
    const owned = 'with' in operation ? ownedBytes(scenario, entity, operation.with) : 0
    const rows =
      operation.kind === 'aggregate'
        ? 31
        : operation.kind === 'list' || operation.kind === 'search'
          ? Math.min(operation.limit, rowsOf.get(operation.name) ?? 1)
          : 1
    return Math.round(rows * (rowBytes(entity, fields) + owned))
  }
}

export const isReadOperation = (operation: Operation) => writesOf(operation).length === 0
export const isPlan = (plan: CapacityPlan | NoPlan): plan is CapacityPlan => 'facts' in plan

/** Rows that a call of each operation touches in production, by its name. */
export function productionRows({ trialPlan }: Result): Map<string, number> {
  const { operations } = trialPlan as unknown as { operations: { name: string; rowsProduction: number }[] }
  return new Map(operations.map((each) => [each.name, each.rowsProduction]))
}

/** Mean seconds of each operation at the lowest confirmed multiple: more load only adds queueing, which more servers take away. */
function serviceOf(candidate: CandidateResult, operations: Operation[]): Map<string, number> {
  const confirmed = candidate.trials
    .filter(
      ({ phase, client, validity }) => phase === 'confirmation' && client === 'wire' && validity.verdict !== 'noisy' && validity.verdict !== 'broken',
    )
    .sort((a, b) => (a.arrival.multiple ?? 0) - (b.arrival.multiple ?? 0))
  return new Map(
    operations.flatMap(({ name }) => {
      const service = confirmed.map((trial) => trial.operations[name]?.serviceUs).find((each) => each != null && each.count > 0)
      return service == null ? [] : [[name, service.mean / 1e6] as const]
    }),
  )
}

const ratio = (a: number, b: number) => a / Math.max(b, 1e-12)
/** Reads that a replica may answer. */
const mayBeOld = (operation: Operation) => isReadOperation(operation) && (operation.consistency === 'eventual' || (operation.stalenessMs ?? 0) > 0)

/** Values in the order of `needFigures`, put into `to`. */
function needOf(values: readonly number[], to = {} as Need): Need {
  to.load = values[0] as number
  to.offloadable = values[1] as number
  to.writes = values[2] as number
  to.replicaWork = values[3] as number
  to.carried = values[4] as number
  to.doubling = values[5] as number
  to.host = values[6] as number
  to.bytes = values[7] as number
  to.hotBytes = values[8] as number
  to.cacheShare = values[9] as number
  to.pagesPerSecond = values[10] as number
  to.writesPerSecond = (values[11] as number) + (values[12] as number) / bytesPerWrite
  to.writtenBytesPerSecond = values[12] as number
  to.networkBytesPerSecond = values[13] as number
  return to
}

/** Of a write that is no flush of its own: scattered pages of a checkpoint are smaller, a sequential log is larger. */
const bytesPerWrite = 16_384

function fleetText({ shape, parts, members }: Pick<Choice, 'shape' | 'parts' | 'members'>, shapes: readonly Shape[]): string {
  const name = shapes[shape]?.name
  return name === undefined ? 'no fleet that has a price' : members > 1 ? `${parts} × ${members} × ${name}` : `${parts} × ${name}`
}

const partsLimit = 65_536
const membersLimit = 64
const encode = ({ shape, parts, members }: Pick<Choice, 'shape' | 'parts' | 'members'>) =>
  shape < 0 ? -1 : (shape * membersLimit + members) * partsLimit + Math.min(partsLimit - 1, parts)
/** What a figure of `choice` says. */
export function choiceOf(encoded: number): Pick<Choice, 'shape' | 'parts' | 'members'> {
  const above = Math.floor(encoded / partsLimit)
  return { shape: Math.floor(above / membersLimit), members: above % membersLimit, parts: encoded % partsLimit }
}
