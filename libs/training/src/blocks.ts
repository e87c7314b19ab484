/** Rows of a training as blocks of columns: what the kernels read. Holds values of people and never leaves the engine's child. */

/** Rows per block: a block of thirty columns stays in a processor's second cache. */
export const blockRows = 4096

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

/** Columns of a batch of rows, as a database hands them over. `part` holds 1 where a row is held out for the test. */
export interface Batch {
  readonly rows: number
  readonly columns: readonly ArrayLike<number>[]
  readonly target: ArrayLike<number>
  readonly part: ArrayLike<number>
  readonly classes: ArrayLike<number>
}

/** An empty part of so many columns. */
export function emptyPart(width: number): Part {
  return { width, blocks: [], rows: 0 }
}

/** Appends the rows of a batch, each to the part that it names. */
export function appendBatch(parts: { readonly train: Part; readonly test: Part }, batch: Batch): void {
  const train: number[] = []
  const test: number[] = []
  for (let row = 0; row < batch.rows; row++) (batch.part[row] === 1 ? test : train).push(row)
  appendRows(parts.train, batch, train)
  appendRows(parts.test, batch, test)
}

function appendRows(part: Part, batch: Batch, chosen: readonly number[]): void {
  for (let done = 0; done < chosen.length;) {
    const block = openBlock(part)
    const count = Math.min(blockRows - block.rows, chosen.length - done)
    const rows = chosen.slice(done, done + count)
    batch.columns.forEach((column, j) => {
      copy(block.columns, j * blockRows + block.rows, column, rows)
    })
    copy(block.target, block.rows, batch.target, rows)
    copy(block.classes, block.rows, batch.classes, rows)
    block.rows += count
    part.rows += count
    done += count
  }
}

function copy(
  to: Float32Array | Int32Array,
  at: number,
  from: ArrayLike<number>,
  rows: readonly number[],
): void {
  for (let i = 0; i < rows.length; i++) to[at + i] = from[rows[i] ?? 0] ?? 0
}

function openBlock(part: Part): Block {
  const last = part.blocks.at(-1)
  if (last !== undefined && last.rows < blockRows) return last
  const block = {
    rows: 0,
    columns: new Float32Array(part.width * blockRows),
    target: new Float32Array(blockRows),
    classes: new Int32Array(blockRows),
  }
  part.blocks.push(block)
  return block
}
