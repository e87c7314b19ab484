/** Files beside the worker that go with its evidence: certificates and lists of the vendor. Whoever verifies the evidence verifies them. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collateralAskOf,
  collateralName,
  dcapCollateralNames,
  maximumCollateralLength,
  parseCollateral,
  type Collateral,
  type Evidence,
} from '#libs/attestation'
import { CodedError } from '#libs/canonical'
import { EnclaveError } from '../errors.js'

const names: readonly string[] = ['vek', 'chain', 'crl', ...dcapCollateralNames]

/**
 * Reads what a folder has for this evidence: files named by what they are, with any ending, or the one that
 * `sealroom attest fetch-collateral` names by what the evidence asks for.
 * @throws EnclaveError `USAGE`.
 */
export async function readCollateralFolder(
  folder: string,
  evidence: Pick<Evidence, 'kind' | 'bytes'>,
): Promise<Collateral> {
  try {
    const all = await readdir(folder)
    const files = all.filter((file) => names.includes(stemOf(file)))
    const ask = files.length > 0 ? null : collateralAskOf(evidence)
    const fetched = ask === null ? undefined : `${collateralName(ask)}.json`
    if (fetched !== undefined && all.includes(fetched))
      return parseCollateral(await bounded(join(folder, fetched)))[0] ?? {}
    const read = await Promise.all(
      files.map(async (file) => [stemOf(file), await bounded(join(folder, file))]),
    )
    return Object.fromEntries(read) as Collateral
  } catch (cause) {
    if (cause instanceof CodedError) throw cause
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
