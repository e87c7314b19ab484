/**
 * Moves a run of blocks from one file through the cipher into another, in this thread: the next block is read ahead while
 * the cipher works, so that a slow disk does not leave it idle. Memory is two blocks, whatever the file's size.
 */
import { read as readCallback, writevSync } from 'node:fs'
import { promisify } from 'node:util'
import {
  blockLength,
  chunksPerBlock,
  openBlock,
  sealBlock,
  sealedBlockLength,
  type ChunkKey,
} from './chunk-cipher.node.js'
import { headerLength, sealedSize } from './chunked-format.js'
import { EnvelopeError } from './errors.js'

const read = promisify(readCallback)

/** Whether chunks are sealed or opened, between which open files, and for how much plaintext in all. */
export interface PumpJob {
  readonly operation: 'seal' | 'open'
  readonly input: number
  readonly output: number
  readonly plaintextSize: number
  readonly chunkKey: ChunkKey
}

/** A run of blocks. */
export interface BlockRun {
  readonly first: number
  readonly count: number
}

/** How many blocks a file has: the last one is short, and may hold nothing but an empty chunk. */
export function blockCount(plaintextSize: number): number {
  return Math.floor(plaintextSize / blockLength) + 1
}

/**
 * Pumps a run of blocks.
 * @throws EnvelopeError `OPEN_FAILED`; `FILE_FAILED` where the input is shorter than it was, and errors of the system.
 */
export async function pumpBlocks(job: PumpJob, run: BlockRun): Promise<void> {
  const buffers = [
    Buffer.allocUnsafeSlow(sealedBlockLength),
    Buffer.allocUnsafeSlow(sealedBlockLength),
  ] as const
  const end = run.first + run.count
  let reading = readBlock(job, run.first, buffers[0])
  for (let block = run.first; block < end; block++) {
    const bytes = await reading
    if (block + 1 < end)
      reading = readBlock(job, block + 1, buffers[(block + 1 - run.first) % 2 === 0 ? 0 : 1])
    const last = block === blockCount(job.plaintextSize) - 1
    const index = block * chunksPerBlock
    try {
      const parts =
        job.operation === 'seal'
          ? sealBlock(job.chunkKey, index, bytes, last)
          : openBlock(job.chunkKey, index, bytes)
      writeAll(job.output, parts, outputPosition(job, block))
    } catch (error) {
      await reading.catch(() => undefined)
      throw error
    }
  }
}

async function readBlock(job: PumpJob, block: number, buffer: Buffer): Promise<Uint8Array> {
  const { position, length } = inputRange(job, block)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await read(job.input, buffer, filled, length - filled, position + filled)
    if (bytesRead === 0)
      throw new EnvelopeError(
        'FILE_FAILED',
        `the input is shorter than the ${position + length} bytes it had`,
      )
    filled += bytesRead
  }
  return buffer.subarray(0, length)
}

function inputRange(job: PumpJob, block: number): { position: number; length: number } {
  const [position, step, size] =
    job.operation === 'seal'
      ? [block * blockLength, blockLength, job.plaintextSize]
      : [headerLength + block * sealedBlockLength, sealedBlockLength, sealedSize(job.plaintextSize)]
  return { position, length: Math.min(step, size - position) }
}

function outputPosition(job: PumpJob, block: number): number {
  return job.operation === 'seal' ? headerLength + block * sealedBlockLength : block * blockLength
}

function writeAll(file: number, parts: readonly Uint8Array[], position: number): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  let written = writevSync(file, parts, position)
  if (written === length) return
  const rest = Buffer.concat(parts)
  while (written < length) written += writevSync(file, [rest.subarray(written)], position + written)
}
