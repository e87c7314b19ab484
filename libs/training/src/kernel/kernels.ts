/**
 * The loops over people's numbers, in WebAssembly: two or four numbers at a time, and no instruction whose result differs between
 * processors, so that a training gives the same bits wherever it runs. Addresses are in bytes. `bytes` is what the rows of a column take
 * in single precision, of a multiple of eight rows; what stands in rows that are none is for the caller to make harmless.
 */
import { assemble, define, f32x4, f64, f64x2, i32, i32x4, repeat, v128 } from './assembler.js'
import type { Code, Local, NewLocal } from './assembler.js'
import { exponential } from './exponential.js'
import { columnsAtOnce, doubleStride, rowsAtOnce, singleStride, tileColumns } from './layout.js'

const rowBytes = 4 * rowsAtOnce
/** Four rows are one vector in single precision, and two in double. */
const fourRows = 16
const zeros = f64x2.constant(0)

const plus = i32.add
const twice = (counter: Local): Code => plus(counter.get, counter.get)
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))
/** Two numbers in single precision, as two in double. */
const promoted = (address: Code, offset: number): Code => f64x2.promote(v128.loadLow64(address, offset))
const addTo = (sum: Local, value: Code): Code => sum.set(f64x2.add(sum.get, value))
const bothLanes = ({ get }: Local): Code => f64.add(f64x2.lane(get, 0), f64x2.lane(get, 1))
const vectors = (local: NewLocal, count: number): Local[] => many(count, () => local('v128'))

/** The linear predictor of each row. The weight of the intercept comes after those of the columns. */
const predict = define(['columns', 'columnsEnd', 'weights', 'intercept', 'into', 'bytes'], (given, local) => {
  const [row, column, weight] = [local('i32'), local('i32'), local('i32')]
  const sums = vectors(local, rowsAtOnce / 2)
  const factor = local('v128')
  return [
    repeat(row, rowBytes, given.bytes.get, [
      ...sums.map((sum) => sum.set(v128.loadSplat64(given.intercept.get))),
      column.set(plus(given.columns.get, row.get)),
      weight.set(given.weights.get),
      repeat(column, singleStride, plus(given.columnsEnd.get, row.get), [
        factor.set(v128.loadSplat64(weight.get)),
        ...sums.map((sum, pair) => addTo(sum, f64x2.mul(promoted(column.get, 8 * pair), factor.get))),
        weight.set(plus(weight.get, i32.constant(8))),
      ]),
      ...sums.map((sum, pair) => v128.store(plus(given.into.get, twice(row)), sum.get, 16 * pair)),
    ]),
  ]
})

/** The greatest sum of squares of a row, over columns; what stands in `into` already counts too. */
const longest = define(['columns', 'columnsEnd', 'into', 'bytes'], (given, local) => {
  const [row, column] = [local('i32'), local('i32')]
  const sums = vectors(local, rowsAtOnce / 2)
  const [value, most] = [local('v128'), local('v128')]
  return [
    most.set(v128.load(given.into.get)),
    repeat(row, rowBytes, given.bytes.get, [
      ...sums.map((sum) => sum.set(zeros)),
      column.set(plus(given.columns.get, row.get)),
      repeat(
        column,
        singleStride,
        plus(given.columnsEnd.get, row.get),
        sums.flatMap((sum, pair) => [
          value.set(promoted(column.get, 8 * pair)),
          addTo(sum, f64x2.mul(value.get, value.get)),
        ]),
      ),
      ...sums.map((sum) => most.set(f64x2.max(most.get, sum.get))),
    ]),
    v128.store(given.into.get, most.get),
  ]
})

/**
 * What a logistic model says of rows: from predictors and targets the probabilities, residuals and roots of the curvature. Into `sums` four
 * products of 1 + e^-|z|, whose logarithms are a part of the loss, and four sums of the rest of it: of no more than 1023 rows each.
 */
const logistic = define(
  ['predictors', 'targets', 'probabilities', 'residuals', 'roots', 'sums', 'bytes'],
  (given, local) => {
    const row = local('i32')
    const [products, rests] = [vectors(local, 2), vectors(local, 2)]
    const [predictor, power, inverse, target] = [local('v128'), local('v128'), local('v128'), local('v128')]
    const [shifted, rest] = [local('v128'), local('v128')]
    const place = ({ get }: Local): Code => plus(get, twice(row))
    return [
      ...products.map((product) => product.set(f64x2.constant(1))),
      repeat(
        row,
        fourRows,
        given.bytes.get,
        products.flatMap((product, half) => [
          predictor.set(v128.load(place(given.predictors), 16 * half)),
          target.set(promoted(plus(given.targets.get, row.get), 8 * half)),
          power.set(f64x2.neg(f64x2.abs(predictor.get))),
          ...exponential(power, shifted, rest),
          inverse.set(f64x2.add(power.get, f64x2.constant(1))),
          product.set(f64x2.mul(product.get, inverse.get)),
          inverse.set(f64x2.div(f64x2.constant(1), inverse.get)),
          v128.store(place(given.roots), f64x2.mul(f64x2.sqrt(power.get), inverse.get), 16 * half),
          power.set(f64x2.mul(power.get, inverse.get)),
          power.set(v128.select(inverse.get, power.get, f64x2.isGreaterOrEqual(predictor.get, zeros))),
          v128.store(place(given.probabilities), power.get, 16 * half),
          v128.store(place(given.residuals), f64x2.sub(power.get, target.get), 16 * half),
          ...rests
            .slice(half, half + 1)
            .map((sum) =>
              addTo(sum, f64x2.sub(f64x2.max(predictor.get, zeros), f64x2.mul(target.get, predictor.get))),
            ),
        ]),
      ),
      ...[...products, ...rests].map((sum, i) => v128.store(given.sums.get, sum.get, 16 * i)),
    ]
  },
)

/** The products of a number of each row with each of several columns, as one number for each column. */
const gradient = define(['columns', 'residuals', 'into', 'bytes'], (given, local) => {
  const [row, residuals] = [local('i32'), vectors(local, 2)]
  const sums = many(columnsAtOnce, () => vectors(local, 2))
  const column = (index: number, half: number): Code =>
    promoted(plus(given.columns.get, row.get), index * singleStride + 8 * half)
  return [
    repeat(row, fourRows, given.bytes.get, [
      ...residuals.map((residual, half) =>
        residual.set(v128.load(plus(given.residuals.get, twice(row)), 16 * half)),
      ),
      ...sums.flatMap((halves, index) =>
        residuals.flatMap((residual, half) =>
          halves.slice(half, half + 1).map((sum) => addTo(sum, f64x2.mul(column(index, half), residual.get))),
        ),
      ),
    ]),
    ...sums.map((halves, index) =>
      f64.store(given.into.get, halves.map(bothLanes).reduce(f64.add), 8 * index),
    ),
  ]
})

/** A column times a number of each row, in double precision. */
const weigh = define(['column', 'by', 'into', 'bytes'], (given, local) => {
  const row = local('i32')
  const place = ({ get }: Local): Code => plus(get, twice(row))
  return [
    repeat(
      row,
      fourRows,
      given.bytes.get,
      [0, 1].map((half) =>
        v128.store(
          place(given.into),
          f64x2.mul(
            promoted(plus(given.column.get, row.get), 8 * half),
            v128.load(place(given.by), 16 * half),
          ),
          16 * half,
        ),
      ),
    ),
  ]
})

/** Adds the products of several columns with as many others, in double precision, to a tile of numbers. */
const products = define(['left', 'right', 'into', 'bytes'], (given, local) => {
  const row = local('i32')
  const [left, right] = [vectors(local, tileColumns), local('v128')]
  const sums = many(tileColumns, () => vectors(local, tileColumns))
  const value = ({ get }: Local, column: number): Code =>
    v128.load(plus(get, twice(row)), column * doubleStride)
  return [
    repeat(row, 8, given.bytes.get, [
      ...left.map((one, column) => one.set(value(given.left, column))),
      ...many(tileColumns, (column) => [
        right.set(value(given.right, column)),
        ...left.flatMap((one, i) =>
          (sums[i] ?? []).slice(column, column + 1).map((sum) => addTo(sum, f64x2.mul(one.get, right.get))),
        ),
      ]).flat(),
    ]),
    ...sums.flatMap((line, i) =>
      line.map((sum, j) => {
        const offset = 8 * (i * tileColumns + j)
        return f64.store(given.into.get, f64.add(f64.load(given.into.get, offset), bothLanes(sum)), offset)
      }),
    ),
  ]
})

/** Adds a column to its least and greatest values, their count, four by four, and their sum, two by two. What is no number is left out. */
const extremes = define(['column', 'into', 'bytes'], (given, local) => {
  const row = local('i32')
  const [least, greatest, count, sum] = [local('v128'), local('v128'), local('v128'), local('v128')]
  const [values, isNumber] = [local('v128'), local('v128')]
  const known = [least, greatest, count, sum]
  return [
    ...known.map((one, i) => one.set(v128.load(given.into.get, 16 * i))),
    repeat(row, fourRows, given.bytes.get, [
      values.set(v128.load(plus(given.column.get, row.get))),
      least.set(f32x4.min(least.get, values.get)),
      greatest.set(f32x4.max(greatest.get, values.get)),
      isNumber.set(f32x4.isEqual(values.get, values.get)),
      // A comparison that holds is all ones: minus one.
      count.set(i32x4.sub(count.get, isNumber.get)),
      values.set(v128.and(values.get, isNumber.get)),
      addTo(sum, f64x2.promote(values.get)),
      addTo(sum, f64x2.promote(v128.highToLow(values.get))),
    ]),
    ...known.map((one, i) => v128.store(given.into.get, one.get, 16 * i)),
  ]
})

/** Adds the squares of how far a column's values are from a centre, in double precision; what is no number is left out. */
const spread = define(['column', 'centre', 'into', 'bytes'], (given, local) => {
  const row = local('i32')
  const [sum, centre, away] = [local('v128'), local('v128'), local('v128')]
  return [
    sum.set(v128.load(given.into.get)),
    centre.set(v128.loadSplat64(given.centre.get)),
    repeat(
      row,
      fourRows,
      given.bytes.get,
      [0, 1].flatMap((half) => [
        away.set(f64x2.sub(promoted(plus(given.column.get, row.get), 8 * half), centre.get)),
        away.set(v128.and(away.get, f64x2.isEqual(away.get, away.get))),
        addTo(sum, f64x2.mul(away.get, away.get)),
      ]),
    ),
    v128.store(given.into.get, sum.get),
  ]
})

/** Counts, four by four, units above the first of two bounds and units below the second. `units` has all bits or none for each row. */
const tally = define(['column', 'units', 'bounds', 'into', 'bytes'], (given, local) => {
  const row = local('i32')
  const [above, below, low, high] = [local('v128'), local('v128'), local('v128'), local('v128')]
  const [values, units] = [local('v128'), local('v128')]
  return [
    low.set(v128.loadSplat32(given.bounds.get)),
    high.set(v128.loadSplat32(given.bounds.get, 4)),
    ...[above, below].map((count, i) => count.set(v128.load(given.into.get, 16 * i))),
    repeat(row, fourRows, given.bytes.get, [
      values.set(v128.load(plus(given.column.get, row.get))),
      units.set(v128.load(plus(given.units.get, row.get))),
      above.set(i32x4.sub(above.get, v128.and(f32x4.isGreater(values.get, low.get), units.get))),
      below.set(i32x4.sub(below.get, v128.and(f32x4.isLess(values.get, high.get), units.get))),
    ]),
    ...[above, below].map((count, i) => v128.store(given.into.get, count.get, 16 * i)),
  ]
})

/** Fills, centres and divides a column in place, in single precision. */
const prepare = define(['column', 'fill', 'bytes'], (given, local) => {
  const row = local('i32')
  const [values, fill, centre, scale] = [local('v128'), local('v128'), local('v128'), local('v128')]
  const place = plus(given.column.get, row.get)
  return [
    ...[fill, centre, scale].map((one, i) => one.set(v128.loadSplat32(given.fill.get, 4 * i))),
    repeat(row, fourRows, given.bytes.get, [
      values.set(v128.load(place)),
      values.set(v128.select(values.get, fill.get, f32x4.isEqual(values.get, values.get))),
      v128.store(place, f32x4.div(f32x4.sub(values.get, centre.get), scale.get)),
    ]),
  ]
})

const definitions = {
  ...{ predict, longest, logistic, gradient, weigh, products },
  ...{ extremes, spread, tally, prepare },
}

/** The kernels as functions of the memory that they were made for. */
export type Kernels = Readonly<Record<keyof typeof definitions, (...places: readonly number[]) => void>>

/** The module's bytes: the same wherever they are made. */
export const kernelBytes = assemble(definitions)

/** Kernels over a memory. */
export function makeKernels(memory: WebAssembly.Memory): Kernels {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes), { room: { memory } })
  return exports as Kernels
}
