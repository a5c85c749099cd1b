/**
 * Code to be timed: straight-line integer arithmetic and branches, more of it than a core's first-level caches hold. A host that shares the core
 * with somebody else takes away what such code lives on, the caches and the decoder, and a database server lives on the same.
 */
import { keyOf, Source } from '../data/random.ts'

const statements = 4000
const locals = 6
const i32 = 0x7f
const op = { if: 0x04, end: 0x0b, empty: 0x40, get: 0x20, set: 0x21, constant: 0x41, add: 0x6a, multiply: 0x6c, and: 0x71, xor: 0x73, shift: 0x76 }
const section = { type: 1, function: 3, export: 7, code: 10 }

/** A function of some 100 kB: a call takes about 10 µs, and always does the same. */
export function codeToTime(): (start: number) => number {
  const module = new WebAssembly.Module(moduleOf(bodyOf(new Source().restart(keyOf(1, 'code to time'), 1))))
  return new WebAssembly.Instance(module).exports.run as (start: number) => number
}

/** `a += b ^ k; b = b × k + c; c ^= a >> k; if (c & 2ⁿ) d += k`, over and over, with other constants and locals. */
function bodyOf(source: Source): number[] {
  const get = (local: number) => [op.get, local % locals]
  const set = (local: number) => [op.set, local % locals]
  const constant = (value: number) => [op.constant, ...signed(value)]
  const body: number[] = []
  for (let at = 0; at < statements; at++) {
    const [a, b, c, d] = [at, at + 1, at + 2, at + 3]
    body.push(...get(a), ...get(b), ...constant(source.below(2 ** 30)), op.xor, op.add, ...set(a))
    body.push(...get(b), ...constant(2 * source.below(2 ** 20) + 3), op.multiply, ...get(c), op.add, ...set(b))
    body.push(...get(c), ...get(a), ...constant(1 + source.below(20)), op.shift, op.xor, ...set(c))
    body.push(...get(c), ...constant(2 ** source.below(20)), op.and, op.if, op.empty)
    body.push(...get(d), ...constant(source.below(2 ** 28)), op.add, ...set(d), op.end)
  }
  return [...body, ...get(0), ...get(1), op.xor]
}

/** One function from an i32 to an i32, exported as `run` (WebAssembly core specification 1.0, § 5). */
function moduleOf(body: number[]): Uint8Array<ArrayBuffer> {
  const part = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content]
  const code = [1, locals - 1, i32, ...body, op.end]
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...part(section.type, [1, 0x60, 1, i32, 1, i32]),
    ...part(section.function, [1, 0]),
    ...part(section.export, [1, 3, ...Buffer.from('run'), 0, 0]),
    ...part(section.code, [1, ...unsigned(code.length), ...code]),
  ])
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}
function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >> 7)]
}
