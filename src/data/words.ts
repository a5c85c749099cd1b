/** The pool of lower-case ASCII words that texts are made of, the same for every seed. */
import { avalanche } from './random.ts'

export const poolSize = 20_000
/** Words beyond the pool: no row contains them, searches that must find nothing ask for them. */
export const reservedWords = 100

const onsets = [
  'b',
  'br',
  'c',
  'cl',
  'd',
  'dr',
  'f',
  'fl',
  'g',
  'gr',
  'h',
  'j',
  'k',
  'l',
  'm',
  'n',
  'p',
  'pl',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
  'w',
  'z',
]
const nuclei = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'oo']
const codas = ['', '', 'l', 'm', 'n', 'r', 's', 't', 'nd', 'rk']

let pool: string[] | undefined

/** 20,000 words and 100 reserved ones, made once. */
export function words(): string[] {
  if (pool !== undefined) return pool
  const made = new Set<string>()
  for (let i = 0; made.size < poolSize + reservedWords; i++) {
    const h = avalanche(i + 1)
    const syllable = (bits: number) => onsets[bits % 26]! + nuclei[(bits >>> 5) % 8]! + codas[(bits >>> 8) % 10]!
    made.add(syllable(h & 0xffff) + syllable(h >>> 16))
  }
  pool = [...made]
  return pool
}

/** How often two words of the pool begin with the same characters: one that is shorter is told apart by what follows it. */
export function prefixShareOfWords(characters: number): number {
  const known = prefixShares.get(characters)
  if (known !== undefined) return known
  const counts = new Map<string, number>()
  for (const word of words().slice(0, poolSize)) {
    const start = word.slice(0, characters)
    counts.set(start, (counts.get(start) ?? 0) + 1)
  }
  const share = [...counts.values()].reduce((sum, count) => sum + (count / poolSize) ** 2, 0)
  prefixShares.set(characters, share)
  return share
}
const prefixShares = new Map<number, number>()

/** The pool of a searched field shrinks with the loaded share, so that a word matches as many rows as in production. */
export function searchedPool(share: number): number {
  return Math.max(8, Math.min(poolSize, Math.round(poolSize * share)))
}
