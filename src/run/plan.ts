/** The trial plan: how much is loaded, which trials run, what that takes; all from the scenario, before anything starts. */

import { domainOf } from '../data/dataset.ts'
import { searchedPool } from '../data/words.ts'
import { rowsRead } from '../families/selection.ts'
import { constantShare, rowBytes, valuedShare } from '../families/sizes.ts'
import { pickText } from '../report/pick-text.ts'
import {
  type Bench,
  type Effort,
  type Entity,
  entityOf,
  type Filter,
  fieldOf,
  type Operation,
  type Order,
  ownedBy,
  type Scenario,
  selectedBy,
  verbOf,
  writesOf,
} from '../scenario/scenario.ts'
import { rowsLoaded, type Shares, sharesOf } from '../scenario/shares.ts'
import { warningsOf } from '../scenario/warnings.ts'
import { cases } from '../verify/verify.ts'

export interface Budget {
  rows: number
  /** Of the slowest candidate, at most. */
  loadSeconds: number
  concurrencies: number[]
  sweepSeconds: number
  /** Of each trial that tells what the operations cost; 0: none. */
  workSeconds: number
  /** Starts of each server, on the same data: what differs between them is part of every interval. */
  starts: number
  /** Of an open-loop trial. */
  openSeconds: number
  /** Rates of each start that the response curve adds to those that compare candidates. */
  curveRates: number
  /** Trials after the last start that narrow the capacity, at most, and the width (high ÷ low) that is narrow enough. */
  narrowingTrials: number
  narrowEnough: number
  /** Numbers of connections that are tried, the usual one first, and the seconds of such a trial; 0: the usual one is taken. */
  connections: number[]
  connectionSeconds: number
  /** Warming until steady, at most: a Java server on one core still gains after a minute; who is level sooner takes no longer. */
  warmUpSeconds: number
  /** On all cores before that, of a server that compiles what it runs, at most: until its compiler has hardly anything left to do. */
  compileSeconds: number
  /** Whether rates are compared and capacity is searched; else answers are checked, and little more. */
  compares: boolean
  /** Whether one trial has a forced checkpoint, flush or compaction. */
  maintenance: boolean
  /** Whether the mix that all can do is measured, too, where some cannot do everything. */
  common: boolean
  /** Times that each server is killed in the middle of its writes, after all that is timed. */
  kills: number
}
/** METHOD §7. */
const budgets: Record<Effort, Budget> = {
  smoke: {
    rows: 20_000,
    loadSeconds: Number.POSITIVE_INFINITY,
    concurrencies: [4, 16],
    sweepSeconds: 1,
    workSeconds: 0,
    starts: 1,
    openSeconds: 3,
    curveRates: 0,
    narrowingTrials: 0,
    narrowEnough: 1,
    connections: [16, 64, 4],
    connectionSeconds: 0,
    warmUpSeconds: 2,
    compileSeconds: 5,
    compares: false,
    maintenance: false,
    common: false,
    kills: 0,
  },
  quick: {
    rows: 1_500_000,
    loadSeconds: 300,
    concurrencies: [4, 16, 64],
    sweepSeconds: 2,
    workSeconds: 1,
    starts: 3,
    openSeconds: 4,
    curveRates: 2,
    narrowingTrials: 2,
    narrowEnough: 1.3,
    connections: [16, 64, 4],
    connectionSeconds: 2,
    warmUpSeconds: 48,
    compileSeconds: 60,
    compares: true,
    maintenance: false,
    common: false,
    kills: 0,
  },
  standard: {
    rows: 5_000_000,
    loadSeconds: Number.POSITIVE_INFINITY,
    concurrencies: [1, 2, 4, 8, 16, 32, 64],
    sweepSeconds: 5,
    workSeconds: 2,
    starts: 5,
    openSeconds: 15,
    curveRates: 3,
    narrowingTrials: 5,
    narrowEnough: 1.15,
    connections: [16, 64, 4],
    connectionSeconds: 5,
    warmUpSeconds: 120,
    compileSeconds: 90,
    compares: true,
    maintenance: true,
    common: true,
    kills: 10,
  },
  thorough: {
    rows: Number.POSITIVE_INFINITY,
    loadSeconds: Number.POSITIVE_INFINITY,
    concurrencies: [1, 2, 4, 8, 16, 32, 64, 96, 128],
    sweepSeconds: 10,
    workSeconds: 5,
    starts: 9,
    openSeconds: 60,
    curveRates: 6,
    narrowingTrials: 9,
    narrowEnough: 1.08,
    connections: [16, 64, 4],
    connectionSeconds: 10,
    warmUpSeconds: 300,
    compileSeconds: 120,
    compares: true,
    maintenance: true,
    common: true,
    kills: 10,
  },
}

export interface OperationPlan {
  name: string
  ratePerSecond: number
  rowsLoaded: number
  rowsProduction: number
  /** Touches more than 2× fewer rows than in production: can refute an objective, not prove it. */
  scaleLimited: boolean
  resolved: string
}
export interface Phase {
  name: string
  predictedSeconds: number
}
export interface TrialPlan {
  effort: Effort
  /** What the replay sends through, of a product that has both; both are verified. */
  client: 'wire' | 'driver'
  /** Of all rows in production. */
  share: number
  /** By entity. */
  shares: Shares
  rows: number
  budget: Budget
  /** Multiples of the average load that are confirmed. */
  multiples: number[]
  /** Cores of the servers that scale-up is measured on; empty: it is assumed. */
  sizes: number[]
  /** Of each engine's own warm-up time. */
  warmUpShare: number
  /** Whether some candidate cannot do everything: then the mix that all can do is measured, too. */
  partial: boolean
  /** Answers compared with the reference, per operation. */
  answersPerOperation: number
  operations: OperationPlan[]
  data: { loadedBytes: number; productionBytes: number; memoryBytes: number }
  phases: Phase[]
  warnings: string[]
}
/** What a candidate's engine takes, for the prediction. */
export interface Pace {
  startSeconds: number
  loadSeconds: number
  loadRowsPerSecond: number
  settleSeconds: number
  verifySeconds: number
  /** Of a piece of warming. */
  warmUpSeconds: number
  /** Its server compiles what it runs, in threads of such names: it is warmed with all cores of the machine before it is with its own. */
  compilers?: RegExp
}

/** Maintenance is asked for when this share of its trial is over. */
export const maintenanceAfter = 1 / 3

const warmUpOfTrial = 1
/** Of writes, in the middle of which a server is killed. */
export const killedTrialSeconds = 3
const minSizes = 3
const wholeAnswers = 220

/** `cores`: of this machine, one of which stays with the harness. */
export function planTrials(
  scenario: Scenario,
  effort: Effort,
  paces: Pace[],
  partial = false,
  client: TrialPlan['client'] = 'wire',
  cores = Number.POSITIVE_INFINITY,
): TrialPlan {
  const budget = {
    ...budgets[effort],
    starts: scenario.bench.repeats ?? budgets[effort].starts,
    kills: scenario.bench.kills ?? budgets[effort].kills,
  }
  const production = scenario.entities.reduce((sum, entity) => sum + entity.count, 0)
  const wanted = Math.min(budget.rows, (scenario.bench.scale ?? 1) * production)
  const fits = Math.min(...paces.map((pace) => (budget.loadSeconds - pace.loadSeconds) * pace.loadRowsPerSecond))
  const shares = sharesOf(scenario, Math.min(wanted, fits))
  const rows = scenario.entities.reduce((sum, entity) => sum + rowsLoaded(scenario, entity, shares), 0)
  const multiples = scenario.requirements.peak > 1 ? [1, scenario.requirements.peak] : [1]
  const whole = bytesOf(scenario, wholeOf(scenario))
  const asked = scenario.bench.sizes
  const fitting = asked.filter((size) => size < cores)
  const sizes = budget.compares && fitting.length >= minSizes ? fitting : []
  const plan = {
    effort,
    client,
    share: Math.min(1, rows / production),
    shares,
    rows: Math.round(rows),
    budget,
    multiples,
    sizes,
    warmUpShare: effort === 'smoke' ? 0.4 : 1,
    partial,
    answersPerOperation: Math.max(cases, Math.ceil(wholeAnswers / scenario.operations.length)),
    operations: scenario.operations.map((operation) => planOperation(scenario, operation, shares)),
    data: { loadedBytes: Math.round(bytesOf(scenario, shares)), productionBytes: Math.round(whole), memoryBytes: scenario.bench.memoryBytes },
    warnings: [
      ...warningsOf(scenario).map((warning) => `${warning.path.join('.')}: ${warning.message}`),
      ...(fits >= wanted
        ? []
        : [
            `${Math.round(wanted).toLocaleString('en-US')} rows would take the slowest candidate more than ${budget.loadSeconds / 60} minutes to load: all get ${Math.round(rows).toLocaleString('en-US')}`,
          ]),
      ...(asked.length === 0 || sizes.length > 0 || !budget.compares
        ? []
        : [
            `bench.sizes ${asked.join(', ')}: ${fitting.length} of them leave a core of this machine's ${cores} to the harness, ${minSizes} are needed: scale-up is assumed`,
          ]),
    ],
  }
  return { ...plan, phases: predict(plan, paces) }
}

/** The least power of two above the operations: a design in which every two of them vary independently. */
const workTrials = (operations: number) => 2 ** Math.floor(Math.log2(operations) + 1)

function predict(plan: Omit<TrialPlan, 'phases'>, paces: Pace[]): Phase[] {
  const { budget } = plan
  const total = (of: (pace: Pace) => number) => paces.reduce((sum, pace) => sum + of(pace), 0)
  // Side by side, two at a time get on.
  const together = (of: (pace: Pace) => number) => Math.max(total(of) / 2, 0, ...paces.map(of))
  // The reference searches its rows: answers cost more where more is loaded.
  const answering = Math.max(0.3, Math.min(3, plan.rows / 200_000))
  const trial = budget.openSeconds + warmUpOfTrial + 0.5
  const compared = budget.compares ? 1 : 0
  const rates = plan.multiples.length * (plan.partial && budget.common ? 2 : 1) + compared * (budget.curveRates + 1)
  const connections = budget.connectionSeconds === 0 ? 0 : budget.connections.length * (budget.connectionSeconds + warmUpOfTrial + 0.3)
  const loops = (budget.concurrencies.length + compared) * (budget.sweepSeconds + 1.2)
  const works = budget.workSeconds === 0 ? 0 : workTrials(plan.operations.length) * (budget.workSeconds + 0.4)
  const again = (pace: Pace) => (budget.starts - 1) * (pace.startSeconds + 1)
  const piece = (pace: Pace) => Math.max(1, pace.warmUpSeconds * plan.warmUpShare)
  const warming = (pace: Pace) =>
    pace.compilers !== undefined
      ? 0.8 * budget.compileSeconds + 0.5 * budget.warmUpSeconds
      : Math.min(budget.warmUpSeconds, 3 * pace.warmUpSeconds * plan.warmUpShare) + 0.5
  return [
    { name: 'calibrate', predictedSeconds: 2.5 },
    { name: 'start', predictedSeconds: total((pace) => pace.startSeconds) },
    { name: 'load', predictedSeconds: total((pace) => pace.loadSeconds + plan.rows / pace.loadRowsPerSecond) },
    { name: 'settle', predictedSeconds: together((pace) => pace.settleSeconds) },
    { name: 'verify', predictedSeconds: together((pace) => pace.verifySeconds * answering) },
    {
      name: 'measurement',
      predictedSeconds: total(
        (pace) => again(pace) + budget.starts * (warming(pace) + loops + (rates + compared * plan.multiples.length) * trial) + works + connections,
      ),
    },
    { name: 'narrowing', predictedSeconds: budget.narrowingTrials * total((pace) => piece(pace) + trial + 1) },
    { name: 'maintenance', predictedSeconds: budget.maintenance ? total((pace) => piece(pace) + trial + 1) : 0 },
    ...(budget.kills === 0
      ? []
      : [{ name: 'kills', predictedSeconds: budget.kills * total((pace) => pace.startSeconds + killedTrialSeconds + 0.3 * pace.verifySeconds) }]),
    { name: 'invariants', predictedSeconds: together((pace) => 0.3 + pace.verifySeconds * answering * 0.35) },
    ...(plan.sizes.length === 0
      ? []
      : [
          {
            name: 'sizes',
            predictedSeconds:
              plan.sizes.length *
              total(
                (pace) =>
                  pace.startSeconds +
                  pace.loadSeconds +
                  plan.rows / pace.loadRowsPerSecond +
                  pace.settleSeconds +
                  2 * pace.warmUpSeconds +
                  (budget.concurrencies.length + 1) * (budget.sweepSeconds + 0.8),
              ),
          },
        ]),
    { name: 'stop', predictedSeconds: 0.2 + Math.max(0, ...paces.map((pace) => pace.settleSeconds)) },
  ].map((phase) => ({ ...phase, predictedSeconds: Math.round(phase.predictedSeconds * 10) / 10 }))
}

const wholeOf = (scenario: Scenario) => sharesOf(scenario, Number.POSITIVE_INFINITY)
const bytesOf = ({ entities }: Scenario, shares: Shares) =>
  entities.reduce((sum, entity) => sum + entity.count * (shares[entity.name] as number) * rowBytes(entity), 0)

function planOperation(scenario: Scenario, operation: Operation, shares: Shares): OperationPlan {
  const touched = rowsTouched(scenario, operation, shares)
  const rowsProduction = rowsTouched(scenario, operation, wholeOf(scenario))
  return {
    name: operation.name,
    ratePerSecond: operation.ratePerSecond,
    rowsLoaded: touched,
    rowsProduction,
    scaleLimited: touched * 2 < rowsProduction,
    resolved: describe(scenario, operation, pickText(scenario, operation, shares)),
  }
}

/** Rows that one call reads or writes, on average, with these shares loaded. */
function rowsTouched(scenario: Scenario, operation: Operation, shares: Shares): number {
  const entity = entityOf(scenario, operation.entity)
  const rows = rowsLoaded(scenario, entity, shares)
  const lines = (names: string[]) =>
    names.reduce((sum, name) => sum + (ownedBy(scenario, operation.entity).find((owned) => owned.name === name)?.owner?.mean ?? 0), 0)
  const shareOf = (filters: Filter[]) => filters.reduce((product, filter) => product * filterShare(scenario, entity, filter, shares), 1)
  /** The row that was picked has its own values, however rare they are together; every other row has them by chance. */
  const selected = (where: Filter[]) => {
    const bound = where.filter(({ constant }) => constant === null)
    return shareOf(where.filter(({ constant }) => constant !== null)) * (bound.length === 0 ? rows : 1 + (rows - 1) * shareOf(bound))
  }
  switch (operation.kind) {
    case 'get':
      return round(1 + lines(operation.with))
    case 'list':
    case 'aggregate':
      return round(rowsRead(entity, operation, selected(operation.where)))
    case 'search': {
      const words = operation.in.reduce((sum, name) => {
        const { generator } = fieldOf(entity, name)
        return sum + (generator.kind === 'words' ? (generator.least + generator.most) / 2 : 0)
      }, 0)
      return round(Math.min(operation.limit, (rows * words) / searchedPool(shares[entity.name] as number)))
    }
    default:
      return round(writesOf(operation).reduce((sum, write) => sum + 1 + (write.kind === 'insert' ? lines(write.with) : 0), 0))
  }
}

const round = (value: number) => Math.round(value * 10) / 10

/** Share of the rows with one value, as a row-weighted pick sees it at the popular end. */
function filterShare(scenario: Scenario, entity: Entity, filter: Filter, shares: Shares): number {
  const field = fieldOf(entity, filter.field)
  const { generator } = field
  const valued = valuedShare(field)
  if (generator.kind === 'reference') return valued / rowsLoaded(scenario, entityOf(scenario, generator.entity), shares)
  if (generator.kind === 'number') return valued / domainOf(scenario, entity, field, shares[entity.name] as number)
  if (filter.constant !== null) return constantShare(field, filter.constant)
  return generator.kind === 'enum' ? valued / generator.values.length : generator.kind === 'bool' ? valued / 2 : 0
}

const orderText = (order: Order[]) => order.map(({ field, descending }) => `${descending ? '-' : ''}${field}`).join(', ')

function describe(scenario: Scenario, operation: Operation, by: string): string {
  switch (operation.kind) {
    case 'get':
      return `${operation.entity} by key${operation.with.length > 0 ? ` with ${operation.with.join(', ')}` : ''}, ${by}`
    case 'list':
      return `${operation.entity} where ${selectedBy(operation).join(', ') || 'nothing'}, order ${orderText(operation.order)}, limit ${operation.limit}, ${by}`
    case 'search':
      return `${operation.entity} with a word in ${operation.in.join(', ')}, limit ${operation.limit}`
    case 'aggregate':
      if (operation.before !== undefined)
        return `rows of ${operation.entity} ${selectedBy(operation).length === 0 ? '' : `of the same ${selectedBy(operation).join(', ')} `}before one in the order ${orderText(operation.before)}, ${by}`
      return `${operation.sum === null ? 'count' : `count and sum of ${operation.sum}`} of ${operation.entity}${operation.groupBy === null ? '' : ` by ${operation.groupBy.unit ?? ''} ${operation.groupBy.field}`}`
    case 'transaction':
      return operation.steps
        .map(
          (step) =>
            `${verbOf(scenario, step)} ${step.entity}${step.kind === 'update' && step.via !== null ? ` via ${step.via.owned}.${step.via.field}` : ''}`,
        )
        .join(', then ')
        .concat(by === '' ? '' : `; ${by}`)
    default:
      return `${verbOf(scenario, operation)} ${operation.entity}, ${by}`
  }
}

export function effortOf(bench: Bench, asked: string | undefined): Effort {
  return (asked as Effort | undefined) ?? bench.effort
}
