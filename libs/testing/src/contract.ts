import { signStatement, toBase64url, type Verified } from '#libs/canonical'
import { contractKind, type ContractPayload, type ContractTerms } from '#libs/contract'
import { canonicalTerms } from '#libs/contract/yaml'
import {
  activationKind,
  type Activation,
  type IdentityChainMessage,
  type RecordedStatement,
} from '#libs/protocol'
import type { TestLog } from './log.js'
import { ownFields, type Party } from './party.js'
import { recordedIn } from './recorded.js'

/** A contract that all its signatories signed, with its Activation, all in the log. */
export interface TestContract {
  readonly id: string
  readonly terms: ContractTerms
  readonly parties: readonly Party[]
  readonly signatures: readonly Verified<ContractPayload>[]
  readonly activation: Verified<Activation>
  /** As the coordinator shows it. */
  readonly statements: readonly RecordedStatement[]
  readonly identities: readonly IdentityChainMessage[]
}

export interface ContractOptions {
  readonly log: TestLog
  /** Every party, by the label that the text uses. */
  readonly parties: readonly Party[]
  /** The contract's text; `sections` gives the parts that depend on keys. */
  readonly yaml: string
  /** Labels of those who sign although they should not, or should and do not. */
  readonly signers?: readonly string[]
}

/** A signed and activated contract from its text. Everything else in these tests hangs on it. */
export async function aContract(options: ContractOptions): Promise<TestContract> {
  const { log, parties } = options
  const [proposer] = parties
  if (proposer === undefined) throw new RangeError('a contract needs a party')
  const terms = canonicalTerms(options.yaml, { secret: toBase64url(proposer.randomBytes(32)) })
  const payload: ContractPayload = { ...ownFields(proposer, 'contract'), type: 'contract', terms }
  const signers = options.signers ?? terms.governance.signatories
  const signatures = await Promise.all(
    parties
      .filter(({ label }) => signers.includes(label))
      .map(({ consent }) => signStatement(contractKind, payload, consent)),
  )
  const id = signatures[0]?.id ?? ''
  const { secret } = terms.log
  for (const party of parties)
    log.append('identity', party.identity, { secret: null, signer: party.thumbprint, run: null })
  for (const signature of signatures)
    log.append('contract', signature, { secret, signer: signature.kid, run: null })
  const activation = await activate(log, proposer, id, signatures)
  log.append('activation', activation, { secret, signer: activation.payload.by, run: null })
  return {
    id,
    terms,
    parties,
    signatures,
    activation,
    statements: [
      ...signatures.map((signature) => recordedIn(log, 'contract', signature)),
      recordedIn(log, 'activation', activation),
    ],
    identities: parties.map(({ thumbprint, chain }) => ({ thumbprint, statements: [...chain] })),
  }
}

async function activate(
  log: TestLog,
  proposer: Party,
  contract: string,
  signatures: readonly Verified<ContractPayload>[],
): Promise<Verified<Activation>> {
  const fields = {
    ...ownFields(proposer, 'activation'),
    type: 'activation',
    by: log.coordinatorKey.thumbprint,
  } as const
  const listed = signatures.map(({ kid, digest }) => ({ signatory: kid, statement: digest }))
  return await signStatement(activationKind, { ...fields, contract, signatures: listed }, log.coordinatorKey)
}

/** What the text of a contract needs to name of keys. */
export interface KeyedSections {
  readonly log: TestLog
  readonly parties: Readonly<Record<string, { readonly party: Party; readonly roles: readonly string[] }>>
  readonly signatories: readonly string[]
  readonly witnesses: readonly string[]
  readonly simulator: { readonly thumbprint: string; readonly measurement: string }
}

/** The sections of a contract's text that hold keys; datasets and computations are written by hand below them. */
export function keyedSections({ log, parties, signatories, witnesses, simulator }: KeyedSections): string {
  const partyLines = Object.entries(parties).map(
    ([label, { party, roles }]) => `  ${label}: { key: "${party.thumbprint}", roles: [${roles.join(', ')}] }`,
  )
  return `sealroom: contract/v1
name: test
purpose: To test.
valid: { from: 2026-11-01, until: 2027-10-31 }
parties:
${partyLines.join('\n')}
governance: { signatories: [${signatories.join(', ')}], proposalExpires: 2026-12-20 }
log:
  origin: ${log.origin}
  key: "${log.key.publicKey.x}"
  coordinator: "${log.coordinatorKey.thumbprint}"
  witnesses: [${witnesses.join(', ')}]
  quorum: ${witnesses.length}
  checkpoint: "${log.origin}\\n0\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n"
enclaves:
  - { tee: simulated, key: "${simulator.thumbprint}", measurement: ["${simulator.measurement}"], maximumAgeSeconds: 300 }
`
}
