/** What a training does and what it tells: plain values, so that they can cross a pipe. */

/** Algorithms that this library fits; both with L2 on all coefficients but the intercept. */
export const algorithms = ['linear-regression', 'logistic-regression'] as const

/** One of {@link algorithms}. */
export type Algorithm = (typeof algorithms)[number]

/** A column of the design matrix, in the order of the data. */
export interface DesignColumn {
  /** Whether the column is centred and divided by its standard deviation over the training rows. */
  readonly scale: boolean
  /** What stands for a missing value: the mean over the training rows, a number, or nothing since none is missing. */
  readonly impute: 'mean' | number | null
  /** The text whose levels are columns: of those with one number a row has a 1 in one at most. Null for a column of numbers. */
  readonly text: number | null
}

/** A training, as its contract fixes it. */
export interface TrainingPlan {
  readonly algorithm: Algorithm
  readonly columns: readonly DesignColumn[]
  /** λ of the loss Σ loss(row) + λ/2 · ‖coefficients‖²; scikit-learn's `C` is its inverse, `Ridge`'s `alpha` itself. */
  readonly l2: number
  /** How many different kinds of units rows can have: one count of each stands behind every number. */
  readonly unitClasses: number
  /**
   * A column or a class of the target that rests on fewer units of some class is left out, and so is what needs it. Each coefficient
   * takes as many units again: a model with as many coefficients as units would be their values.
   */
  readonly minimumUnits: number
}

/** Least count of units of each class of units behind a number. */
export type Support = readonly number[]

/** Why a column has no coefficient. `tooFewUnits`: it rests on too few, or those who have none of its text's levels would be. */
export type HeldBack = 'tooFewUnits' | 'collinear'

/** What was learned of one column. Without a coefficient the model does not use it. */
export interface FittedColumn {
  readonly heldBack: HeldBack | null
  /** What stands for a missing value. */
  readonly fill: number
  readonly centre: number
  readonly scale: number
  readonly coefficient: number
  readonly standardError: number
  readonly support: Support
}

/** One measured number; an interval where one is known, of 95 %. */
export interface Metric {
  readonly metric: 'auc' | 'logLoss' | 'brier' | 'r2' | 'rootMeanSquaredError'
  readonly part: 'train' | 'test'
  readonly value: number
  readonly low: number | null
  readonly high: number | null
  readonly rows: number
  readonly support: Support
}

/** People of one class as the model sorts them, at a probability of one half. */
export interface ConfusionCell {
  readonly part: 'train' | 'test'
  readonly actual: boolean
  readonly predicted: boolean
  readonly count: number
  /** Least count over all four cells: a small one would follow from the others and the sums that metrics tell. */
  readonly support: Support
}

/** What was foretold and what happened, between two probabilities that do not depend on the data. */
export interface CalibrationBin {
  readonly part: 'train' | 'test'
  readonly from: number
  readonly until: number
  readonly rows: number
  readonly predicted: number
  readonly observed: number
  readonly support: Support
}

/**
 * How a training ended. All but `trained` say that there is no model. `repeatedUnits`: some unit has several rows; `tooFewUnits`: an outcome
 * or the number of coefficients asks for more, or one unit alone would make what the model tells of it.
 */
export const trainingStatuses = [
  'trained',
  'repeatedUnits',
  'tooFewUnits',
  'noFeatures',
  'notConverged',
] as const

/** One of {@link trainingStatuses}. */
export type TrainingStatus = (typeof trainingStatuses)[number]

/** All that a training tells. Every number of people's values has its support. */
export interface TrainingReport {
  readonly status: TrainingStatus
  readonly iterations: number
  readonly intercept: number
  readonly interceptStandardError: number
  /** Units behind the intercept. */
  readonly support: Support
  readonly columns: readonly FittedColumn[]
  readonly metrics: readonly Metric[]
  readonly confusion: readonly ConfusionCell[]
  readonly calibration: readonly CalibrationBin[]
}
