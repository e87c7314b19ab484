/** Tasks over the rows of a stripe, whose columns are prepared. */
import { blockRows, type Block } from '../blocks.js'
import type { Algorithm } from '../plan.js'
import { columnsAtOnce, tileColumns } from './layout.js'
import { tileBytes, tileLines, type Room } from './room.js'

/** A model, which is asked about rows: the columns that it uses, and their coefficients with the intercept's after them. */
export interface Model {
  readonly algorithm: Algorithm
  readonly active: readonly number[]
  readonly coefficients: Float64Array
}

/** What {@link evaluate} takes. */
export interface EvaluateGiven extends Model {
  readonly withCurvature: boolean
}

/** Numbers that {@link evaluate} gives: the loss, the gradient, and the curvature's lower half, row by row of a whole matrix. */
export function evaluateLength({
  active,
  withCurvature,
}: Pick<EvaluateGiven, 'active' | 'withCurvature'>): number {
  const size = active.length + 1
  return 1 + size + (withCurvature ? size * size : 0)
}

/** Sums loss, gradient and curvature over a stripe, without the penalty. McCullagh and Nelder, Generalized Linear Models, section 2.5. */
export function evaluate(
  room: Room,
  blocks: readonly Block[],
  given: EvaluateGiven,
  into: Float64Array,
): void {
  const { active, withCurvature } = given
  const size = active.length + 1
  const lines = tileLines(size)
  const tiles = room.doubles(room.at.tiles, (lines * (lines + 1) * tileBytes) / 16).fill(0)
  for (const block of blocks) {
    into[0] = (into[0] ?? 0) + respond(room, block, given)
    addGradient(room, active.length, into)
    if (withCurvature) addProducts(room, active.length, lines)
  }
  if (withCurvature) unpack(tiles, lines, size, into.subarray(1 + size))
}

/** Loads a block and asks the model about its rows: predictors, residuals and roots of the curvature are in the room. Gives the loss. */
function respond(room: Room, block: Block, { algorithm, active, coefficients }: Model): number {
  const { at } = room
  if (coefficients.length !== active.length + 1)
    throw new RangeError(
      `${coefficients.length} coefficients; expected one for each of ${active.length} columns and the intercept's`,
    )
  room.load(block, active, 0)
  const targets = room.loadTargets(block)
  room.doubles(at.weights, coefficients.length).set(coefficients)
  const intercept = at.weights + 8 * active.length
  room.kernels.predict(
    at.columns,
    room.column(active.length),
    at.weights,
    intercept,
    at.predictors,
    room.bytes,
  )
  const predictors = room.doubles(at.predictors, room.rowsAndMore)
  const roots = room.weighted(active.length)
  if (algorithm === 'linear-regression') {
    room.doubles(roots, room.rowsAndMore).fill(1).fill(0, room.rows)
    return linear(room, targets, predictors)
  }
  // A row that is none is foretold for certain and right: it adds nothing.
  predictors.fill(certainly, room.rows)
  const { numbers } = at
  room.kernels.logistic(at.predictors, at.targets, at.probabilities, at.residuals, roots, numbers, room.bytes)
  const [product0 = 1, product1 = 1, product2 = 1, product3 = 1, ...rest] = room.doubles(numbers, 8)
  // Each product is of a quarter of the rows of a block, below 2^512.
  const logarithms = Math.log(product0) + Math.log(product1) + Math.log(product2) + Math.log(product3)
  return rest.reduce((sum, value) => sum + value, logarithms)
}

/** A predictor at which the other outcome has no probability. */
const certainly = -10_000

function linear(room: Room, targets: Float32Array, predictors: Float64Array): number {
  predictors.fill(0, room.rows)
  const residuals = room.doubles(room.at.residuals, room.rowsAndMore)
  let loss = 0
  for (let i = 0; i < residuals.length; i++) {
    const away = (predictors[i] ?? 0) - (targets[i] ?? 0)
    residuals[i] = away
    loss += 0.5 * away * away
  }
  return loss
}

function addGradient(room: Room, columns: number, into: Float64Array): void {
  const { at, kernels, bytes } = room
  for (let column = 0; column < columns; column += columnsAtOnce)
    kernels.gradient(room.column(column), at.residuals, at.gradient + 8 * column, bytes)
  room.doubles(at.gradient, columns).forEach((sum, column) => {
    into[1 + column] = (into[1 + column] ?? 0) + sum
  })
  const residuals = room.doubles(at.residuals, room.rows)
  let sum = 0
  for (const residual of residuals) sum += residual
  into[1 + columns] = (into[1 + columns] ?? 0) + sum
}

/** Adds a block's curvature to the tiles: the columns times the roots of the weights, by one another. */
function addProducts(room: Room, columns: number, lines: number): void {
  const { at, kernels, bytes } = room
  const roots = room.weighted(columns)
  for (let column = 0; column < columns; column++)
    kernels.weigh(room.column(column), roots, room.weighted(column), bytes)
  let tile = at.tiles
  for (let left = 0; left < lines; left++)
    for (let right = 0; right <= left; right++, tile += tileBytes)
      kernels.products(room.weighted(left * tileColumns), room.weighted(right * tileColumns), tile, bytes)
}

// What stands in columns behind the last is nobody's.
function unpack(tiles: Float64Array, lines: number, size: number, into: Float64Array): void {
  let at = 0
  for (let left = 0; left < lines; left++)
    for (let right = 0; right <= left; right++)
      for (let i = left * tileColumns; i < (left + 1) * tileColumns; i++)
        for (let j = right * tileColumns; j < (right + 1) * tileColumns; j++, at++)
          if (j <= i && i < size) into[i * size + j] = tiles[at] ?? 0
}

/** The greatest sum of squares of a row of a stripe, over some columns and the intercept. */
export function longest(
  room: Room,
  blocks: readonly Block[],
  active: readonly number[],
  into: Float64Array,
): void {
  const most = room.doubles(room.at.numbers, 2).fill(0)
  for (const block of blocks) {
    room.load(block, active, 0)
    room.kernels.longest(room.at.columns, room.column(active.length), room.at.numbers, room.bytes)
  }
  into[0] = 1 + Math.max(...most)
}

/** What {@link score} takes, and where it writes: a predictor and a probability for each row of a part. */
export interface ScoreGiven extends Model {
  readonly predictors: Float64Array
  readonly probabilities: Float64Array
}

/** Asks the model about the rows of a stripe that begins with the block of this number. Gives the loss. */
export function score(
  room: Room,
  blocks: readonly Block[],
  given: ScoreGiven,
  into: Float64Array,
  first: number,
): void {
  blocks.forEach((block, index) => {
    into[0] = (into[0] ?? 0) + respond(room, block, given)
    const row = (first + index) * blockRows
    given.predictors.set(room.doubles(room.at.predictors, block.rows), row)
    given.probabilities.set(room.doubles(room.at.probabilities, block.rows), row)
  })
}
