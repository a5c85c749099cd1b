/** Least squares: the normal equations of a few unknowns, and their inverse for standard errors. */

/** A⁻¹ of a symmetric positive definite matrix by Gauss–Jordan elimination with pivoting; null where it is singular. */
export function inverse(matrix: number[][]): number[][] | null {
  const n = matrix.length
  const rows = matrix.map((row, at) => [...row, ...Array.from({ length: n }, (_, column) => (column === at ? 1 : 0))])
  const largest = Math.max(...matrix.flat().map(Math.abs))
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let row = column + 1; row < n; row++) if (Math.abs(rows[row]?.[column] as number) > Math.abs(rows[pivot]?.[column] as number)) pivot = row
    const chosen = rows[pivot] as number[]
    rows[pivot] = rows[column] as number[]
    rows[column] = chosen
    const value = chosen[column] as number
    if (Math.abs(value) < 1e-13 * largest) return null
    for (let at = 0; at < 2 * n; at++) chosen[at] = (chosen[at] as number) / value
    for (const [row, own] of rows.entries()) {
      const factor = own[column] as number
      if (row === column || factor === 0) continue
      for (let at = 0; at < 2 * n; at++) own[at] = (own[at] as number) - factor * (chosen[at] as number)
    }
  }
  return rows.map((row) => row.slice(n))
}

export interface Fitted {
  coefficients: number[]
  /** null where the coefficient is at its bound of 0: the data say no more than that. */
  standardErrors: (number | null)[]
  /** Largest over smallest eigenvalue of the scaled normal matrix, at least: how badly the data tell the unknowns apart. */
  condition: number
}

/**
 * min ‖Xb − y‖² with b ≥ 0, by the active set method of Lawson and Hanson ("Solving Least Squares Problems", 1974, chapter 23).
 * null where the data cannot tell the unknowns apart.
 */
export function nonNegativeLeastSquares(x: number[][], y: number[]): Fitted | null {
  const n = x[0]?.length ?? 0
  if (n === 0 || x.length < n) return null
  // Columns of unlike size are scaled, so that "singular" means the same for all.
  const scale = Array.from({ length: n }, (_, column) => Math.hypot(...x.map((row) => row[column] as number)))
  if (scale.some((each) => each === 0)) return null
  const scaled = x.map((row) => row.map((value, column) => value / (scale[column] as number)))
  const normal = (columns: number[]) => columns.map((a) => columns.map((b) => dot(scaled, a, b)))
  const right = scale.map((_, column) => scaled.reduce((sum, row, at) => sum + (row[column] as number) * (y[at] as number), 0))
  const all = scale.map((_, column) => column)
  const whole = normal(all)
  const inverted = inverse(whole)
  if (inverted === null) return null
  const condition = trace(whole) * trace(inverted)
  const free = new Set<number>()
  let b = scale.map(() => 0)
  for (let step = 0; step < 10 * n; step++) {
    const gradient = all.map(
      (column) => (right[column] as number) - all.reduce((sum, each) => sum + (whole[column]?.[each] as number) * (b[each] as number), 0),
    )
    const next = all.filter((column) => !free.has(column)).sort((p, q) => (gradient[q] as number) - (gradient[p] as number))[0]
    if (next === undefined || (gradient[next] as number) <= 1e-10 * Math.hypot(...right)) break
    free.add(next)
    for (;;) {
      const columns = [...free]
      const part = inverse(normal(columns))
      if (part === null) return null
      const solution = part.map((row) => row.reduce((sum, value, at) => sum + value * (right[columns[at] as number] as number), 0))
      const negative = columns.filter((_, at) => (solution[at] as number) <= 0)
      if (negative.length === 0) {
        b = scale.map(() => 0)
        for (const [at, column] of columns.entries()) b[column] = solution[at] as number
        break
      }
      const reach = Math.min(
        ...columns.flatMap((column, at) => {
          const [was, wanted] = [b[column] as number, solution[at] as number]
          return wanted <= 0 ? [was / (was - wanted)] : []
        }),
      )
      for (const [at, column] of columns.entries()) b[column] = (b[column] as number) + reach * ((solution[at] as number) - (b[column] as number))
      for (const column of columns) if ((b[column] as number) <= 1e-12) free.delete(column)
    }
  }
  const columns = [...free]
  const residual = scaled.reduce(
    (sum, row, at) => sum + ((y[at] as number) - row.reduce((own, value, column) => own + value * (b[column] as number), 0)) ** 2,
    0,
  )
  const variance = residual / Math.max(1, x.length - columns.length)
  const covariance = inverse(normal(columns))
  return {
    coefficients: b.map((value, column) => value / (scale[column] as number)),
    standardErrors: all.map((column) => {
      const at = columns.indexOf(column)
      return at < 0 || covariance === null ? null : Math.sqrt(variance * Math.max(0, covariance[at]?.[at] as number)) / (scale[column] as number)
    }),
    condition,
  }
}

const dot = (x: number[][], a: number, b: number) => x.reduce((sum, row) => sum + (row[a] as number) * (row[b] as number), 0)
const trace = (matrix: number[][]) => matrix.reduce((sum, row, at) => sum + (row[at] as number), 0)
