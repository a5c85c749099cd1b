/** What is drawn with a row that an insert is about: the rows that it owns, and those that they refer to. */
import { lineFields, type Update } from '../scenario/scenario.ts'
import type { EntityData } from './dataset.ts'
import { type FieldGenerator, generatedValue, linesPerOwner } from './fields.ts'
import type { LineSource } from './parameters.ts'
import { compareValues, type Value } from './value.ts'

/** The owned rows of the row that an insert is about. */
export class DrawnLines implements LineSource {
  readonly owned: EntityData
  /** Its row is the owner. */
  readonly step: { readonly row: number }
  readonly generators: FieldGenerator[]
  readonly #drawn: { readonly nowMs: number }

  constructor(owned: EntityData, step: { readonly row: number }, drawn: { readonly nowMs: number }) {
    this.owned = owned
    this.step = step
    this.generators = lineFields(owned.entity).map((field) => owned.generators[owned.entity.fields.indexOf(field)] as FieldGenerator)
    this.#drawn = drawn
  }

  get count(): number {
    return this.owned.linesOf(this.step.row)
  }

  isNull(line: number, column: number): boolean {
    return this.#generator(column).isNull?.(this.#row(line), 0) === true
  }

  number(line: number, column: number): number {
    return this.#generator(column).number(this.#row(line), 0, this.#drawn.nowMs)
  }

  write(line: number, column: number, to: Buffer, offset: number): number {
    return offset + this.#generator(column).write(this.#row(line), 0, this.#drawn.nowMs, to, offset)
  }

  maxBytes(column: number): number {
    return this.#generator(column).maxBytes
  }

  value(line: number, column: number): Value {
    return generatedValue(this.#generator(column), this.#row(line), 0, this.#drawn.nowMs)
  }

  values(): Value[][] {
    return Array.from({ length: this.count }, (_, line) => this.generators.map((_each, column) => this.value(line, column)))
  }

  #row(line: number): number {
    return this.step.row * linesPerOwner + line + 1
  }

  #generator(column: number): FieldGenerator {
    return this.generators[column] as FieldGenerator
  }
}

/** The rows that they refer to: a client asks for them to write them, to know whether there are any, and how many a guard must hold of. */
export class DrawnTargets {
  readonly #update: Update
  readonly #lines: DrawnLines
  #draw = -1
  #values: Value[][] = []

  constructor(update: Update, lines: DrawnLines) {
    this.#update = update
    this.#lines = lines
  }

  /** `draw`: the call that they are asked for; the same ones until it is another. */
  values(draw: number): Value[][] {
    if (draw !== this.#draw) this.#values = targetsOf(this.#update, this.#lines)
    this.#draw = draw
    return this.#values
  }
}

/** [key, amount…] of every row that the lines refer to, and what a guard compares: summed per target, in key order. */
function targetsOf({ via, add, guard }: Update, lines: DrawnLines): Value[][] {
  const summed = guard?.from === undefined ? add : [...add, { amount: Number(guard.constant), from: guard.from }]
  const column = (field: string) => lines.generators.findIndex((each) => each.field.name === field)
  const reference = column(via?.field as string)
  const sums = new Map<string, Value[]>()
  for (let line = 0; line < lines.count; line++) {
    const key = lines.value(line, reference)
    const name = key instanceof Uint8Array ? Buffer.from(key).toString('hex') : String(key)
    const sum = sums.get(name) ?? [key, ...summed.map((): Value => 0)]
    summed.forEach((each, index) => {
      sum[index + 1] = Number(sum[index + 1]) + each.amount * (each.from === null ? 1 : Number(lines.value(line, column(each.from))))
    })
    sums.set(name, sum)
  }
  return [...sums.values()].sort((a, b) => compareValues(a[0] as Value, b[0] as Value))
}
