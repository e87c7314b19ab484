/** A loaded model: what is fed and taken is compared with what the checked model declares, before and after the child. */
import { AnswerFault, type ChildLink, type MemoryFile } from '#libs/engine'
import type { CheckedModel, ValueInfo } from '#libs/model'
import { RuntimeError } from './errors.js'
import {
  elementBytes,
  type ChildFeed,
  type ChildOutput,
  type ChildTensor,
  type Operation,
  type TensorType,
} from './messages.js'

/** Values of rows in a file of the runtime, row-major in the input's element type, little-endian. */
export interface RowsInFile {
  readonly file: MemoryFile
  /** Where the first row begins; 0. */
  readonly offsetBytes?: number
  /** Values per row in this file; all of the input's. Several parts stand side by side. */
  readonly width?: number
}

/** A tensor with few values. */
export interface SmallTensor {
  readonly shape: readonly number[]
  /** Little-endian, in the element type of the input or output. */
  readonly bytes: Uint8Array
}

/** A run over rows in blocks. */
export interface RowsRun {
  readonly rows: number
  /** Rows per block; 2048, which stay in the processor's own memory. */
  readonly blockRows?: number
  /** By input whose first dimension is the rows. */
  readonly feeds: Readonly<Record<string, readonly RowsInFile[]>>
  /** By input that is the same in all blocks. */
  readonly fixed?: Readonly<Record<string, SmallTensor>>
  /** Outputs of fixed size, added up over the blocks in float64. */
  readonly sums?: readonly string[]
  /** Outputs whose first dimension is the rows, and where they go. */
  readonly into?: Readonly<Record<string, Omit<RowsInFile, 'width'>>>
  readonly timeoutMilliseconds: number
  readonly onProgress?: (percent: number) => void
}

const maximumFixedBytes = 16_000_000

/** One model in one runtime. */
export class ModelSession {
  readonly model: CheckedModel
  readonly #link: ChildLink<Operation, RuntimeError>
  readonly #number: number
  readonly #descriptorOf: (file: MemoryFile) => number

  /** Made by {@link ModelRuntime.load}. */
  constructor(
    link: ChildLink<Operation, RuntimeError>,
    number: number,
    model: CheckedModel,
    descriptorOf: (file: MemoryFile) => number,
  ) {
    this.#link = link
    this.#number = number
    this.model = model
    this.#descriptorOf = descriptorOf
  }

  /**
   * Runs once over small tensors and answers every output whole: a step of a loop whose state goes in and comes out.
   * @throws RuntimeError `REQUEST_INVALID`, `RUN_FAILED`, `OUTPUT_INVALID`, `OUT_OF_MEMORY`, `TIMED_OUT`, `CHILD_DIED`.
   */
  async run(
    inputs: Readonly<Record<string, SmallTensor>>,
    timeoutMilliseconds: number,
  ): Promise<Record<string, Uint8Array>> {
    const rows = this.#batchOf(inputs)
    const outputs = this.model.outputs.map(({ name, type, shape }): ChildOutput => {
      return { name, type, values: product(shape, rows), to: { kind: 'answer' } }
    })
    const fixed = this.#fixed(inputs, this.model.inputs)
    return this.#request({ rows: 1, blockRows: 1, feeds: [], fixed, outputs }, timeoutMilliseconds)
  }

  /**
   * Runs over all rows, block after block. Answers the sums.
   * @throws RuntimeError as {@link ModelSession.run} does.
   */
  async runRows(run: RowsRun): Promise<Record<string, Float64Array>> {
    const { rows, blockRows = 2048, fixed = {}, sums = [], into = {} } = run
    if (!Number.isSafeInteger(rows) || rows < 1 || !Number.isSafeInteger(blockRows) || blockRows < 1)
      throw invalid(`rows ${rows} in blocks of ${blockRows}; expected whole numbers from 1`)
    const fed = this.model.inputs.filter(({ name }) => !Object.hasOwn(fixed, name))
    requireNames('feeds', Object.keys(run.feeds), fed)
    const feeds = fed.map((input) => this.#feed(input, run.feeds[input.name] ?? [], rows))
    const rest = this.model.inputs.filter(({ name }) => Object.hasOwn(fixed, name))
    const outputs = [
      ...sums.map((name) => this.#summed(name)),
      ...Object.entries(into).map(([name, place]) => this.#written(name, place)),
    ]
    const operation = { rows, blockRows, feeds, fixed: this.#fixed(fixed, rest), outputs }
    const answers = await this.#request(operation, run.timeoutMilliseconds, run.onProgress)
    return Object.fromEntries(
      Object.entries(answers).map(([name, bytes]) => [name, new Float64Array(bytes.buffer)]),
    )
  }

  async #request(
    operation: Omit<Extract<Operation, { readonly op: 'run' }>, 'op' | 'session'>,
    timeoutMilliseconds: number,
    onProgress?: (percent: number) => void,
  ): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
    return this.#link.request(
      { op: 'run', session: this.#number, ...operation },
      { timeoutMilliseconds, onProgress, read: (value) => readAnswers(value, operation.outputs) },
    )
  }

  /** The batch that the inputs agree on; 1 where none is open. */
  #batchOf(inputs: Readonly<Record<string, SmallTensor>>): number {
    const batches = this.model.inputs
      .filter(({ shape }) => typeof shape[0] === 'string')
      .map(({ name }) => inputs[name]?.shape[0] ?? 1)
    if (new Set(batches).size > 1) throw invalid('the inputs have different numbers of rows')
    return batches[0] ?? 1
  }

  #fixed(tensors: Readonly<Record<string, SmallTensor>>, inputs: readonly ValueInfo[]): ChildTensor[] {
    requireNames('tensors', Object.keys(tensors), inputs)
    return inputs.map(({ name, type, shape: declared }) => {
      const { shape, bytes } = tensors[name] ?? { shape: [], bytes: new Uint8Array(0) }
      const fits =
        shape.length === declared.length &&
        shape.every((dimension, index) => {
          const expected = declared[index]
          return typeof expected === 'number'
            ? dimension === expected
            : Number.isSafeInteger(dimension) && dimension > 0
        })
      const size = product(shape, 1) * elementBytes[type]
      if (!fits || bytes.length !== size || size > maximumFixedBytes)
        throw invalid(
          `input ${name} of ${bytes.length} bytes and shape [${shape.join(', ')}]; expected [${declared.join(', ')}] of ${type}`,
        )
      return {
        name,
        type,
        shape,
        base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
      }
    })
  }

  #feed({ name, type, shape }: ValueInfo, parts: readonly RowsInFile[], rows: number): ChildFeed {
    if (typeof shape[0] !== 'string') throw invalid(`input ${name} has no dimension of rows`)
    const rowShape = shape.slice(1).map(Number)
    const values = product(rowShape, 1)
    const placed = parts.map(({ file, offsetBytes = 0, width = values }) => {
      const end = offsetBytes + rows * width * elementBytes[type]
      if (file.size() < end)
        throw invalid(`input ${name} needs ${end} bytes of its file; it has ${file.size()}`)
      return { fd: this.#descriptorOf(file), offsetBytes, width }
    })
    const width = placed.reduce((sum, part) => sum + part.width, 0)
    if (width !== values) throw invalid(`input ${name} has ${values} values per row; its parts have ${width}`)
    return { name, type, rowShape, parts: placed }
  }

  #summed(name: string): ChildOutput {
    const { type, shape } = this.#output(name)
    if (shape.some((dimension) => typeof dimension === 'string'))
      throw invalid(`output ${name} has a dimension of rows and cannot be summed`)
    return { name, type, values: product(shape, 1), to: { kind: 'sum' } }
  }

  #written(name: string, { file, offsetBytes = 0 }: Omit<RowsInFile, 'width'>): ChildOutput {
    const { type, shape } = this.#output(name)
    if (typeof shape[0] !== 'string') throw invalid(`output ${name} has no dimension of rows`)
    const to = { kind: 'file', fd: this.#descriptorOf(file), offsetBytes } as const
    return { name, type, values: product(shape, 1), to }
  }

  #output(name: string): ValueInfo {
    const output = this.model.outputs.find((candidate) => candidate.name === name)
    if (output === undefined) throw invalid(`the model has no output ${name}`)
    return output
  }
}

function product(shape: readonly (number | string)[], rows: number): number {
  return shape.reduce<number>((sum, dimension) => sum * (typeof dimension === 'number' ? dimension : rows), 1)
}

function requireNames(what: string, given: readonly string[], inputs: readonly ValueInfo[]): void {
  const expected = inputs.map(({ name }) => name)
  if (given.length !== expected.length || given.some((name) => !expected.includes(name)))
    throw invalid(`${what} for ${given.join(', ')}; expected ${expected.join(', ')}`)
}

function invalid(message: string): RuntimeError {
  return new RuntimeError('REQUEST_INVALID', message)
}

// The child may have been taken over: what it answers has the names and sizes that were asked for, or nothing does.
function readAnswers(
  value: unknown,
  outputs: readonly ChildOutput[],
): Record<string, Uint8Array<ArrayBuffer>> {
  if (typeof value !== 'object' || value === null) throw new AnswerFault('answers')
  const asked = outputs.filter(({ to }) => to.kind !== 'file')
  if (Object.keys(value).length !== asked.length) throw new AnswerFault('answers')
  return Object.fromEntries(
    asked.map(({ name, type, values, to }) => {
      const text: unknown = Object.getOwnPropertyDescriptor(value, name)?.value
      if (typeof text !== 'string') throw new AnswerFault('an answer that is not text')
      // A copy of its own, aligned for every type.
      const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
      if (bytes.length !== values * sizeOf(to.kind, type)) throw new AnswerFault('an answer of another size')
      return [name, bytes] as const
    }),
  )
}

function sizeOf(kind: ChildOutput['to']['kind'], type: TensorType): number {
  return kind === 'sum' ? 8 : elementBytes[type]
}
