/**
 * Moves a run of blocks from one file through the cipher into another, in this thread. Blocks are small enough that what one
 * step leaves in the processor's cache the next one finds there; reading ahead is the operating system's. Memory is a few
 * blocks, whatever the file's size.
 */
import { readSync, writevSync } from 'node:fs'
import {
  blockLength,
  chunksPerBlock,
  sealBlock,
  sealedBlockLength,
  tryOpenBlock,
  type ChunkKey,
} from './chunk-cipher.node.js'
import { headerLength } from './chunked-format.js'
import type { BlockRun } from './block-queue.node.js'

/** Whether chunks are sealed or opened, between which open files, and for how much plaintext in all. */
export interface PumpJob {
  readonly operation: 'seal' | 'open'
  readonly input: number
  readonly output: number
  readonly inputSize: number
  readonly plaintextSize: number
  readonly chunkKey: ChunkKey
}

/** How a run ended: `refused` is a chunk that is not authentic at its place, `shortened` an input that lost bytes meanwhile. */
export type PumpOutcome = 'done' | 'refused' | 'shortened'

/** How many blocks a file has: the last one is short, and may hold nothing but an empty chunk. */
export function blockCount(plaintextSize: number): number {
  return Math.floor(plaintextSize / blockLength) + 1
}

/**
 * What pumps the runs of a job that one thread does, one after the other through one buffer.
 * The pump throws Error of the system where a file cannot be read or written.
 */
export function blockPump(job: PumpJob): (run: BlockRun) => PumpOutcome {
  const buffer = Buffer.allocUnsafeSlow(sealedBlockLength)
  return (run) => {
    for (let block = run.first; block < run.first + run.count; block++) {
      const bytes = readBlock(job, block, buffer)
      if (bytes === undefined) return 'shortened'
      const parts = throughCipher(job, block, bytes)
      if (parts === undefined) return 'refused'
      writeAll(job.output, parts, outputPosition(job, block))
    }
    return 'done'
  }
}

function throughCipher(job: PumpJob, block: number, bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const index = block * chunksPerBlock
  if (job.operation === 'open') return tryOpenBlock(job.chunkKey, index, bytes)
  return sealBlock(job.chunkKey, index, bytes, block === blockCount(job.plaintextSize) - 1)
}

function readBlock(job: PumpJob, block: number, buffer: Buffer): Uint8Array | undefined {
  const [position, step] =
    job.operation === 'seal'
      ? [block * blockLength, blockLength]
      : [headerLength + block * sealedBlockLength, sealedBlockLength]
  const length = Math.min(step, job.inputSize - position)
  for (let filled = 0; filled < length;) {
    const read = readSync(job.input, buffer, filled, length - filled, position + filled)
    if (read === 0) return undefined
    filled += read
  }
  return buffer.subarray(0, length)
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
