/**
 * Evidence and the trust put into it: `Evidence` came from anyone; `AuthenticEvidence` was signed by a TEE of its kind;
 * `AppraisedEnclave` is the one that the contract means, holding the keys of this Offer.
 */
import { canonicalBytes, digest, domains, type Digest, type JsonValue } from '#libs/canonical'
import { AttestationError } from './errors.js'
import type { Check, Checklist } from './checklist.js'
import type { ReferenceValues } from './reference-values.js'

/** The forms of CPU evidence. A statement of type `evidence` names one. */
export const evidenceKinds = [
  'simulated',
  'sev-snp',
  'tdx',
  'nitro',
  'az-snp-vtpm',
  'az-tdx-vtpm',
  'maa-snp',
  'maa-tdx',
  'gcp-cs',
] as const

/** One of {@link evidenceKinds}. */
export type EvidenceKind = (typeof evidenceKinds)[number]

/** Certificates, revocation lists and signed status that a verdict needs beside the evidence, by name. */
export type Collateral = Readonly<Record<string, Uint8Array>>

/** What an enclave's host hands over: bytes from the hardware. Nothing in it is trusted. */
export interface Evidence {
  readonly kind: EvidenceKind
  readonly bytes: Uint8Array
  /** In device order; empty where the Offer names no GPU. */
  readonly gpu?: readonly Uint8Array[]
  readonly collateral?: Collateral
}

/**
 * Collateral that a verdict cannot do without.
 * @throws AttestationError `COLLATERAL_MISSING`.
 */
export function neededCollateral({ kind, collateral = {} }: Evidence, name: string): Uint8Array {
  const bytes = Object.hasOwn(collateral, name) ? collateral[name] : undefined
  if (bytes !== undefined) return bytes
  throw new AttestationError(
    'COLLATERAL_MISSING',
    `evidence of ${kind} comes without the collateral ${name}; hand it over with the evidence`,
    { stage: 'authenticate', field: name },
  )
}

/** How a kind of evidence carries report data: all 64 bytes, or their `evidenceNonce` of 32 bytes where it holds no more. */
export type Carriage = 'whole' | 'nonce'

declare const authentic: unique symbol

/** Evidence that a TEE of its kind signed. Only an {@link EvidenceVerifier} makes it. Says nothing about which code runs. */
export interface AuthenticEvidence {
  readonly [authentic]: true
  readonly kind: EvidenceKind
  /** What the enclave's code put into its report: 64 bytes of report data, or the nonce that stands for them; see {@link Carriage}. */
  readonly reportData: Uint8Array
  readonly carriage: Carriage
  /** Launch measurement in hexadecimal. */
  readonly measurement: string
  /** What tells this machine apart, in hexadecimal, as Revocations name it; null where the evidence does not show it. */
  readonly chip: string | null
  /** When the TEE says it signed, in milliseconds; null for hardware that knows no time. */
  readonly issuedAt: number | null
  /**
   * When the first of the certificates, lists and signed texts that vouch for it ends, in milliseconds: no verdict is made on it later.
   * Null for a kind that nothing of the sort vouches for.
   */
  readonly vouchedUntil: number | null
  /** Further authenticated fields by wire name, for the appraisal of this kind. */
  readonly claims: Readonly<Record<string, JsonValue>>
}

/** Marks evidence as authentic. For verifiers alone: it checks nothing. */
export function authenticEvidence(
  fields: Omit<AuthenticEvidence, typeof authentic | 'carriage'> & { readonly carriage?: Carriage },
): AuthenticEvidence {
  return Object.freeze({ carriage: 'whole', ...fields }) as AuthenticEvidence
}

declare const appraised: unique symbol

/** An enclave that meets the contract and holds the keys of the Offer. Only `verifyEnclave` makes it. */
export interface AppraisedEnclave {
  readonly [appraised]: true
  readonly kind: EvidenceKind
  /** Index of the contract's `enclaves` entry that was met. */
  readonly enclave: number
  readonly measurement: string
  /** See {@link AuthenticEvidence}. */
  readonly chip: string | null
  /** Ids of the GPUs, as Revocations name them; empty where the Offer names none. */
  readonly gpus: readonly string[]
  /** True: nothing protects the data. Every screen, receipt and log line of such a run says so. */
  readonly simulated: boolean
  readonly evidenceDigest: Digest
  readonly collateralDigest: Digest
  /** After this time, in milliseconds, the evidence is too old to release on. */
  readonly validUntil: number
  /** Everything that was compared, in order. */
  readonly checks: readonly Check[]
}

/** Time and the list that records what was compared. Clock and trust roots are never a verifier's own. */
export interface VerifierContext {
  /** The time of the verdict, in milliseconds. */
  readonly now: number
  readonly checklist: Checklist
}

/** Verifies evidence of one kind. Pure: no clock, network or randomness of its own. */
export interface EvidenceVerifier {
  readonly kind: EvidenceKind
  /**
   * Checks form, signatures and certificate chains up to a pinned root at `context.now`.
   * Says nothing about whether the enclave is one we want; see {@link EvidenceVerifier.appraise}.
   * @throws AttestationError with `stage: 'parse'` or `'authenticate'`.
   */
  authenticate(evidence: Evidence, context: VerifierContext): Promise<AuthenticEvidence>
  /**
   * Compares every authenticated field with the reference values. An absent reference value is an error or demands the
   * field's safe value, never "any".
   * @throws AttestationError with `stage: 'appraise'`.
   */
  appraise(evidence: AuthenticEvidence, reference: ReferenceValues, context: VerifierContext): void
}

/** The digest by which statements name evidence bytes. */
export function evidenceDigest(bytes: Uint8Array): Digest {
  return digest(domains.evidenceBytes, bytes)
}

/** The digest of all collateral that a verdict used: of the canonical JSON of name to digest. */
export function collateralDigest(collateral: Collateral = {}): Digest {
  const named = Object.entries(collateral).map(
    ([name, bytes]) => [name, digest(domains.collateral, bytes)] as const,
  )
  return digest(domains.collateral, canonicalBytes(Object.fromEntries(named)))
}

/** Marks an enclave as appraised. For `verifyEnclave` alone: it checks nothing. */
export function appraisedEnclave(fields: Omit<AppraisedEnclave, typeof appraised>): AppraisedEnclave {
  return Object.freeze(fields) as AppraisedEnclave
}
