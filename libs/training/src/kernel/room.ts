/** The memory of one thread's kernels: one block at a time is copied in, and what is computed of it stands beside it. */
import { blockRows, type Block } from '../blocks.js'
import { makeKernels, type Kernels } from './kernels.js'
import { columnsAtOnce, doubleStride, rowsAtOnce, singleStride, tileColumns } from './layout.js'

const page = 65_536
const aligned = 64
/** Above it the memory would pass what an address of 32 bits reaches; the tiles grow with the square. */
const mostColumns = 16_384
/** A tile of sums, in bytes. */
export const tileBytes = tileColumns * tileColumns * 8

/** Addresses of what lies in a {@link Room}, in bytes. */
interface Places {
  readonly columns: number
  readonly targets: number
  readonly units: number
  readonly predictors: number
  readonly probabilities: number
  readonly residuals: number
  /** The columns times the roots of the curvature, and these roots themselves, the intercept's column, after the last. */
  readonly weighted: number
  readonly weights: number
  readonly gradient: number
  readonly tiles: number
  /** 64 bytes for what a kernel takes and gives. */
  readonly numbers: number
}

/**
 * Room for blocks of so many columns. Kernels write where they are told to, so whatever is larger than its place is refused before.
 * @throws RangeError for a width, a block or columns that do not fit, here and in `load`.
 */
export class Room {
  readonly kernels: Kernels
  readonly at: Places
  rows = 0
  /** Bytes of a loaded column that kernels go over. */
  bytes = 0
  readonly #memory: WebAssembly.Memory

  constructor(readonly width: number) {
    expectWithin(width, 1, mostColumns, 'columns of a room')
    const lines = tileLines(width + 1)
    const gradients = roundUp(width, columnsAtOnce)
    let size = 0
    const take = (bytes: number): number => {
      const place = size
      size = roundUp(size + bytes, aligned)
      return place
    }
    this.at = {
      columns: take(gradients * singleStride),
      targets: take(singleStride),
      units: take(singleStride),
      predictors: take(doubleStride),
      probabilities: take(doubleStride),
      residuals: take(doubleStride),
      weighted: take(lines * tileColumns * doubleStride),
      weights: take((width + 1) * 8),
      gradient: take(gradients * 8),
      tiles: take(((lines * (lines + 1)) / 2) * tileBytes),
      numbers: take(64),
    }
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(size / page) })
    this.kernels = makeKernels(this.#memory)
  }

  singles(place: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, place, length)
  }

  doubles(place: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, place, length)
  }

  integers(place: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, place, length)
  }

  /** The address of the column of this place. */
  column(index: number): number {
    return this.at.columns + index * singleStride
  }

  /** The address of a column in double precision. */
  weighted(index: number): number {
    return this.at.weighted + index * doubleStride
  }

  /** Rows of a loaded block, and behind them as many as kernels go over beside them. */
  get rowsAndMore(): number {
    return this.bytes / 4
  }

  /** Copies columns of a block in, side by side. `behind` stands in the rows that are none. */
  load(block: Block, columns: readonly number[], behind: number): void {
    expectWithin(columns.length, 1, this.width, 'columns side by side')
    expectWithin(block.rows, 1, blockRows, 'rows of a block')
    for (const column of columns)
      expectWithin(column, 0, Math.floor(block.columns.length / blockRows) - 1, 'number of a column')
    this.rows = block.rows
    this.bytes = 4 * roundUp(block.rows, rowsAtOnce)
    columns.forEach((column, index) => {
      const into = this.singles(this.column(index), this.rowsAndMore)
      into.set(columnOf(block, column))
      into.fill(behind, block.rows)
    })
  }

  /** Copies the targets of a block in; behind them stand zeros. */
  loadTargets({ rows, target }: Block): Float32Array {
    const into = this.singles(this.at.targets, this.rowsAndMore)
    into.set(target.subarray(0, rows))
    return into.fill(0, rows)
  }
}

// Kernels go over one row and one column at least, so nothing at all does not fit either.
function expectWithin(value: number, least: number, most: number, what: string): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${what}: ${value}; expected a whole number from ${least} to ${most}`)
}

/** Tiles side by side below so many columns. */
export function tileLines(columns: number): number {
  return Math.ceil(columns / tileColumns)
}

/** A column's values in a block. */
export function columnOf({ columns, rows }: Block, column: number): Float32Array {
  return columns.subarray(column * blockRows, column * blockRows + rows)
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to
}
