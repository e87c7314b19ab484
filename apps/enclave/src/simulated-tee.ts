/** The simulated TEE: a key in a file states what runs here. It protects nothing, and says so wherever it shows. */
import { readFile } from 'node:fs/promises'
import { CodedError, fromBase64url, signingKeyFromSeed, type Digest, type SigningKey } from '#libs/canonical'
import { vendorHardware } from '#libs/attestation'
import { issueSimulatedEvidence } from '#libs/attestation/simulator'
import { EnclaveError } from './errors.js'
import { required } from './flags.js'
import { installationRoot, measureBuild } from './measurement.js'
import type { EvidenceSource, Tee } from './tee.js'

export const simulatedTee: Tee = {
  title: 'Sealroom enclave worker, SIMULATED TEE: protects nothing, for trying things out',
  help: '  --simulator-key-file F   the simulator’s key: a 32-byte Ed25519 seed in base64url; contracts name its thumbprint\n',
  open: async ({ simulatorKeyFile }) =>
    simulatedSource(
      await readKey(required(simulatorKeyFile, '--simulator-key-file')),
      await measureBuild(installationRoot()),
    ),
}

/** A source that states this measurement under this key. */
export function simulatedSource(key: SigningKey, measurement: Digest): EvidenceSource {
  return {
    kind: 'simulated',
    simulated: true,
    measurement,
    entryAt: () =>
      Promise.resolve({
        tee: 'simulated',
        key: key.thumbprint,
        measurement: [measurement],
        maximumAgeSeconds: 300,
      }),
    entryOf: (enclaves) => {
      const index = enclaves.findIndex(
        (entry) =>
          entry.tee === 'simulated' &&
          entry.key === key.thumbprint &&
          entry.measurement.includes(measurement),
      )
      return index === -1 ? null : index
    },
    hardware: vendorHardware,
    gpuEvidence: () =>
      Promise.reject(new EnclaveError('TEE_FAILED', 'a simulated TEE has no GPUs; leave out `gpu`')),
    evidence: (reportData, now) => issueSimulatedEvidence({ key, measurement, reportData, issuedAt: now }),
  }
}

async function readKey(file: string): Promise<SigningKey> {
  try {
    return await signingKeyFromSeed(fromBase64url((await readFile(file, 'utf8')).trim()))
  } catch (cause) {
    const reason = cause instanceof CodedError ? cause.message : 'it cannot be read'
    throw new EnclaveError('USAGE', `--simulator-key-file: ${reason}; expected 32 bytes in base64url`, {
      cause,
    })
  }
}
