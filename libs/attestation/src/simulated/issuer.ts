/**
 * The simulated TEE itself. Whoever holds its key can state any measurement: for development, demonstration and tests.
 * Exported by a path of its own, `#libs/attestation/simulator`, which no production build of the worker reaches.
 */
import { canonicalBytes, signBytes, toBase64url, toHex, type SigningKey } from '#libs/canonical'
import type { Evidence } from '../evidence.js'
import { simulatedMessage, type SimulatedReport } from './report.js'

/** What the simulator is to state. */
export interface SimulatedStatement {
  readonly key: SigningKey
  /** 64 lower-case hexadecimal characters: the digest of the worker's build. */
  readonly measurement: string
  /** 64 bytes. */
  readonly reportData: Uint8Array
  /** In milliseconds. */
  readonly issuedAt: number
}

/** Issues evidence that says of itself that it is simulated. */
export async function issueSimulatedEvidence(statement: SimulatedStatement): Promise<Evidence> {
  const { key, measurement, reportData, issuedAt } = statement
  const report: SimulatedReport = {
    tee: 'simulated',
    measurement,
    reportData: toHex(reportData),
    issuedAt: new Date(issuedAt).toISOString(),
    key: key.publicKey,
  }
  const signature = toBase64url(await signBytes(key, simulatedMessage(report)))
  return { kind: 'simulated', bytes: canonicalBytes({ report, signature }) }
}
