/**
 * Chunked encryption from one open file to another, in bounded memory, in threads of their own.
 * Guards: after a failure the output is empty, so that no plaintext of a file that did not open as a whole can be used.
 * Does not guard against the process being killed half way: give {@link openFile} an unlinked or private file.
 */
import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { CodedError, type Digest } from '#libs/canonical'
import { blockLength, sealedBlockLength } from './chunk-cipher.node.js'
import { newHeader, openHeader } from './chunk-key.node.js'
import { headerLength } from './chunked-format.js'
import { plaintextSize, sealedSize } from './sealed-size.js'
import type { PumpJob } from './block-pump.node.js'
import { CiphertextDigest } from './ciphertext-digest.node.js'
import { EnvelopeError, openFailed } from './errors.js'
import { pumpFile, type BlocksDone, type ThreadCount } from './pump-threads.node.js'
import type { OpenOptions, SealOptions } from './sealed-bytes.node.js'

/** Two different regular files, opened for reading and writing; their descriptors stay the caller's to close. */
export interface BetweenFiles {
  readonly input: number
  /** written from its first byte on, and cut to its new length; emptied on failure */
  readonly output: number
  /** threads for the cipher, 1 unless said; a digest has one of its own */
  readonly threads?: ThreadCount
  /** told how many bytes of plaintext are done */
  readonly onProgress?: (plaintextBytes: number) => void
}

/** What a manifest says of sealed bytes, and how many bytes of plaintext they hold. */
export interface Sealed {
  readonly plaintextSize: number
  readonly size: number
  readonly digest: Digest
}

/**
 * Seals a file and digests the ciphertext as it grows.
 * @throws EnvelopeError `FILE_FAILED`; RangeError where the data key is not 32 bytes or both files are one.
 */
export async function sealFile(options: SealOptions & BetweenFiles): Promise<Sealed> {
  const digest = new CiphertextDigest()
  try {
    let digested = 0
    const sizes = await sealInto(options, (upTo) => {
      digest.updateFromFile(options.output, digested, upTo - digested)
      digested = upTo
    })
    return { ...sizes, digest: await digest.digest() }
  } catch (error) {
    throw emptied(options.output, error)
  } finally {
    await digest.close()
  }
}

/**
 * Seals a file without its digest, for whoever takes it elsewhere with {@link CiphertextDigest}.
 * @throws as {@link sealFile}.
 */
export async function sealFileOnly(options: SealOptions & BetweenFiles): Promise<Omit<Sealed, 'digest'>> {
  try {
    return await sealInto(options, () => undefined)
  } catch (error) {
    throw emptied(options.output, error)
  }
}

/**
 * Opens a file, all or nothing. With `digest` the ciphertext must also be the one that a manifest or receipt names.
 * @returns how many bytes of plaintext the output holds.
 * @throws EnvelopeError `OPEN_FAILED`, `FILE_FAILED`; RangeError where both files are one.
 */
export async function openFile(
  options: OpenOptions & BetweenFiles & { readonly digest?: Digest },
): Promise<number> {
  const { input, output } = options
  refuseSameFile(input, output)
  const digest = new CiphertextDigest()
  try {
    const sealed = regularSize(input)
    const size = plaintextSize(sealed)
    const chunkKey = openHeader(options.dataKey, options.context, readHeader(input))
    if (options.digest !== undefined) digest.updateFromFile(input, 0, sealed)
    await pump(
      { operation: 'open', input, output, inputSize: sealed, plaintextSize: size, chunkKey },
      options,
      () => undefined,
    )
    if (options.digest !== undefined && (await digest.digest()) !== options.digest) throw openFailed()
    return size
  } catch (error) {
    throw emptied(output, error)
  } finally {
    await digest.close()
  }
}

async function sealInto(
  options: SealOptions & BetweenFiles,
  onSealed: (upTo: number) => void,
): Promise<Omit<Sealed, 'digest'>> {
  const { input, output } = options
  refuseSameFile(input, output)
  const plaintextSize = regularSize(input)
  const size = sealedSize(plaintextSize)
  const { header, chunkKey } = newHeader(options.dataKey, options.context, options.randomBytes)
  writeSync(output, header, 0, headerLength, 0)
  await pump(
    { operation: 'seal', input, output, inputSize: plaintextSize, plaintextSize, chunkKey },
    options,
    (blocks) => {
      onSealed(Math.min(size, headerLength + blocks * sealedBlockLength))
    },
  )
  if (regularSize(input) !== plaintextSize)
    throw new EnvelopeError('FILE_FAILED', `the input no longer has the ${plaintextSize} bytes it had`)
  return { plaintextSize, size }
}

async function pump(job: PumpJob, options: BetweenFiles, onDone: BlocksDone): Promise<void> {
  await pumpFile(job, options.threads ?? 1, (blocks) => {
    onDone(blocks)
    options.onProgress?.(Math.min(job.plaintextSize, blocks * blockLength))
  })
  // The output may have been longer before.
  ftruncateSync(job.output, job.operation === 'seal' ? sealedSize(job.plaintextSize) : job.plaintextSize)
}

function readHeader(file: number): Uint8Array {
  const header = Buffer.alloc(headerLength)
  if (readSync(file, header, 0, headerLength, 0) !== headerLength) throw openFailed()
  return header
}

function regularSize(file: number): number {
  const stat = fstatSync(file)
  if (!stat.isFile())
    throw new EnvelopeError('FILE_FAILED', 'the input must be a regular file; use a stream for others')
  return stat.size
}

function refuseSameFile(input: number, output: number): void {
  const [a, b] = [fstatSync(input), fstatSync(output)]
  if (a.dev === b.dev && a.ino === b.ino) throw new RangeError('input and output must be two files')
}

/** Empties the output of what failed, and gives the error to throw. */
export function emptied(output: number, error: unknown): unknown {
  try {
    ftruncateSync(output, 0)
  } catch (cause) {
    return new EnvelopeError(
      'FILE_FAILED',
      'what was not opened or sealed as a whole could not be emptied; delete it',
      {
        cause: new AggregateError([error, cause]),
      },
    )
  }
  if (error instanceof CodedError || error instanceof RangeError) return error
  return new EnvelopeError('FILE_FAILED', 'a file could not be read or written', { cause: error })
}
