/** Files beside the worker that go with its evidence: certificates and lists of the vendor. Whoever verifies the evidence verifies them. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { dcapCollateralNames, maximumCollateralLength, type Collateral } from '#libs/attestation'
import { EnclaveError } from '../errors.js'

const names: readonly string[] = ['vek', 'chain', 'crl', ...dcapCollateralNames]

/**
 * Reads a folder: each file is named by what it is, with any ending.
 * @throws EnclaveError `USAGE`.
 */
export async function readCollateralFolder(folder: string): Promise<Collateral> {
  try {
    const files = (await readdir(folder)).filter((file) => names.includes(stemOf(file)))
    const read = await Promise.all(
      files.map(async (file) => [stemOf(file), await bounded(join(folder, file))]),
    )
    return Object.fromEntries(read) as Collateral
  } catch (cause) {
    if (cause instanceof EnclaveError) throw cause
    throw new EnclaveError('USAGE', `--collateral-folder: ${folder} cannot be read`, { cause })
  }
}

async function bounded(path: string): Promise<Uint8Array> {
  const { size } = await stat(path)
  if (size > maximumCollateralLength)
    throw new EnclaveError(
      'USAGE',
      `--collateral-folder: ${path} has ${size} bytes; expected at most ${maximumCollateralLength}`,
    )
  return new Uint8Array(await readFile(path))
}

function stemOf(file: string): string {
  return file.split('.')[0] ?? ''
}
