/** Small symmetric systems, row by row in one array. Golub and Van Loan, Matrix Computations, section 4.2. */

/** A lower triangular factor; a dropped column has a zero pivot and takes no part. */
export interface Factor {
  readonly size: number
  readonly lower: Float64Array
}

/** A pivot below this part of its own diagonal is what rounding leaves of a column that others give. */
export const collinearBelow = 1e-9

/** Factors a symmetric matrix that is positive definite but for columns which follow from earlier ones. */
export function factor(matrix: Float64Array, size: number): Factor {
  const lower = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    const diagonal = matrix[i * size + i] ?? 0
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j] ?? 0
      for (let k = 0; k < j; k++) sum -= (lower[i * size + k] ?? 0) * (lower[j * size + k] ?? 0)
      if (i === j) lower[i * size + i] = sum > collinearBelow * diagonal ? Math.sqrt(sum) : 0
      else {
        const pivot = lower[j * size + j] ?? 0
        lower[i * size + j] = pivot === 0 ? 0 : sum / pivot
      }
    }
  }
  return { size, lower }
}

/** Columns that follow from earlier ones. */
export function collinearColumns({ size, lower }: Factor): readonly number[] {
  return Array.from({ length: size }, (_, i) => i).filter((i) => lower[i * size + i] === 0)
}

/** Solves the factored system; what belongs to a dropped column is zero. */
export function solve({ size, lower }: Factor, right: Float64Array): Float64Array {
  const x = Float64Array.from(right)
  for (let i = 0; i < size; i++) {
    const pivot = lower[i * size + i] ?? 0
    for (let k = 0; k < i; k++) x[i] = (x[i] ?? 0) - (lower[i * size + k] ?? 0) * (x[k] ?? 0)
    x[i] = pivot === 0 ? 0 : (x[i] ?? 0) / pivot
  }
  for (let i = size - 1; i >= 0; i--) {
    const pivot = lower[i * size + i] ?? 0
    for (let k = i + 1; k < size; k++) x[i] = (x[i] ?? 0) - (lower[k * size + i] ?? 0) * (x[k] ?? 0)
    x[i] = pivot === 0 ? 0 : (x[i] ?? 0) / pivot
  }
  return x
}

/** The diagonal of the inverse: variances, where the matrix is an information. */
export function inverseDiagonal(factored: Factor): Float64Array {
  const { size } = factored
  return Float64Array.from({ length: size }, (_, i) => {
    const unit = new Float64Array(size)
    unit[i] = 1
    return solve(factored, unit)[i] ?? 0
  })
}
