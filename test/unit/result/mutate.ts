/** Damages a result the way that hands, disks and attackers do: one value at a time, everywhere, by a seed. */
type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export interface Mutation {
  place: string
  value: string
  json: string
}

/** Raw JSON, because a document may hold what no value of this language serialises to. */
const replacements = [
  'null',
  'true',
  '-1',
  '0',
  '1e999',
  '-1e999',
  '1e308',
  '""',
  '"x"',
  '"../../x"',
  '"constructor"',
  '"__proto__"',
  '[]',
  '{}',
  '[null]',
  '{"a":1}',
]
const mark = 'the value that is replaced'

/** `count` documents, each with one value replaced, removed or doubled. */
export function* mutationsOf(document: Json, count: number, random: () => number, weight: (place: string[]) => number = () => 1): Iterable<Mutation> {
  const places = [...placesOf(document, [])].flatMap((place) => Array.from({ length: weight(place) }, () => place))
  for (let each = 0; each < count; each++) {
    const place = places[Math.floor(random() * places.length)] as string[]
    const value = replacements[Math.floor(random() * (replacements.length + 1))] ?? 'removed'
    const copy = structuredClone(document)
    const parent = place.slice(0, -1).reduce((at: Json, name) => (at as Record<string, Json>)[name] as Json, copy) as Record<string, Json>
    const name = place.at(-1) as string
    if (value === 'removed') delete parent[name]
    else parent[name] = mark
    yield { place: place.join('.'), value, json: JSON.stringify(copy).replace(JSON.stringify(mark), value) }
  }
}

function* placesOf(value: Json, at: string[]): Iterable<string[]> {
  if (at.length > 0) yield at
  if (typeof value === 'object' && value !== null) for (const [name, each] of Object.entries(value)) yield* placesOf(each, [...at, name])
}
