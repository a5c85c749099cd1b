/** Least squares of a model with a few parameters, on plain numbers: a plan fits dozens, most of them within a few steps. */
import { inverse, Matrix } from 'ml-matrix'

export interface Model {
  /** With these parameters, at a point; puts into `slopes` how much a step of each parameter adds there. */
  with(parameters: readonly number[]): (x: number, slopes: number[]) => number
  /** Bounds of each parameter. */
  low: readonly number[]
  high: readonly number[]
}

const maxSteps = 120
const [minDamping, maxDamping] = [1e-7, 1e7]
/** A smaller gain is rounding. */
const rounding = 1e-18

/** Levenberg, "A method for the solution of certain non-linear problems in least squares", 1944, with the step cut at the bounds. */
export function leastSquares(x: readonly number[], y: readonly number[], model: Model, start: readonly number[]): number[] {
  const slopes = start.map(() => 0)
  const costOf = (p: readonly number[]) => {
    const of = model.with(p)
    let sum = 0
    for (let point = 0; point < x.length; point++) sum += ((y[point] as number) - of(x[point] as number, slopes)) ** 2
    return sum
  }
  let now = [...start]
  let cost = costOf(now)
  let best = { parameters: now, cost }
  let damping = 1e-2
  for (let step = 0; step < maxSteps && cost > rounding; step++) {
    const { normal, gradient } = linearised(x, y, model, now)
    const change = solved(normal, gradient, damping)
    const next = now.map((each, at) => Math.min(Math.max(model.low[at] as number, each - (change[at] as number)), model.high[at] as number))
    // As small as a step can be, and still none: it stays where it is.
    if (damping === maxDamping && next.every((each, at) => each === now[at])) break
    const before = cost
    now = next
    cost = costOf(now)
    if (Number.isNaN(cost)) break
    if (cost < best.cost - rounding) best = { parameters: now, cost }
    const foreseen = change.reduce((sum, each, at) => sum + each * (each * damping + (gradient[at] as number)), 0)
    damping = (before - cost) / foreseen > 1e-3 ? Math.max(damping / 9, minDamping) : Math.min(damping * 11, maxDamping)
  }
  return best.parameters
}

/** Products of the slopes with one another, the lower half, and with what is left of `y`. */
function linearised(x: readonly number[], y: readonly number[], model: Model, p: readonly number[]): { normal: number[][]; gradient: number[] } {
  const normal = p.map((_, row) => new Array<number>(row + 1).fill(0))
  const gradient = p.map(() => 0)
  const slopes = p.map(() => 0)
  const of = model.with(p)
  for (let point = 0; point < x.length; point++) {
    const left = (y[point] as number) - of(x[point] as number, slopes)
    for (let row = 0; row < p.length; row++) {
      const [sums, slope] = [normal[row] as number[], slopes[row] as number]
      gradient[row] = (gradient[row] as number) - slope * left
      for (let column = 0; column <= row; column++) sums[column] = (sums[column] as number) + (slopes[column] as number) * slope
    }
  }
  return { normal, gradient }
}

/** (normal + damping · 1)⁻¹ · gradient, by Cholesky's triangles; where rounding leaves no such triangle, by the inverse. */
function solved(normal: readonly number[][], gradient: readonly number[], damping: number): number[] {
  const size = gradient.length
  const at = (row: number, column: number) => (normal[row] as number[])[column] as number
  const triangle = normal.map((row) => row.map(() => 0))
  const of = (row: number, column: number) => (triangle[row] as number[])[column] as number
  for (let row = 0; row < size; row++) {
    const own = triangle[row] as number[]
    let squares = 0
    for (let column = 0; column < row; column++) {
      let sum = 0
      for (let each = 0; each < column; each++) sum += of(column, each) * of(row, each)
      const entry = (at(row, column) - sum) / of(column, column)
      own[column] = entry
      squares += entry * entry
    }
    const rest = at(row, row) + damping - squares
    if (!(rest > 0)) return byInverse(normal, gradient, damping)
    own[row] = Math.sqrt(rest)
  }
  const found = [...gradient]
  for (let row = 0; row < size; row++) {
    for (let each = 0; each < row; each++) found[row] = (found[row] as number) - (found[each] as number) * of(row, each)
    found[row] = (found[row] as number) / of(row, row)
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let each = row + 1; each < size; each++) found[row] = (found[row] as number) - (found[each] as number) * of(each, row)
    found[row] = (found[row] as number) / of(row, row)
  }
  return found
}

function byInverse(normal: readonly number[][], gradient: readonly number[], damping: number): number[] {
  const whole = gradient.map((_, row) =>
    gradient.map((__, column) => ((normal[Math.max(row, column)] as number[])[Math.min(row, column)] as number) + (row === column ? damping : 0)),
  )
  return inverse(new Matrix(whole))
    .mmul(Matrix.columnVector([...gradient]))
    .to1DArray()
}
