/** Files beside the worker that go with its evidence: certificates and lists of the vendor. Whoever verifies the evidence verifies them. */
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collateralFilesFor,
  maximumCollateralLength,
  parseCollateralFiles,
  type Collateral,
  type Evidence,
} from '#libs/attestation'
import { CodedError } from '#libs/canonical'
import { EnclaveError } from '../errors.js'

/**
 * Reads what a folder has for this evidence; `collateralFilesFor` says which files that are.
 * @throws EnclaveError `USAGE`; AttestationError `MALFORMED`.
 */
export async function readCollateralFolder(
  folder: string,
  evidence: Pick<Evidence, 'kind' | 'bytes' | 'gpu'>,
): Promise<Collateral> {
  try {
    const files = collateralFilesFor(evidence, (await readdir(folder)).sort())
    const read = files.map(async (file) => [file, await readBounded(join(folder, file))] as const)
    return parseCollateralFiles(await Promise.all(read))
  } catch (cause) {
    if (cause instanceof CodedError) throw cause
    throw new EnclaveError('USAGE', `--collateral-folder: ${folder} cannot be read`, { cause })
  }
}

// The host keeps the folder: a file may grow while it is read, or be a device without an end, so what comes is counted.
async function readBounded(path: string): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of createReadStream(path, { end: maximumCollateralLength }))
    parts.push(part as Buffer)
  const bytes = Buffer.concat(parts)
  if (bytes.length <= maximumCollateralLength) return new Uint8Array(bytes)
  throw new EnclaveError(
    'USAGE',
    `--collateral-folder: ${path} has more than ${maximumCollateralLength} bytes; expected at most that`,
  )
}
