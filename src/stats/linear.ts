/** Least squares without negative coefficients, with what the data leave open about each: ml-fcnnls for the fit, ml-matrix for the rest. */
import { fcnnlsVector } from 'ml-fcnnls'
import { inverse, Matrix } from 'ml-matrix'

export interface Fitted {
  coefficients: number[]
  /** null where the coefficient is at its bound of 0: the data say no more than that. */
  standardErrors: (number | null)[]
  /** Of each two; 0 where one of them is at its bound. */
  covariance: number[][]
  /** Largest over smallest eigenvalue of the scaled normal matrix, at least: how badly the data tell the unknowns apart. */
  condition: number
}

/** A smallest singular value below this share of the largest is none. */
const singular = 1e-7

/** min ‖Xb − y‖² with b ≥ 0. null where the data cannot tell the unknowns apart. */
export function nonNegativeLeastSquares(x: number[][], y: number[]): Fitted | null {
  const n = x[0]?.length ?? 0
  if (n === 0 || x.length < n) return null
  // Columns of unlike size are scaled, so that "singular" means the same for all.
  const raw = new Matrix(x)
  const scale = Array.from({ length: n }, (_, column) => raw.getColumnVector(column).norm())
  if (scale.some((each) => each === 0)) return null
  const scaled = raw.divRowVector(scale)
  const normal = scaled.transpose().mmul(scaled)
  const inverted = inverseOf(normal)
  if (inverted === null) return null
  // The library's tolerance is that of a gradient in the units of y: with a length of one it is a share.
  const length = Math.hypot(...y) || 1
  const b = fcnnlsVector(
    scaled,
    y.map((each) => each / length),
    { maxIterations: 20 * n, gradientTolerance: 1e-9 },
  )
    .K.to1DArray()
    .map((each) => each * length)
  const free = b.flatMap((value, column) => (value > 0 ? [column] : []))
  const left = Matrix.sub(Matrix.columnVector(y), scaled.mmul(Matrix.columnVector(b))).norm()
  const variance = left ** 2 / Math.max(1, x.length - free.length)
  const ofFree = free.length === 0 ? null : inverseOf(new Matrix(normal.selection(free, free)))
  const covarianceOf = (one: number, other: number) => {
    const [at, beside] = [free.indexOf(one), free.indexOf(other)]
    return at < 0 || beside < 0 || ofFree === null ? null : (variance * ofFree.get(at, beside)) / ((scale[one] as number) * (scale[other] as number))
  }
  return {
    coefficients: b.map((value, column) => value / (scale[column] as number)),
    standardErrors: b.map((_, column) => {
      const own = covarianceOf(column, column)
      return own === null ? null : Math.sqrt(Math.max(0, own))
    }),
    covariance: b.map((_, one) => b.map((_, other) => covarianceOf(one, other) ?? 0)),
    condition: normal.trace() * inverted.trace(),
  }
}

/** null where it is singular. */
export function inverseOf(matrix: Matrix): Matrix | null {
  try {
    const found = inverse(matrix)
    const size = Math.sqrt(matrix.trace() * found.trace())
    return Number.isFinite(size) && size * singular < 1 ? found : null
  } catch {
    return null
  }
}
