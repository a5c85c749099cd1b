/** Draws the parameters of operations: a call draws rows, and every value of it is computed where it is asked for, without an object between. */
import { ageBoundMs, type Operation, type Step, stepsOf, type Update, type Write } from '../scenario/scenario.ts'
import { type AlongOrder, alongOrderOf, type PrefixWriter, prefixOf } from './asked-ranges.ts'
import { type Dataset, type EntityData, generatorOf, rowPicker } from './dataset.ts'
import { type Ranker, zipfian } from './distributions.ts'
import { DrawnLines, DrawnTargets } from './drawn-lines.ts'
import { alwaysValued, blockSize, constantGenerator, type FieldGenerator, firstMissingRow, generatedValue, linesPerOwner } from './fields.ts'
import { Newcomers, placeInBlock } from './newcomers.ts'
import { type LineSource, type Parameter, parametersOf, type WireSource } from './parameters.ts'
import { PickedTiers } from './picked-tiers.ts'
import { hash32, keyOf, Source } from './random.ts'
import { type LaterReference, referenceOf, rowOfAnother } from './referred.ts'
import type { Value } from './value.ts'
import { poolSize, words } from './words.ts'

/** What was drawn last, for judging answers later. */
export interface Drawn {
  row: number
  nowMs: number
}

/** For write logs: the row that a step is about (of `via`: the row that its new values are drawn for), and the version of what it writes. */
export interface DrawnStep {
  readonly row: number
  readonly version: number
  /** Whether the row was drawn by a law: not made, nor that of another step. */
  readonly isPicked: boolean
}

/** One write of a transaction, or the whole of another operation: the row it is about, and the version of what it writes. */
interface StepDraw {
  operation: Operation | Step
  data: EntityData
  pick: Ranker
  /** Of `latest` where new rows are drawn: ranks over the rows in production. */
  rank: Ranker
  /** Of its entity. */
  newcomers: Newcomers
  /** Which of the steps that make rows of this entity it is; −1: it makes none. */
  maker: number
  /** Which of the steps that write new values it is; −1: it writes none. */
  writer: number
  /** The reference, in the row that a later step makes, to the row that it is about; null: it is about none. */
  of: LaterReference | null
  /** Of a put: by a hash of the ordinal with this key its row is a new one. */
  newKey: number
  row: number
  version: number
  isPicked: boolean
  /** When the row was made; of a row that was not made in this trial it has no meaning. */
  bornMs: number
}

/** Where the value of one parameter comes from. */
type Cell =
  | { from: 'field'; generator: FieldGenerator; step: StepDraw; versioned: boolean }
  | { from: 'now' | 'windowStart' | 'deep' }
  /** Known only when the operation has read it. */
  | { from: 'read' }
  | { from: 'tenant'; generator: FieldGenerator; step: StepDraw }
  | { from: 'word' }
  | { from: 'prefix'; text: PrefixWriter; step: StepDraw }
  | { from: 'lines'; lines: DrawnLines }
  | { from: 'targets'; targets: DrawnTargets }

interface Plan {
  operation: Operation
  /** Ordinals given out. */
  scheduled: number
  key: number
  steps: StepDraw[]
  cells: Cell[]
  windowMs: number
  alongOrder: AlongOrder
  deep: boolean
  word: Buffer
}

/**
 * Draws parameters for one trial. They are a pure function of the dataset, the stream, the operation, the ordinal of its intended start, and
 * the moment of that: whoever draws, in whatever order, and whatever the server answered, equal starts have equal values.
 * `latest` ranks by scheduled insert, over the rows of this trial that were scheduled at least one age bound before, then the loaded ones:
 * by then each was sent or given up. A row whose insert failed reads as a miss.
 * `block` numbers the disjoint range of row numbers and versions that this trial may use up.
 */
export class DrawnParameters implements WireSource {
  readonly drawn: Drawn = { row: 0, nowMs: 0 }
  readonly tiers: PickedTiers
  /** Overrides for the verification: force a miss, a deep page, another tenant than the row's. */
  force: { miss?: boolean; deep?: boolean; foreign?: boolean } = {}
  readonly #dataset: Dataset
  readonly #stream: string
  readonly #startMs: number
  readonly #firstVersion: number
  /** Steps that write new values: each write has a version of its own. */
  #writers = 0
  readonly #plans: Plan[]
  readonly #newcomers = new Map<string, Newcomers>()
  readonly #source = new Source()
  #plan: Plan
  #ordinal = 0
  /** Calls that were drawn: what is known of one is not of the next. */
  #draws = 0
  /** Moment of the start that is drawn, in ms of the trial. */
  #atMs = 0

  /** `startMs`: replay time when the trial starts. `picks`: names other draws over the same new rows. */
  constructor(dataset: Dataset, operations: Operation[], stream: string, block: number, startMs: number, picks = stream) {
    this.#dataset = dataset
    this.tiers = new PickedTiers(dataset, operations)
    this.#stream = stream
    this.#startMs = startMs
    this.#firstVersion = block * blockSize + 1
    const all = operations.flatMap(stepsOf)
    for (const [name, data] of dataset.entities) {
      const areDrawn = all.some(({ entity, pick }) => entity === name && pick.skew.kind === 'latest')
      this.#newcomers.set(name, new Newcomers(name, data.rows + block * blockSize, areDrawn))
    }
    this.#plans = operations.map((operation) => this.#planOf(operation, picks))
    this.#plan = this.#plans[0] as Plan
  }

  /**
   * The next intended start of an operation, `atMs` after the start of the trial; its ordinal. Starts are scheduled in the order of their
   * moments, also those that somebody else sends or that nobody does: rows are new by schedule.
   */
  schedule(operation: number, atMs: number): number {
    const { steps, scheduled } = this.#plans[operation] as Plan
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at] as StepDraw
      if (step.newcomers.areDrawn && step.maker >= 0 && isNew(step, scheduled)) step.newcomers.push(step.newcomers.row(step.maker, scheduled), atMs)
    }
    return this.#next(operation)
  }

  /** Draws the parameters of a start that was scheduled. */
  draw(operation: number, ordinal: number, atMs: number): void {
    const plan = this.#plans[operation] as Plan
    this.#plan = plan
    this.#draws++
    this.#ordinal = ordinal
    this.#atMs = atMs
    this.drawn.row = 0
    this.drawn.nowMs = Math.floor(this.#startMs + atMs)
    this.#source.restartAt(plan.key, ordinal)
    for (let at = 0; at < plan.steps.length; at++) this.#draw(plan, plan.steps[at] as StepDraw)
  }

  /** The first moment at which an operation may draw a row that this trial made; Infinity: it never does. */
  drawsNewRowsFromMs(operation: number): number {
    const { steps } = this.#plans[operation] as Plan
    return Math.min(...steps.map(({ operation: { pick }, newcomers }) => (pick.skew.kind === 'latest' ? newcomers.fromMs : Number.POSITIVE_INFINITY)))
  }

  /** Draws one operation after the other, where nothing is scheduled: only loaded rows, at the start of the trial. */
  next(operation: number): void {
    this.draw(operation, this.#next(operation), 0)
  }

  /** The writes of the operation that was drawn last; of a read the read itself. */
  get steps(): readonly DrawnStep[] {
    return this.#plan.steps
  }

  isNull(at: number): boolean {
    const cell = this.#plan.cells[at] as Cell
    return cell.from === 'field' && cell.generator.isNull?.(cell.step.row, cell.versioned ? cell.step.version : 0) === true
  }

  number(at: number): number {
    const cell = this.#plan.cells[at] as Cell
    switch (cell.from) {
      case 'field':
        return cell.generator.number(cell.step.row, cell.versioned ? cell.step.version : 0, cell.versioned ? this.drawn.nowMs : cell.step.bornMs)
      case 'tenant':
        return cell.generator.number(this.#tenantsRow(cell), 0, cell.step.bornMs)
      case 'now':
        return this.drawn.nowMs
      case 'windowStart':
        return this.drawn.nowMs - this.#plan.windowMs
      case 'deep':
        return this.#plan.deep ? 1 : 0
      case 'read':
        return 0
      default:
        throw new Error(`parameter ${at} is no number`)
    }
  }

  write(at: number, to: Buffer, offset: number): number {
    const cell = this.#plan.cells[at] as Cell
    if (cell.from === 'field') {
      const { step, versioned } = cell
      return offset + cell.generator.write(step.row, versioned ? step.version : 0, versioned ? this.drawn.nowMs : step.bornMs, to, offset)
    }
    if (cell.from === 'tenant') return offset + cell.generator.write(this.#tenantsRow(cell), 0, cell.step.bornMs, to, offset)
    if (cell.from === 'word') return offset + this.#plan.word.copy(to, offset)
    if (cell.from === 'prefix') return offset + cell.text.write(cell.step.row, cell.step.bornMs, to, offset)
    throw new Error(`parameter ${at} is not bytes`)
  }

  maxBytes(at: number): number {
    const cell = this.#plan.cells[at] as Cell
    return 'generator' in cell ? cell.generator.maxBytes : cell.from === 'prefix' ? cell.text.maxBytes : this.#plan.word.length
  }

  lines(at: number): LineSource {
    const cell = this.#plan.cells[at] as Cell
    if (cell.from !== 'lines') throw new Error(`parameter ${at} has no lines`)
    return cell.lines
  }

  value(at: number): Value {
    const cell = this.#plan.cells[at] as Cell
    switch (cell.from) {
      case 'field': {
        const { generator, step, versioned } = cell
        return generatedValue(generator, step.row, versioned ? step.version : 0, versioned ? this.drawn.nowMs : step.bornMs)
      }
      case 'tenant':
        return generatedValue(cell.generator, this.#tenantsRow(cell), 0, cell.step.bornMs)
      case 'word':
        return this.#plan.word.toString('latin1')
      case 'prefix':
        return cell.text.value(cell.step.row, cell.step.bornMs)
      case 'deep':
        return this.#plan.deep
      case 'read':
        return null
      case 'lines':
        return cell.lines.values()
      case 'targets':
        return cell.targets.values(this.#draws)
      default:
        return this.number(at)
    }
  }

  values(): Value[] {
    return this.#plan.cells.map((_, at) => this.value(at))
  }

  #data(entity: string): EntityData {
    return this.#dataset.entities.get(entity) as EntityData
  }

  #next(operation: number): number {
    return (this.#plans[operation] as Plan).scheduled++
  }

  #planOf(operation: Operation, picks: string): Plan {
    const { seed } = this.#dataset.scenario
    const steps = stepsOf(operation).map((write, at): StepDraw => {
      const data = this.#data(write.entity)
      const { skew } = write.pick
      const newcomers = this.#newcomers.get(write.entity) as Newcomers
      return {
        operation: write,
        data,
        pick: rowPicker(this.#dataset, write.entity, skew),
        rank: skew.kind === 'latest' ? zipfian(data.inProduction, skew.theta) : () => 0,
        newcomers,
        maker: makesRows(write) ? newcomers.addMaker(ageBoundMs(operation)) : -1,
        writer: writesValues(write) ? this.#writers++ : -1,
        of: referenceOf(this.#dataset, operation, write),
        newKey: keyOf(seed, `${this.#stream} ${operation.name} ${at} new`),
        row: 0,
        version: 0,
        isPicked: false,
        bornMs: 0,
      }
    })
    const inserted = new Map<string, DrawnLines>()
    for (const step of steps)
      if (step.operation.kind === 'insert')
        for (const name of step.operation.with) inserted.set(name, new DrawnLines(this.#data(name), step, this.drawn))
    return {
      operation,
      scheduled: 0,
      key: keyOf(seed, `${picks} ${operation.name}`),
      steps,
      cells: parametersOf(this.#dataset.scenario, operation).map((parameter) => cellOf(operation, parameter, steps, inserted)),
      windowMs: operation.kind === 'aggregate' || operation.kind === 'list' ? (operation.over?.ms ?? 0) : 0,
      alongOrder: alongOrderOf(operation, this.#data(operation.entity)),
      deep: false,
      word: Buffer.alloc(0),
    }
  }

  #draw(plan: Plan, step: StepDraw): void {
    const { operation } = step
    const source = this.#source
    step.version = step.writer < 0 ? 0 : this.#firstVersion + placeInBlock(this.#ordinal, this.#writers, step.writer, 'versions')
    step.bornMs = this.drawn.nowMs
    step.isPicked = false
    switch (operation.kind) {
      case 'insert':
        this.#newRow(step)
        break
      case 'put':
        if (this.force.miss === undefined ? isNew(step, this.#ordinal) : this.force.miss) this.#newRow(step)
        else this.#pick(step, source, false)
        break
      case 'update':
        if (step.of !== null) {
          const { newcomers, maker } = plan.steps[step.of.step] as StepDraw
          this.drawn.row = step.of.refers(newcomers.row(maker, this.#ordinal), 0)
        } else if (operation.via === null) this.#pick(step, source, true)
        break
      case 'aggregate':
        if (operation.where.some(isBound) || operation.prefixes !== undefined || operation.before !== undefined) this.#pick(step, source, true)
        break
      case 'list':
        this.#pick(step, source, true)
        plan.deep = source.next() < operation.deepShare
        plan.deep = (this.force.deep ?? plan.deep) && plan.alongOrder.has(this.drawn.row, step.bornMs, this.drawn.nowMs)
        break
      case 'search':
        this.#pick(step, source, true)
        plan.word = this.#word(step, operation.in, source)
        break
      default:
        this.#pick(step, source, true)
    }
    step.row = this.drawn.row
  }

  #newRow(step: StepDraw): void {
    this.drawn.row = step.newcomers.row(step.maker, this.#ordinal)
  }

  /** A row number of the step's entity; of an owned entity owner × 4096 + line. */
  #pick(step: StepDraw, source: Source, mayMiss: boolean): void {
    const { operation, data, newcomers } = step
    const { miss, skew } = operation.pick
    const missed = mayMiss && ((miss > 0 && source.next() < miss) || this.force.miss === true) && this.force.miss !== false
    const there = newcomers.areDrawn && skew.kind === 'latest' ? newcomers.countAt(this.#atMs) : 0
    let row: number
    if (missed) row = firstMissingRow + source.below(2 ** 20)
    else if (there === 0) row = step.pick(source)
    else {
      const behind = step.rank(source)
      if (behind < there) {
        row = newcomers.rowAt(there - 1 - behind)
        step.bornMs = Math.floor(this.#startMs + newcomers.msAt(there - 1 - behind))
      } else row = data.rows - 1 - ((behind - there) % data.rows)
    }
    if (data.entity.owner !== null) row = row * linesPerOwner + (missed ? 1 : 1 + source.below(Math.max(1, data.linesOf(row))))
    this.drawn.row = row
    step.isPicked = true
  }

  /** The row whose tenant asks: the one that is asked for, or one of another tenant. */
  #tenantsRow({ generator, step }: Extract<Cell, { from: 'tenant' }>): number {
    return this.force.foreign === true ? rowOfAnother(generator, step.row, step.data) : step.row
  }

  #word({ data, bornMs }: StepDraw, fields: string[], source: Source): Buffer {
    const { row } = this.drawn
    if (row >= firstMissingRow) return Buffer.from(words()[poolSize + (row % 100)] as string)
    const texts = fields
      .map((name) => generatedValue(generatorOf(data, name), row, 0, bornMs))
      .join(' ')
      .split(' ')
    return Buffer.from(texts[source.below(texts.length)] as string)
  }
}

const makesRows = (operation: Operation | Step) => operation.kind === 'insert' || operation.kind === 'put'
const writesValues = (operation: Operation | Step) => operation.kind === 'put' || (operation.kind === 'update' && operation.set.some(isAny))

/** Whether a step that makes rows makes one at this ordinal: not a matter of what is drawn, so that it is known when the start is scheduled. */
function isNew({ operation, newKey }: StepDraw, ordinal: number): boolean {
  return operation.kind === 'insert' || (operation.kind === 'put' && hash32(newKey, ordinal, 0) >= operation.existingShare * 2 ** 32)
}

const isAny = (assignment: Update['set'][number]) => assignment.to === 'any'
const isBound = (filter: { constant: unknown }) => filter.constant === null

/** The name of a parameter says what it is: see `parametersOf`. */
function cellOf(operation: Operation, parameter: Parameter, steps: StepDraw[], inserted: Map<string, DrawnLines>): Cell {
  const [first = '', ...others] = parameter.name.split('.')
  const [at, role, name] = operation.kind === 'transaction' ? [Number(first), others[0], others[1]] : [0, first, others[0]]
  const step = steps[at] as StepDraw
  const write = step.operation as Write
  switch (parameter.shape) {
    case 'now':
    case 'deep':
      return { from: parameter.shape }
    case 'lines':
      return { from: 'lines', lines: inserted.get(name as string) as DrawnLines }
    case 'targets': {
      const update = write as Update
      return { from: 'targets', targets: new DrawnTargets(update, inserted.get(update.via?.owned as string) as DrawnLines) }
    }
  }
  if (role === 'word') return { from: 'word' }
  if (role === 'read') return { from: 'read' }
  if (role === 'from') return { from: 'windowStart' }
  if (role === 'to') return { from: 'now' }
  if (role === 'set' && write.kind === 'update' && write.set.find((each) => each.field === name)?.to === 'now') return { from: 'now' }
  const drawn = generatorOf(step.data, name as string)
  if (role === 'prefix' || role === 'below') return { from: 'prefix', text: prefixOf(operation, alwaysValued(drawn), role), step }
  if (role === 'tenant') return { from: 'tenant', generator: drawn, step }
  const beginning = role === 'row' && write.kind === 'insert' ? write.set?.find(({ field }) => field === name) : undefined
  // What rows are compared with is a value, also where the picked row has none.
  const own = role === 'where' || role === 'after' ? alwaysValued(drawn) : drawn
  const generator = beginning === undefined ? own : constantGenerator(drawn.field, beginning.constant)
  return { from: 'field', generator, step, versioned: role === 'row' || role === 'set' }
}
