/**
 * From ciphertext to tables: fetched and checked by digest, opened from memory to memory, loaded and checked in the engine's child. Only
 * the segments that the computation reads are asked for, and only their keys are needed.
 */
import type { Engine, LoadTable, MemoryFile } from '#libs/engine'
import { createMemoryFile } from '#libs/engine'
import { openFile, segmentContext } from '#libs/envelope'
import { modelLimits } from '#libs/model'
import type { Manifest } from '#libs/protocol'
import { EnclaveError } from './errors.js'
import type { OpenedKeys, Part } from './begin.js'
import { limits } from './limits.js'
import { withHandle } from './memory-handle.js'
import { partKey } from './round-record.js'
import type { RunChannel } from './run-channel.js'
import type { Job, JobInput } from './verify-job.js'

type Segment = Manifest['segments'][number]

/** One segment that the computation reads, and the engine's file that it will be opened into. */
export interface NeededSegment {
  readonly input: JobInput
  readonly segment: Segment
}

/** A needed segment as ciphertext in memory, of the digest that its Manifest names. */
export interface FetchedSegment extends NeededSegment {
  readonly ciphertext: MemoryFile
}

/** A needed segment as clear Parquet in one of the engine's files. */
export interface OpenedSegment extends NeededSegment {
  readonly plaintext: MemoryFile
}

/**
 * The segments that hold columns that are read.
 * @param reads - by dataset, the columns that the computation reads, the privacy unit among them
 * @throws EnclaveError `ASSIGNMENT_INVALID` where a Manifest lacks a column, or the segments are larger than the worker's limits.
 */
export function neededSegments(
  job: Job,
  reads: ReadonlyMap<string, ReadonlySet<string>>,
): readonly NeededSegment[] {
  const needed = job.inputs.flatMap((input) => {
    expectKind(job, input)
    // A model is one file: whoever opens any of it opens all of it.
    if (input.manifest.payload.kind === 'model')
      return input.manifest.payload.segments.map((segment) => ({ input, segment }))
    const columns = reads.get(input.dataset) ?? new Set<string>()
    const { segments } = input.manifest.payload
    for (const column of columns)
      if (segments.filter((segment) => segment.columns.includes(column)).length !== 1)
        throw tooMuch(`manifest ${input.manifest.id} must have exactly one segment with column ${column}`)
    return segments
      .filter((segment) => segment.columns.some((column) => columns.has(column)))
      .map((segment) => ({ input, segment }))
  })
  const largest = Math.max(0, ...needed.map(({ segment }) => segment.size))
  const all = needed.reduce((sum, { segment }) => sum + segment.size, 0)
  if (largest > limits.segmentBytes || all > limits.inputBytes)
    throw tooMuch(
      `the inputs have ${all} bytes, the largest segment ${largest}; this worker takes ${limits.inputBytes} and ${limits.segmentBytes}`,
    )
  return needed
}

function expectKind({ contract: { terms } }: Job, { dataset, manifest }: JobInput): void {
  const expected = terms.datasets[dataset]?.kind ?? 'nothing of the contract'
  if (manifest.payload.kind !== expected)
    throw tooMuch(`manifest ${manifest.id} is of a ${manifest.payload.kind}; ${dataset} is a ${expected}`)
}

/** Whether a segment is a model's file. */
export function isModel({ input }: NeededSegment): boolean {
  return input.manifest.payload.kind === 'model'
}

/**
 * Fetches ciphertext. It may begin before any key is there: it is only ciphertext.
 * @throws ClientError `TRANSFER_MISMATCH` where digest or size are not the Manifest's.
 */
export async function fetchInputs(
  needed: readonly NeededSegment[],
  channel: Pick<RunChannel, 'download'>,
): Promise<readonly FetchedSegment[]> {
  const fetched = needed.map((need) => ({ ...need, ciphertext: createMemoryFile() }))
  await Promise.all(
    fetched.map(({ segment: { ciphertextDigest: digest, size }, ciphertext }) =>
      withHandle(ciphertext, (handle) => channel.download({ digest, size }, handle)),
    ),
  )
  return fetched
}

/**
 * Refuses to begin without the key of every needed segment.
 * @throws EnclaveError `RELEASE_INCOMPLETE`.
 */
export function expectKeys(parts: readonly Part[], keys: OpenedKeys, needed: readonly NeededSegment[]): void {
  for (const { input, segment } of needed)
    if (keyOf(keys, { input, segment }) === undefined) {
      const release = parts.find((part) => part.input === input)?.release.id ?? 'none'
      throw new EnclaveError(
        'RELEASE_INCOMPLETE',
        `release ${release} holds no key of segment ${segment.name} of ${input.dataset}`,
      )
    }
}

/**
 * Opens each segment into one of the engine's files, and gives the ciphertext's memory back.
 * @throws EnvelopeError `OPEN_FAILED` where key, place or bytes are not what the Manifest means.
 */
export async function openInputs(
  fetched: readonly FetchedSegment[],
  keys: OpenedKeys,
  engine: Pick<Engine, 'inputs'>,
): Promise<readonly OpenedSegment[]> {
  return await Promise.all(
    fetched.map(async (segment, i) => {
      const plaintext = engine.inputs[i]
      if (plaintext === undefined)
        throw tooMuch(`the engine has ${engine.inputs.length} input files; ${fetched.length} are needed`)
      await openSegment(segment, keys, plaintext)
      segment.ciphertext.discard()
      return { input: segment.input, segment: segment.segment, plaintext }
    }),
  )
}

async function openSegment(fetched: FetchedSegment, keys: OpenedKeys, plaintext: MemoryFile): Promise<void> {
  const { manifest, owner, dataset } = fetched.input
  const { version, segments } = manifest.payload
  const context = segmentContext({
    owner,
    dataset,
    version,
    segment: fetched.segment.name,
    segmentCount: segments.length,
  })
  const dataKey = keyOf(keys, fetched) ?? new Uint8Array(0)
  // The digest was checked when the bytes came; nothing but this process could write to them since.
  await openFile({ dataKey, context, input: fetched.ciphertext.fd, output: plaintext.fd, threads: 1 })
}

/**
 * Opens a model's file.
 * @throws EnvelopeError `OPEN_FAILED`.
 */
export async function openModelFile(fetched: FetchedSegment, keys: OpenedKeys): Promise<Uint8Array> {
  const plaintext = createMemoryFile()
  try {
    await openSegment(fetched, keys, plaintext)
    fetched.ciphertext.discard()
    return await withHandle(plaintext, async (handle) => {
      // One byte more than a model may have tells the check that it is too much, without reading the rest.
      const bytes = new Uint8Array(Math.min(plaintext.size(), modelLimits.bytes + 1))
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, done)
        if (bytesRead === 0) throw new EnclaveError('ASSIGNMENT_INVALID', 'an opened model ends early')
        done += bytesRead
      }
      return bytes
    })
  } finally {
    plaintext.discard()
  }
}

/** Gives the memory of ciphertext back that will not be opened. */
export function discardInputs(fetched: readonly FetchedSegment[]): void {
  for (const { ciphertext } of fetched) ciphertext.discard()
}

/** The tables as the engine loads them: what is read of them, and whose segments they are made of. */
export function loadTables(
  tables: readonly Omit<LoadTable, 'parts'>[],
  opened: readonly OpenedSegment[],
  labelOf: (owner: string) => string,
): readonly LoadTable[] {
  return tables.map((table) => {
    const segments = opened.filter(({ input }) => input.dataset === table.name)
    const owners = [...new Set(segments.map(({ input }) => input.owner))]
    return {
      ...table,
      parts: owners.map((owner) => ({
        owner: labelOf(owner),
        segments: segments
          .filter(({ input }) => input.owner === owner)
          .map(({ segment, plaintext }) => ({ fd: plaintext.fd, columns: segment.columns })),
      })),
    }
  })
}

function keyOf(keys: OpenedKeys, { input, segment }: NeededSegment): Uint8Array | undefined {
  return keys.segmentKeys.get(partKey(input.owner, input.dataset))?.get(segment.name)
}

function tooMuch(message: string): EnclaveError {
  return new EnclaveError('ASSIGNMENT_INVALID', message)
}
