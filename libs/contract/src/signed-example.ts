/** The example contract signed by keys made from fixed seeds, for the specs of this library. */
import {
  canonicalBytes,
  signingKeyFromSeed,
  signStatement,
  type PublicKey,
  type SigningKey,
} from '#libs/canonical'
import { exampleKeys, exampleYamlFor } from './example-contract.js'
import { canonicalTerms } from './reading/read-contract.js'
import { contractKind, type ContractPayload } from './signing/contract-statement.js'
import { verifySignatures, type SignedContract } from './signing/verify-signatures.js'

export type ExampleParty = keyof typeof exampleKeys
export type ExampleSigners = Readonly<Record<ExampleParty, SigningKey>>

const exampleParties = Object.keys(exampleKeys) as ExampleParty[]

/** A signing key for each party. */
export async function exampleSigners(): Promise<ExampleSigners> {
  const keys = await Promise.all(
    exampleParties.map((_, i) => signingKeyFromSeed(new Uint8Array(32).fill(i + 1))),
  )
  return Object.fromEntries(exampleParties.map((party, i) => [party, keys[i]])) as unknown as ExampleSigners
}

/** The YAML of the example under the signers' keys. */
export function yamlOf(signers: ExampleSigners): string {
  const thumbprints = exampleParties.map((party) => [party, signers[party].thumbprint] as const)
  return exampleYamlFor(Object.fromEntries(thumbprints) as Record<ExampleParty, string>)
}

/** What everyone signs, for a text that `change` makes of the example. */
export function examplePayload(
  signers: ExampleSigners,
  change: (yaml: string) => string = (yaml) => yaml,
): ContractPayload {
  const terms = canonicalTerms(change(yamlOf(signers)))
  return {
    type: 'contract',
    by: signers.north.thumbprint,
    log: terms.log.origin,
    issuedAt: '2026-11-02T09:00:00.000Z',
    salt: 'A'.repeat(43),
    terms,
  }
}

/** Everyone's pinned consent keys. */
export function pinnedKeys(signers: ExampleSigners): ReadonlyMap<string, PublicKey> {
  return new Map(Object.values(signers).map((key) => [key.thumbprint, key.publicKey]))
}

/** One JWS of each signatory. */
export async function exampleSignatures(
  signers: ExampleSigners,
  payload: ContractPayload,
): Promise<string[]> {
  const signatories = payload.terms.governance.signatories as readonly ExampleParty[]
  const statements = await Promise.all(
    signatories.map((party) => signStatement(contractKind, payload, signers[party])),
  )
  return statements.map((statement) => statement.jws)
}

/** The example, signed by all. */
export async function signedExample(
  signers: ExampleSigners,
  change?: (yaml: string) => string,
): Promise<SignedContract> {
  const payload = examplePayload(signers, change)
  return verifySignatures(
    canonicalBytes(payload),
    await exampleSignatures(signers, payload),
    pinnedKeys(signers),
  )
}
