import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { blockRows, type Block } from '../blocks.js'
import { kernelBytes } from './kernels.js'
import { columnsAtOnce, tileColumns } from './layout.js'
import { columnOf, Room, tileBytes, tileLines } from './room.js'

/** Numbers from -1 to 1, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

/** A block whose rows that are none hold what must not count. */
function made(rows: number, width: number, value: () => number): Block {
  const block = {
    ...{ rows, columns: new Float32Array(width * blockRows).fill(1e30) },
    ...{ target: new Float32Array(blockRows).fill(1e30), classes: new Int32Array(blockRows).fill(-1) },
  }
  for (let column = 0; column < width; column++)
    for (let row = 0; row < rows; row++) block.columns[column * blockRows + row] = value()
  for (let row = 0; row < rows; row++) block.target[row] = value() > 0 ? 1 : 0
  return block
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0)

function expectNear(found: number, exact: number, size: number): void {
  expect(Math.abs(found - exact)).toBeLessThanOrEqual(1e-13 * size)
}

it('are the same bytes wherever they are made', () => {
  expect(createHash('sha256').update(kernelBytes).digest('hex')).toBe(
    '7ed56d3582ce222006205c61472beccc7fc91c1e74fdbcf2721a0bf3f073efcc',
  )
})

const sizes = [
  ...[1, 2, 3, 30].flatMap((width) =>
    [1, 2, 7, 8, 9, 1001, 2047, blockRows].map((rows) => ({ width, rows })),
  ),
  ...[1, 1001, blockRows].map((rows) => ({ width: 200, rows })),
  ...[1, 9].map((rows) => ({ width: 2000, rows })),
]

describe.each(sizes)('kernels over $rows rows of $width columns', ({ rows, width }) => {
  const next = numbers(rows * 31 + width)
  let block: Block
  let room: Room
  const weights = Float64Array.from(range(width + 1), next)
  const residuals = Float64Array.from(range(rows), next)

  beforeAll(() => {
    block = made(rows, width, next)
    room = new Room(width)
    // What an earlier block left must not count.
    room.doubles(0, room.at.numbers / 8).fill(1e30)
    room.load(block, range(width), 0)
  })
  const value = (column: number, row: number): number => block.columns[column * blockRows + row] ?? NaN

  /** Puts a number of each row into a column in double precision; zeros behind. */
  function put(place: number, values: Float64Array): void {
    room.doubles(place, room.rowsAndMore).fill(0).set(values)
  }

  it('predict each row as a loop does, to the bit', () => {
    room.doubles(room.at.weights, width + 1).set(weights)
    const { at, bytes } = room
    room.kernels.predict(
      ...[at.columns, room.column(width), at.weights, at.weights + 8 * width, at.predictors, bytes],
    )
    const expected = range(rows).map((row) =>
      range(width).reduce(
        (a, column) => a + value(column, row) * (weights[column] ?? NaN),
        weights[width] ?? NaN,
      ),
    )
    expect([...room.doubles(at.predictors, rows)]).toEqual(expected)
  })

  it('find the longest row as a loop does, to the bit', () => {
    const most = room.doubles(room.at.numbers, 2).fill(0)
    room.kernels.longest(room.at.columns, room.column(width), room.at.numbers, room.bytes)
    const squares = range(rows).map((row) =>
      range(width).reduce((a, column) => a + value(column, row) ** 2, 0),
    )
    expect(Math.max(...most)).toBe(Math.max(...squares))
  })

  it('multiply residuals with each column', () => {
    put(room.at.residuals, residuals)
    for (let column = 0; column < width; column += columnsAtOnce)
      room.kernels.gradient(room.column(column), room.at.residuals, room.at.gradient + 8 * column, room.bytes)
    room.doubles(room.at.gradient, width).forEach((found, column) => {
      const parts = range(rows).map((row) => value(column, row) * (residuals[row] ?? NaN))
      expectNear(found, sum(parts), sum(parts.map(Math.abs)))
    })
  })

  it('weigh columns to the bit, and multiply each with each', () => {
    const roots = residuals.map(Math.abs)
    put(room.weighted(width), roots)
    for (let column = 0; column < width; column++)
      room.kernels.weigh(room.column(column), room.weighted(width), room.weighted(column), room.bytes)
    const weighed = [
      ...range(width).map((column) =>
        Float64Array.from(range(rows), (row) => value(column, row) * (roots[row] ?? NaN)),
      ),
      roots,
    ]
    weighed.forEach((one, column) => {
      expect(Buffer.compare(bytesOf(room.doubles(room.weighted(column), rows)), bytesOf(one))).toBe(0)
    })
    const lines = tileLines(width + 1)
    // The widest is looked at in the tiles of its first, a middle and its last line.
    const chosen = new Set(width > 200 ? [0, 333, lines - 1] : range(lines))
    for (const left of chosen)
      for (let right = 0; right <= left; right++) {
        const tile = room.doubles(room.at.tiles, tileBytes / 8).fill(0)
        room.kernels.products(
          ...[
            room.weighted(left * tileColumns),
            room.weighted(right * tileColumns),
            room.at.tiles,
            room.bytes,
          ],
        )
        tile.forEach((found, at) => {
          const a = weighed[left * tileColumns + Math.floor(at / tileColumns)]
          const b = weighed[right * tileColumns + (at % tileColumns)]
          if (a === undefined || b === undefined) return
          let [exact, size] = [0, 0]
          for (let row = 0; row < rows; row++) {
            const part = (a[row] ?? NaN) * (b[row] ?? NaN)
            exact += part
            size += Math.abs(part)
          }
          if (!(Math.abs(found - exact) <= 1e-13 * size)) expectNear(found, exact, size)
        })
      }
  })
})

function bytesOf(values: Float64Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

describe.each([1, 2, 7, 8, 9, 1001, 2047, blockRows])('kernels over one column of %i rows', (rows) => {
  const next = numbers(rows)
  // A fifth is missing, a fifth stands on the bounds, and there are numbers at the ends of single precision.
  const ends = [NaN, 0.5, -0.5, 3.4e38, 1e-44, -1e-44]
  const block = made(rows, 1, () => {
    const at = Math.floor(Math.abs(next()) * 15)
    return ends[at] ?? next()
  })
  const values = [...columnOf(block, 0)]
  const numbersOnly = values.filter((one) => !Number.isNaN(one))
  const room = new Room(1)
  const { kernels, at } = room

  it('find the least and the greatest, count and sum, without what is missing', () => {
    room.load(block, [0], NaN)
    room.singles(at.numbers, 8).fill(Infinity, 0, 4).fill(-Infinity, 4)
    room.integers(at.numbers + 32, 4).fill(0)
    room.doubles(at.numbers + 48, 2).fill(0)
    kernels.extremes(room.column(0), at.numbers, room.bytes)
    const [low, high] = [room.singles(at.numbers, 4), room.singles(at.numbers + 16, 4)]
    expect([Math.min(...low), Math.max(...high)]).toEqual([
      Math.min(...numbersOnly),
      Math.max(...numbersOnly),
    ])
    expect(sum(room.integers(at.numbers + 32, 4))).toBe(numbersOnly.length)
    expectNear(sum(room.doubles(at.numbers + 48, 2)), sum(numbersOnly), sum(numbersOnly.map(Math.abs)))
  })

  it('sum squares about a centre, without what is missing', () => {
    room.load(block, [0], NaN)
    room.doubles(at.numbers, 2).fill(0)
    room.doubles(at.numbers + 48, 1)[0] = 0.3
    kernels.spread(room.column(0), at.numbers + 48, at.numbers, room.bytes)
    const squares = sum(numbersOnly.map((one) => (one - 0.3) ** 2))
    expectNear(sum(room.doubles(at.numbers, 2)), squares, squares)
  })

  it('count units above and below bounds, of values that are there', () => {
    room.load(block, [0], NaN)
    const units = room.integers(at.units, room.rowsAndMore).fill(-1).fill(0, rows)
    range(rows).forEach((row) => {
      units[row] = row % 3 === 0 ? 0 : -1
    })
    room.singles(at.numbers + 32, 2).set([-0.5, 0.5])
    room.integers(at.numbers, 8).fill(0)
    kernels.tally(room.column(0), at.units, at.numbers + 32, at.numbers, room.bytes)
    const counted = values.filter((_one, row) => row % 3 !== 0)
    expect(sum(room.integers(at.numbers, 4))).toBe(counted.filter((one) => one > -0.5).length)
    expect(sum(room.integers(at.numbers + 16, 4))).toBe(counted.filter((one) => one < 0.5).length)
  })

  it('fill, centre and divide in single precision, to the bit', () => {
    room.load(block, [0], 0)
    const [fill, centre, scale] = [0.25, 0.1, 0.7].map(Math.fround) as [number, number, number]
    room.singles(at.numbers, 3).set([fill, centre, scale])
    kernels.prepare(room.column(0), at.numbers, room.bytes)
    const expected = values.map((one) =>
      Math.fround(Math.fround((Number.isNaN(one) ? fill : one) - centre) / scale),
    )
    expect([...room.singles(room.column(0), rows)]).toEqual(expected)
  })

  it('say what a logistic model says of each row', () => {
    const whole = made(rows, 1, next)
    room.load(whole, [0], 0)
    const targets = room.loadTargets(whole)
    const far = [0, 40, -40, 800, -800]
    const predictors = Float64Array.from(range(rows), (row) => far[row % 17] ?? 6 * next())
    const behind = room.doubles(at.predictors, room.rowsAndMore).fill(-10_000)
    behind.set(predictors)
    const roots = room.weighted(1)
    kernels.logistic(at.predictors, at.targets, at.probabilities, at.residuals, roots, at.numbers, room.bytes)
    let loss = 0
    predictors.forEach((z, row) => {
      const [target, tail] = [targets[row] ?? NaN, Math.max(Math.exp(-Math.abs(z)), Math.exp(-708))]
      const [near, far] = [1 / (1 + tail), tail / (1 + tail)]
      const probability = z >= 0 ? near : far
      loss += Math.max(z, 0) - target * z + Math.log1p(tail)
      expectNear(room.doubles(at.probabilities, rows)[row] ?? NaN, probability, probability)
      expectNear(room.doubles(at.residuals, rows)[row] ?? NaN, probability - target, 1)
      const root = Math.sqrt(tail) / (1 + tail)
      expectNear(room.doubles(roots, rows)[row] ?? NaN, root, root)
    })
    const [products, rests] = [[...room.doubles(at.numbers, 4)], [...room.doubles(at.numbers + 32, 4)]]
    for (const product of products) expect(Number.isFinite(product)).toBe(true)
    expectNear(sum(products.map(Math.log)) + sum(rests), loss, rows + loss)
  })
})
