/** Rows of a training as blocks of columns: what the kernels read. Holds values of people and never leaves the engine's child. */

/** Rows per block: a block of thirty columns, in double precision too, stays in a processor's second cache. */
export const blockRows = 2048

/** At most {@link blockRows} rows. Column `j` stands at `j * blockRows`. */
export interface Block {
  rows: number
  readonly columns: Float32Array
  readonly target: Float32Array
  /** Bit `c` says that the row has a unit of class `c`. */
  readonly classes: Int32Array
}

/** Rows of one part, training or test. */
export interface Part {
  readonly width: number
  readonly blocks: Block[]
  rows: number
}

/** Values of a column as a database hands them over. */
export type Values = Float32Array | Int32Array | readonly number[]

/** Columns of a batch of rows. `part` holds 1 where a row is held out for the test. */
export interface Batch {
  readonly rows: number
  readonly columns: readonly Values[]
  readonly target: Values
  readonly part: Values
  readonly classes: Values
}

/** An empty part of so many columns. */
export function emptyPart(width: number): Part {
  return { width, blocks: [], rows: 0 }
}

/** Appends the rows of a batch, each to the part that it names. */
export function appendBatch(parts: { readonly train: Part; readonly test: Part }, batch: Batch): void {
  const test = rowsWhere(batch, true)
  if (test.length === 0) appendRows(parts.train, batch, batch.rows, slice)
  else {
    const train = rowsWhere(batch, false)
    appendRows(parts.train, batch, train.length, pick(train))
    appendRows(parts.test, batch, test.length, pick(test))
  }
}

function rowsWhere({ rows, part }: Batch, heldOut: boolean): Int32Array {
  const found = new Int32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) if ((part[row] === 1) === heldOut) found[count++] = row
  return found.subarray(0, count)
}

/** Some of the values of a column, by their order among the rows that are appended. */
type Choose = (values: Values, from: number, until: number) => ArrayLike<number>

const slice: Choose = (values, from, until) =>
  'subarray' in values ? values.subarray(from, until) : values.slice(from, until)

const pick =
  (rows: Int32Array): Choose =>
  (values, from, until) => {
    // Bits of classes do not fit into single precision.
    const chosen =
      values instanceof Float32Array ? new Float32Array(until - from) : new Float64Array(until - from)
    for (let i = 0; i < chosen.length; i++) chosen[i] = values[rows[from + i] ?? 0] ?? NaN
    return chosen
  }

function appendRows(part: Part, batch: Batch, rows: number, choose: Choose): void {
  for (let done = 0; done < rows;) {
    const block = openBlock(part)
    const until = Math.min(rows, done + blockRows - block.rows)
    batch.columns.forEach((column, j) => {
      block.columns.set(choose(column, done, until), j * blockRows + block.rows)
    })
    block.target.set(choose(batch.target, done, until), block.rows)
    block.classes.set(choose(batch.classes, done, until), block.rows)
    block.rows += until - done
    part.rows += until - done
    done = until
  }
}

function openBlock(part: Part): Block {
  const last = part.blocks.at(-1)
  if (last !== undefined && last.rows < blockRows) return last
  // Shared, so that other threads read the same bytes.
  const bytes = (columns: number) => new SharedArrayBuffer(4 * columns * blockRows)
  const block = {
    rows: 0,
    columns: new Float32Array(bytes(part.width)),
    target: new Float32Array(bytes(1)),
    classes: new Int32Array(bytes(1)),
  }
  part.blocks.push(block)
  return block
}
