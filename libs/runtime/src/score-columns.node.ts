/**
 * Scores the rows of a table: columns go to the model's inputs as a mapping says, one output comes back row by row.
 * Guards: a column that is missing, too short or not exact in the input's type is refused, never filled in or rounded to a whole number.
 * Does not guard what scores tell about rows or about the model; controls and limits of the contract do.
 */
import { readSync } from 'node:fs'
import type { CheckedModel, ElementType, ValueInfo } from '#libs/model'
import { RuntimeError } from './errors.js'
import { elementBytes } from './messages.js'
import type { ModelRuntime } from './model-runtime.node.js'
import type { ModelSession, RowsInFile } from './model-session.node.js'

/** A column: as many numbers as there are rows; NaN is a missing value. */
export type NumberColumn = Float64Array | Float32Array | Int32Array

/** Which columns stand in which input, side by side in this order, and which output is the score. */
export interface ScoreMapping {
  readonly inputs: Readonly<Record<string, readonly string[]>>
  readonly output: string
}

/** A table to be scored. */
export interface ScoreRequest {
  readonly rows: number
  readonly columns: Readonly<Record<string, NumberColumn>>
  readonly mapping: ScoreMapping
  readonly timeoutMilliseconds: number
  readonly onProgress?: (percent: number) => void
}

/** Scores, row-major: `width` values for each row. */
export interface Scores {
  readonly width: number
  readonly values: Float32Array | Float64Array
}

// Before any value is copied.
function requireMapping(model: CheckedModel, { inputs, output }: ScoreMapping): void {
  for (const name of Object.keys(inputs))
    if (!model.inputs.some((input) => input.name === name)) throw invalid(`the model has no input ${name}`)
  for (const input of model.inputs) {
    const columns = Object.hasOwn(inputs, input.name) ? inputs[input.name] : undefined
    const width = rowWidth(input)
    if (columns?.length !== width)
      throw invalid(`input ${input.name} takes ${width} columns; ${columns?.length ?? 0} are mapped to it`)
  }
  scoreOutput(model, output)
}

/**
 * Scores all rows. The runtime needs one input file and one output file; it may be used again.
 * @throws RuntimeError `REQUEST_INVALID`, and those of {@link ModelSession.runRows}.
 */
export async function scoreColumns(
  runtime: ModelRuntime,
  session: ModelSession,
  request: ScoreRequest,
): Promise<Scores> {
  const { rows, mapping, timeoutMilliseconds, onProgress } = request
  requireMapping(session.model, mapping)
  const [input] = runtime.inputs
  const [file] = runtime.outputs
  if (input === undefined || file === undefined)
    throw invalid('the runtime was started without a file for columns or without one for scores')
  let end = 0
  const feeds: Record<string, RowsInFile[]> = {}
  for (const { name, type } of session.model.inputs) {
    feeds[name] = []
    for (const column of mapping.inputs[name] ?? []) {
      feeds[name].push({ file: input, offsetBytes: end, width: 1 })
      await writeColumn(runtime, requireColumn(request, column), type, end, column)
      end += rows * elementBytes[type]
    }
  }
  const into = { [mapping.output]: { file } }
  await session.runRows({
    rows,
    feeds,
    into,
    timeoutMilliseconds,
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  return readScores(file.fd, rows, scoreOutput(session.model, mapping.output))
}

function requireColumn({ rows, columns }: ScoreRequest, name: string): NumberColumn {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (column?.length !== rows)
    throw invalid(`column ${name} has ${column?.length ?? 0} values; the table has ${rows} rows`)
  return column
}

const chunkValues = 262_144

async function writeColumn(
  runtime: ModelRuntime,
  column: NumberColumn,
  type: ElementType,
  offsetBytes: number,
  name: string,
): Promise<void> {
  const [file] = runtime.inputs
  for (let from = 0; from < column.length; from += chunkValues) {
    const values = converted(column.subarray(from, from + chunkValues), type, name)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    await file?.write(bytes, offsetBytes + from * elementBytes[type])
  }
}

function converted(values: NumberColumn, type: ElementType, name: string): ArrayBufferView {
  switch (type) {
    case 'float32':
      return values instanceof Float32Array ? values : Float32Array.from(values)
    case 'float64':
      return values instanceof Float64Array ? values : Float64Array.from(values)
    case 'int32':
      return exact(values, Int32Array.from(values), name)
    case 'int8':
      return exact(values, Int8Array.from(values), name)
    case 'uint8':
      return exact(values, Uint8Array.from(values), name)
    case 'bool':
      if (values.some((value) => value !== 0 && value !== 1)) throw inexact(name)
      return Uint8Array.from(values)
    case 'int64':
      if (!values.every((value) => Number.isSafeInteger(value))) throw inexact(name)
      return BigInt64Array.from(Array.from(values, BigInt))
  }
}

function exact<T extends Int32Array | Int8Array | Uint8Array>(
  values: NumberColumn,
  whole: T,
  name: string,
): T {
  if (values.some((value, index) => value !== whole[index])) throw inexact(name)
  return whole
}

function inexact(name: string): RuntimeError {
  return invalid(`column ${name} holds a value that the type of its input cannot hold exactly`)
}

function scoreOutput(
  model: CheckedModel,
  name: string,
): ValueInfo & { readonly type: 'float32' | 'float64' } {
  const output = model.outputs.find((candidate) => candidate.name === name)
  if (output === undefined) throw invalid(`the model has no output ${name}`)
  const { type, shape } = output
  if ((type !== 'float32' && type !== 'float64') || typeof shape[0] !== 'string')
    throw invalid(
      `output ${name} is ${type} of [${shape.join(', ')}]; expected float32 or float64 for each row`,
    )
  return { ...output, type }
}

function rowWidth({ name, shape }: ValueInfo): number {
  if (typeof shape[0] !== 'string') throw invalid(`input ${name} has no dimension of rows`)
  return shape.slice(1).reduce<number>((product, dimension) => product * Number(dimension), 1)
}

function readScores(fd: number, rows: number, output: ReturnType<typeof scoreOutput>): Scores {
  const width = rowWidth(output)
  const bytes = new Uint8Array(rows * width * elementBytes[output.type])
  for (let done = 0; done < bytes.length;) {
    const read = readSync(fd, bytes, done, bytes.length - done, done)
    if (read === 0)
      throw new RuntimeError('OUTPUT_INVALID', 'the child wrote fewer scores than there are rows')
    done += read
  }
  const values = output.type === 'float32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer)
  return { width, values }
}

function invalid(message: string): RuntimeError {
  return new RuntimeError('REQUEST_INVALID', message)
}
