/** Ranks of what passed the hard constraints: weighted sum, TOPSIS beside it, and how stable that is under other weights and luck. */
import { keyOf, Source } from '../../data/random.ts'

/** One candidate's utilities by criterion: a column of draws each, draw 0 in the middle of everything. */
export interface Contender {
  name: string
  utilities: Map<string, Float64Array>
  /** By criterion that hangs on a measured number: by how much its utility may differ between two equals. */
  blur: Map<string, Blur>
}
export interface Blur {
  /** Utilities that hang on one number are wrong together. */
  number: string
  utility: number
}
export interface Standing {
  name: string
  /** Shared by those whom nothing tells apart. */
  rank: number
  /** 0 to 1. */
  score: number
  /** Closeness to the ideal, 0 to 1; its ideals are the ends of the scales, not the best and worst of those present. */
  topsis: number
  /** Probability of each rank, the first first; none where there is nobody to be ranked with. */
  rankShares: number[]
}
export interface Ranking {
  standings: Standing[]
  /** P(first beats second) of every pair, in the order of the standings; `withinResolution`: their scores differ by no more than those of two equals may on this machine. */
  beats: { first: string; second: string; probability: number; withinResolution: boolean }[]
  /** null: nobody is ranked, or the first two are a tie. */
  winner: string | null
  tie: string[]
  /** The two methods put another one first, and not one of those who share the first rank. */
  disagreement: string | null
  /** The least change of one weight, the others keeping their proportions, that puts another one first. */
  smallestChange: { criterion: string; from: number; to: number; winner: string } | null
}

const sure = 0.9
/** Concentration of the weights' Dirichlet for each weight but one: each of equal weights varies by about half of itself. */
const concentrationOfEach = 4

export function rank(contenders: Contender[], weights: Map<string, number>, seed: number): Ranking {
  const names = [...weights.keys()]
  const total = [...weights.values()].reduce((sum, each) => sum + each, 0)
  const mids = [...weights.values()].map((each) => each / total)
  const middleOf = ({ utilities }: Contender) =>
    names.reduce((sum, name, at) => sum + (mids[at] as number) * ((utilities.get(name) as Float64Array)[0] as number), 0)
  const order = [...contenders].sort((a, b) => middleOf(b) - middleOf(a) || (a.name < b.name ? -1 : 1))
  const draws = contenders[0]?.utilities.get(names[0] as string)?.length ?? 0
  const { ranks, wins } = contestsOf(order, names, mids, draws, seed)
  const beats = order.flatMap((first, a) =>
    order.slice(a + 1).map((second, offset) => ({
      first: first.name,
      second: second.name,
      probability: ((wins[a] as number[])[a + 1 + offset] as number) / Math.max(1, draws),
      withinResolution: middleOf(first) - middleOf(second) <= blurOf(first, second, names, mids),
    })),
  )
  const places = placesOf(
    order.map(({ name }) => name),
    beats,
  )
  const standings = order.map((contender, who) => ({
    name: contender.name,
    rank: places[who] as number,
    score: middleOf(contender),
    topsis: closeness(
      names.map((name) => (contender.utilities.get(name) as Float64Array)[0] as number),
      mids,
    ),
    rankShares: order.length === 1 ? [] : (ranks[who] as number[]).map((count) => count / Math.max(1, draws)),
  }))
  return { standings, beats, ...winnerOf(standings), smallestChange: smallestChange(order, names, mids) }
}

/** In how many draws of the weights and of everything else each had which rank, and each beat which other. */
function contestsOf(order: readonly Contender[], names: readonly string[], mids: readonly number[], draws: number, seed: number) {
  const n = order.length
  const ranks = order.map(() => new Array<number>(n).fill(0))
  const wins = order.map(() => new Array<number>(n).fill(0))
  const weightsDrawn = new Array<number>(names.length).fill(0)
  const source = new Source().restart(keyOf(seed, 'weights'), 1)
  const columns = order.map(({ utilities }) => names.map((name) => utilities.get(name) as Float64Array))
  const scores = new Float64Array(n)
  for (let draw = 0; n > 1 && draw < draws; draw++) {
    dirichlet(mids, source, weightsDrawn)
    for (let who = 0; who < n; who++) {
      let score = 0
      const own = columns[who] as Float64Array[]
      for (let at = 0; at < names.length; at++) score += (weightsDrawn[at] as number) * ((own[at] as Float64Array)[draw] as number)
      scores[who] = score
    }
    countContest(scores, ranks, wins)
  }
  return { ranks, wins }
}

/** Of one draw; who stands first in the order wins a tie. */
function countContest(scores: Float64Array, ranks: number[][], wins: number[][]): void {
  const n = scores.length
  for (let who = 0; who < n; who++) {
    let better = 0
    for (let other = 0; other < n; other++) {
      if (other === who) continue
      const ahead = (scores[who] as number) - (scores[other] as number)
      const row = wins[who] as number[]
      if (ahead > 0 || (ahead === 0 && who < other)) row[other] = (row[other] as number) + 1
      else better++
    }
    const own = ranks[who] as number[]
    own[better] = (own[better] as number) + 1
  }
}

function winnerOf(standings: readonly Standing[]): Pick<Ranking, 'winner' | 'tie' | 'disagreement'> {
  const [first] = standings
  const sharing = standings.filter(({ rank: place }) => place === 1).map(({ name }) => name)
  const isTie = sharing.length > 1
  const byTopsis = [...standings].sort((a, b) => b.topsis - a.topsis)[0]
  return {
    winner: first === undefined || isTie ? null : first.name,
    tie: isTie ? sharing : [],
    disagreement:
      byTopsis !== undefined && first !== undefined && byTopsis.rank > 1
        ? `TOPSIS puts ${byTopsis.name} first, the weighted sum ${first.name}`
        : null,
  }
}

/** Who is not surely behind the first of a rank shares it, and so do all between the two: their scores are no further apart. */
function placesOf(names: readonly string[], beats: Ranking['beats']): number[] {
  const places: number[] = []
  for (let from = 0; from < names.length; ) {
    const open = beats.filter(({ first, probability, withinResolution }) => first === names[from] && (probability < sure || withinResolution))
    const last = Math.max(from, ...open.map(({ second }) => names.indexOf(second)))
    for (let at = from; at <= last; at++) places.push(from + 1)
    from = last + 1
  }
  return places
}

/** By how much the scores of two equals may differ: utilities that hang on one number are wrong together, different numbers independently. */
function blurOf(a: Contender, b: Contender, names: readonly string[], weights: readonly number[]): number {
  const byNumber = new Map<string, number>()
  for (const [at, name] of names.entries()) {
    const blurs = [a.blur.get(name), b.blur.get(name)].filter((each) => each !== undefined)
    const most = blurs.reduce<Blur | undefined>((x, y) => (x === undefined || y.utility > x.utility ? y : x), undefined)
    if (most !== undefined) byNumber.set(most.number, (byNumber.get(most.number) ?? 0) + (weights[at] as number) * most.utility)
  }
  return Math.hypot(...byNumber.values())
}

/** Hwang and Yoon, "Multiple Attribute Decision Making", 1981, with the ends of the scales as ideals: removing a rival changes nothing. */
function closeness(utilities: number[], weights: number[]): number {
  const distance = (from: number) => Math.sqrt(utilities.reduce((sum, utility, at) => sum + ((weights[at] as number) * (utility - from)) ** 2, 0))
  const [toBest, toWorst] = [distance(1), distance(0)]
  return toBest + toWorst === 0 ? 0 : toWorst / (toBest + toWorst)
}

/** Nothing tells where a candidate stands: anywhere on the scale, and of nothing else's doing. */
export function unknownUtility(seed: number, candidate: string, criterion: string, draws: number): Float64Array {
  const source = new Source().restart(keyOf(seed, `unknown.${candidate}.${criterion}`), 1)
  return Float64Array.from({ length: draws }, (_, draw) => (draw === 0 ? 0.5 : source.next()))
}

/** Weights around their middle: gamma draws, normalised. */
function dirichlet(mids: readonly number[], source: Source, to: number[]): void {
  let sum = 0
  const concentration = concentrationOfEach * Math.max(1, mids.length - 1)
  for (let at = 0; at < mids.length; at++) {
    const shape = (mids[at] as number) * concentration
    const value = shape === 0 ? 0 : gamma(shape, source)
    to[at] = value
    sum += value
  }
  for (let at = 0; at < to.length; at++) to[at] = (to[at] as number) / sum
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
function gamma(shape: number, source: Source): number {
  if (shape < 1) return gamma(shape + 1, source) * source.next() ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(1 - source.next())) * Math.cos(2 * Math.PI * source.next())
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - source.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

/** Of a weight that leaves nothing to the others nobody asks. */
export const maxWeight = 0.95

function smallestChange(order: Contender[], names: string[], weights: number[]): Ranking['smallestChange'] {
  const [first, ...others] = order
  if (first === undefined) return null
  let best: Ranking['smallestChange'] = null
  for (const rival of others) {
    const ahead = names.map(
      (name) => ((first.utilities.get(name) as Float64Array)[0] as number) - ((rival.utilities.get(name) as Float64Array)[0] as number),
    )
    const lead = ahead.reduce((sum, each, at) => sum + each * (weights[at] as number), 0)
    for (const [at, criterion] of names.entries()) {
      const own = weights[at] as number
      if (own >= 1) continue
      // Lead with this weight at w, the others scaled by (1 − w) ÷ (1 − own): w·ahead + (1 − w)·rest = 0.
      const rest = (lead - own * (ahead[at] as number)) / (1 - own)
      const to = rest / (rest - (ahead[at] as number))
      if (!(to >= 0 && to <= maxWeight)) continue
      if (best === null || Math.abs(to - own) < Math.abs(best.to - best.from)) best = { criterion, from: own, to, winner: rival.name }
    }
  }
  return best
}
