/**
 * The area under the receiver operating characteristic, ties counted half, with the 95 % interval of DeLong, DeLong and Clarke-Pearson
 * (Biometrics 44, 1988), cut to [0, 1].
 */

/** An estimate and its interval; no interval where a class has one row. */
export interface AreaUnderCurve {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

/** Sorts both arrays in place. Each holds one score at least. */
export function areaUnderCurve(positive: Float64Array, negative: Float64Array): AreaUnderCurve {
  positive.sort()
  negative.sort()
  const ofPositive = placements(positive, negative)
  const ofNegative = placements(negative, positive)
  const value = ofPositive.mean
  if (positive.length < 2 || negative.length < 2) return { value, low: null, high: null }
  const deviation = Math.sqrt(ofPositive.variance / positive.length + ofNegative.variance / negative.length)
  const half = 1.959963984540054 * deviation
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) }
}

/** Mean and variance, over `scores`, of the part of `others` that lies below; both sorted. */
function placements(scores: Float64Array, others: Float64Array): { mean: number; variance: number } {
  let [below, upTo, sum, squares] = [0, 0, 0, 0]
  for (const score of scores) {
    while (below < others.length && (others[below] ?? 0) < score) below++
    upTo = Math.max(upTo, below)
    while (upTo < others.length && (others[upTo] ?? 0) <= score) upTo++
    const placed = (below + upTo) / 2 / others.length
    sum += placed
    squares += placed * placed
  }
  const mean = sum / scores.length
  const variance = Math.max(0, squares - scores.length * mean * mean) / Math.max(1, scores.length - 1)
  return { mean, variance }
}
