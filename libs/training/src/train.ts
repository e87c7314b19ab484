/**
 * The story of a training: judge on how many units each column rests, prepare the columns, fit, measure. Runs in the sandboxed child; what
 * comes out is a report in which every number has the count of units behind it, for the controls of the parent.
 */
import type { Part } from './blocks.js'
import { chooseColumns } from './choose-columns.js'
import type { Crew } from './crew.js'
import type { Problem } from './evaluate.js'
import { findCollinear, fit, type Fit } from './fit.js'
import { hasDominantRow } from './leverage.js'
import { measure } from './measure.js'
import type { FittedColumn, HeldBack, Support, TrainingPlan, TrainingReport, TrainingStatus } from './plan.js'
import { applyPreparations, knowColumns, type Preparation } from './preprocess.js'
import { isEnough, unitsOf, unitsOfBothOutcomes } from './support.js'

/**
 * Trains on the rows of `train`, measures on both parts. Prepares the columns of both in place.
 * Guards: no column, outcome, cell or bin rests on fewer units than the plan says, and no unit alone makes what the model tells of it.
 * Does not guard two or more units, fewer than the plan says, that only several columns together set apart.
 */
export function train(
  given: TrainingPlan,
  parts: { readonly train: Part; readonly test: Part },
  crew: Crew,
): TrainingReport {
  const plan = { ...given, minimumUnits: Math.max(1, given.minimumUnits) }
  const { algorithm, unitClasses, l2, minimumUnits } = plan
  const rowsSupport =
    algorithm === 'linear-regression'
      ? unitsOf(parts.train, unitClasses)
      : unitsOfBothOutcomes(parts.train, unitClasses)
  if (!isEnough(rowsSupport, minimumUnits)) return untrained('tooFewUnits')
  const known = knowColumns(parts.train, plan, crew)
  const columnSupports = known.map(({ support }) => support)
  const { supports, columns: chosen } = chooseColumns(parts.train, plan, rowsSupport, columnSupports)
  if (chosen.length === 0) return untrained('noFeatures')
  const preparations = known.map(({ preparation }) => preparation)
  applyPreparations(parts.train, preparations, crew)
  applyPreparations(parts.test, preparations, crew)
  const collinear =
    l2 > 0
      ? []
      : findCollinear(crew, parts.train.blocks, { algorithm, active: chosen, l2 }).map((at) => chosen[at])
  const active = chosen.filter((column) => !collinear.includes(column))
  if (active.length === 0) return untrained('noFeatures')
  if (!isEnough(unitsOf(parts.train, unitClasses), minimumUnits * (active.length + 1)))
    return untrained('tooFewUnits')
  if (minimumUnits > 1 && hasDominantRow(crew, parts.train.blocks, active)) return untrained('tooFewUnits')
  const problem: Problem = { algorithm, active, l2 }
  const fitted = fit(crew, parts.train.blocks, problem)
  if (!fitted.converged) return untrained('notConverged')
  const measured = (['train', 'test'] as const).map((name) =>
    measure({
      ...{ part: parts[name], name, problem, coefficients: fitted.coefficients },
      ...{ unitClasses, minimumUnits, crew },
    }),
  )
  return {
    ...{ status: 'trained', iterations: fitted.iterations, support: rowsSupport },
    intercept: fitted.coefficients[active.length] ?? 0,
    interceptStandardError: fitted.standardErrors[active.length] ?? 0,
    columns: preparations.map((preparation, column) =>
      fittedColumn(preparation, supports[column] ?? [], fitted, active.indexOf(column), heldBack(column)),
    ),
    metrics: measured.flatMap(({ metrics }) => metrics),
    confusion: measured.flatMap(({ confusion }) => confusion),
    calibration: measured.flatMap(({ calibration }) => calibration),
  }

  function heldBack(column: number): HeldBack | null {
    if (!chosen.includes(column)) return 'tooFewUnits'
    return collinear.includes(column) ? 'collinear' : null
  }
}

function fittedColumn(
  { fill, centre, scale }: Preparation,
  support: Support,
  { coefficients, standardErrors }: Fit,
  at: number,
  heldBack: HeldBack | null,
): FittedColumn {
  // What rests on too few units is not told either.
  if (heldBack !== null)
    return { heldBack, fill: 0, centre: 0, scale: 1, coefficient: 0, standardError: 0, support }
  return {
    ...{ heldBack, fill, centre, scale, support },
    coefficient: coefficients[at] ?? 0,
    standardError: standardErrors[at] ?? 0,
  }
}

/** The report of a training without a model: nothing but why. */
export function untrained(status: Exclude<TrainingStatus, 'trained'>): TrainingReport {
  return {
    ...{ status, iterations: 0, intercept: 0, interceptStandardError: 0, support: [] },
    ...{ columns: [], metrics: [], confusion: [], calibration: [] },
  }
}
