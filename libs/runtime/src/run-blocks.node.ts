/** Runs a graph over rows in blocks, so that memory holds one block and not the table a second time. */
import { readSync, writeSync } from 'node:fs'
import { Tensor, type InferenceSession } from 'onnxruntime-node'
import { ChildFailure } from './failure.js'
import {
  elementBytes,
  type ChildFeed,
  type ChildOutput,
  type ChildTensor,
  type Operation,
  type TensorType,
} from './messages.js'

type RunOperation = Extract<Operation, { readonly op: 'run' }>

/** The values of outputs that are answered or summed, by name, in base64. */
export async function runBlocks(
  session: InferenceSession,
  { rows, blockRows, feeds, fixed, outputs }: RunOperation,
  onProgress: (percent: number) => void,
): Promise<Record<string, string>> {
  const constants = Object.fromEntries(fixed.map((tensor) => [tensor.name, fixedTensor(tensor)]))
  const blocks = feeds.map((feed) => new FeedBlock(feed, blockRows))
  const takers = outputs.map((output) => new OutputTaker(output))
  const names = outputs.map(({ name }) => name)
  let told = 0
  for (let from = 0; from < rows; from += blockRows) {
    const count = Math.min(blockRows, rows - from)
    const given = Object.fromEntries(blocks.map((block) => [block.name, block.read(from, count)]))
    const results = await session.run({ ...constants, ...given }, names)
    for (const taker of takers) taker.take(results[taker.name], from, count, feeds.length > 0)
    const percent = Math.floor((100 * (from + count)) / rows)
    if (percent >= told + 5) onProgress((told = percent))
  }
  return Object.fromEntries(takers.flatMap((taker) => taker.answer()))
}

function fixedTensor({ type, shape, base64 }: ChildTensor): Tensor {
  // A copy of its own, aligned for every type.
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))
  return tensorOf(type, bytes.buffer, bytes.length / elementBytes[type], shape)
}

function tensorOf(type: TensorType, buffer: ArrayBuffer, length: number, shape: readonly number[]): Tensor {
  switch (type) {
    case 'float32':
      return new Tensor(type, new Float32Array(buffer, 0, length), shape)
    case 'float64':
      return new Tensor(type, new Float64Array(buffer, 0, length), shape)
    case 'int32':
      return new Tensor(type, new Int32Array(buffer, 0, length), shape)
    case 'int64':
      return new Tensor(type, new BigInt64Array(buffer, 0, length), shape)
    case 'int8':
      return new Tensor(type, new Int8Array(buffer, 0, length), shape)
    case 'uint8':
    case 'bool':
      return new Tensor(type, new Uint8Array(buffer, 0, length), shape)
  }
}

/** One block of rows of one input, in memory that every block uses again. */
class FeedBlock {
  readonly name: string
  readonly #feed: ChildFeed
  readonly #rowValues: number
  readonly #bytes: Uint8Array<ArrayBuffer>
  /** The parts one after the other, as they stand in their files; empty where there is only one. */
  readonly #apart: Uint8Array<ArrayBuffer>

  constructor(feed: ChildFeed, blockRows: number) {
    this.name = feed.name
    this.#feed = feed
    this.#rowValues = feed.rowShape.reduce((product, dimension) => product * dimension, 1)
    this.#bytes = new Uint8Array(this.#rowValues * blockRows * elementBytes[feed.type])
    this.#apart = new Uint8Array(feed.parts.length === 1 ? 0 : this.#bytes.length)
  }

  read(from: number, count: number): Tensor {
    const { type, parts, rowShape } = this.#feed
    const size = elementBytes[type]
    const target = parts.length === 1 ? this.#bytes : this.#apart
    let end = 0
    for (const { fd, offsetBytes, width } of parts) {
      const length = count * width * size
      readWhole(fd, target.subarray(end, end + length), offsetBytes + from * width * size)
      end += length
    }
    if (parts.length > 1) {
      const widths = parts.map(({ width }) => width)
      interleave(elementsOf(this.#apart, size), elementsOf(this.#bytes, size), widths, count)
    }
    return tensorOf(type, this.#bytes.buffer, count * this.#rowValues, [count, ...rowShape])
  }
}

function readWhole(fd: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length;) {
    const read = readSync(fd, target, done, target.length - done, position + done)
    if (read === 0) throw new ChildFailure('REQUEST_INVALID')
    done += read
  }
}

type Elements = Uint8Array | Uint32Array | BigUint64Array

// Whole numbers of the element's size: a float that is not a number keeps its bits.
function elementsOf({ buffer }: Uint8Array<ArrayBuffer>, size: number): Elements {
  return size === 8
    ? new BigUint64Array(buffer)
    : size === 4
      ? new Uint32Array(buffer)
      : new Uint8Array(buffer)
}

const tileRows = 64

/** Makes rows of parts that stand one after the other; by tiles that stay in the processor's nearest memory. */
function interleave(apart: Elements, rows: Elements, widths: readonly number[], count: number): void {
  const rowValues = widths.reduce((sum, width) => sum + width, 0)
  for (let from = 0; from < count; from += tileRows) {
    const to = Math.min(from + tileRows, count)
    let offset = 0
    for (const width of widths) {
      const part = offset * count
      for (let value = 0; value < width; value++)
        for (let row = from; row < to; row++)
          rows[row * rowValues + offset + value] = apart[part + row * width + value] as number
      offset += width
    }
  }
}

/** Takes one output block after block. */
class OutputTaker {
  readonly name: string
  readonly #output: ChildOutput
  readonly #sums: Float64Array
  #last: Uint8Array = new Uint8Array(0)

  constructor(output: ChildOutput) {
    this.name = output.name
    this.#output = output
    this.#sums = new Float64Array(output.to.kind === 'sum' ? output.values : 0)
  }

  take(tensor: Tensor | undefined, from: number, count: number, perRow: boolean): void {
    const { type, values, to } = this.#output
    const expected = to.kind === 'file' && perRow ? values * count : values
    if (tensor?.type !== type || tensor.size !== expected || Array.isArray(tensor.data))
      throw new ChildFailure('OUTPUT_INVALID')
    const { data } = tensor
    if (to.kind === 'sum') {
      for (let index = 0; index < values; index++)
        this.#sums[index] = (this.#sums[index] ?? 0) + Number(data[index])
      return
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    if (to.kind !== 'file') this.#last = bytes.slice()
    else writeWhole(to.fd, bytes, to.offsetBytes + from * values * elementBytes[type])
  }

  answer(): [name: string, base64: string][] {
    const { kind } = this.#output.to
    if (kind === 'file') return []
    const bytes = kind === 'sum' ? new Uint8Array(this.#sums.buffer) : this.#last
    return [[this.name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')]]
  }
}

function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}
