/** The key of a call that is not over when the next one is drawn: it is copied, without an object for it, until the store is asked. Keys are of type uuid or int. */
import type { LineSource, WireSource } from '../data/parameters.ts'
import type { Value } from '../data/value.ts'
import type { Field } from '../scenario/scenario.ts'

const uuidBytes = 16
/** More fields than a key has. */
const maxFields = 20

export class HeldKey implements WireSource {
  #fields: Field[] = []
  readonly #numbers = new Float64Array(maxFields)
  readonly #bytes = Buffer.alloc(maxFields * uuidBytes)

  /** Of parameters that are nothing but the key. */
  hold({ fields, at }: { fields: Field[]; at: number[] }, params: WireSource): void {
    this.#fields = fields
    for (let part = 0; part < at.length; part++) {
      const position = at[part] as number
      if ((fields[part] as Field).type === 'uuid') params.write(position, this.#bytes, position * uuidBytes)
      else this.#numbers[position] = params.number(position)
    }
  }

  next(): void {}

  isNull(): boolean {
    return false
  }

  number(at: number): number {
    return this.#numbers[at] as number
  }

  write(at: number, to: Buffer, offset: number): number {
    return offset + this.#bytes.copy(to, offset, at * uuidBytes, (at + 1) * uuidBytes)
  }

  maxBytes(): number {
    return uuidBytes
  }

  lines(): LineSource {
    throw new Error('a key has no lines')
  }

  value(at: number): Value {
    if ((this.#fields[at] as Field).type !== 'uuid') return this.#numbers[at] as number
    return Buffer.from(this.#bytes.subarray(at * uuidBytes, (at + 1) * uuidBytes))
  }

  values(): Value[] {
    return this.#fields.map((_, at) => this.value(at))
  }
}
