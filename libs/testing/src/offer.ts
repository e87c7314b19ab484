/** An enclave's Offer and its evidence, as a simulated TEE makes them; `change` makes it another's. */
import { issueSimulatedEvidence } from '#libs/attestation/simulator'
import {
  evidenceDigest,
  gpuNonce,
  offerReportData,
  writeShownEvidence,
  type Evidence,
} from '#libs/attestation'
import {
  canonicalBytes,
  payloadBytes,
  signingKeyFromSeed,
  signStatement,
  unverifiedStatement,
  type SigningKey,
  type Verified,
} from '#libs/canonical'
import { generateSealingKeyPair } from '#libs/envelope'
import {
  evidenceKind,
  nonceSchema,
  offerKind,
  type EvidenceStatement,
  type Offer,
  type RunView,
} from '#libs/protocol'
import type { TestContract } from './contract.js'
import { ownFields, type Party } from './party.js'
import { seededBytes } from './random.js'

export const measurement = 'ab'.repeat(32)
export const otherMeasurement = 'cd'.repeat(32)
export const simulatorKey = await signingKeyFromSeed(seededBytes('simulator')(32))

export interface MadeOffer {
  readonly offer: Verified<Offer>
  readonly evidence: Verified<EvidenceStatement>
  readonly evidenceBytes: Uint8Array
  readonly receiptKey: SigningKey
}

export interface OfferOptions {
  readonly contract: TestContract
  readonly view: Pick<RunView, 'id' | 'round' | 'statements'>
  readonly clock: Party['clock']
  readonly seed?: string
  readonly change?: Partial<Offer>
  /** The key that vouches; the contract's simulator unless said. */
  readonly simulator?: SigningKey
  /** What the TEE says it runs, and when it was asked. */
  readonly report?: { readonly measurement?: string; readonly issuedAt?: number }
  /** Hardware in place of the simulator: its evidence over 64 bytes of report data. */
  readonly hardware?: (reportData: Uint8Array) => Pick<Evidence, 'kind' | 'bytes'>
  /** GPUs beside it, in the order of their places: each gives its evidence over a nonce. */
  readonly gpus?: readonly ((nonce: Uint8Array) => Uint8Array)[]
  /** The Offer that the evidence is really for. */
  readonly evidenceFor?: (offer: Verified<Offer>) => Promise<Uint8Array> | Uint8Array
}

export async function offerOf(options: OfferOptions): Promise<MadeOffer> {
  const { contract, view, clock, seed = 'enclave', report = {} } = options
  const randomBytes = seededBytes(`${seed}/${view.id}/${view.round}`)
  const receiptKey = await signingKeyFromSeed(randomBytes(32))
  const sealing = await generateSealingKeyPair(randomBytes)
  const self = { thumbprint: receiptKey.thumbprint, origin: contract.terms.log.origin, clock, randomBytes }
  const ofRun = { contract: contract.id, run: view.id, round: view.round }
  const payload: Offer = {
    ...ownFields(self, 'offer'),
    type: 'offer',
    ...ofRun,
    enclave: 0,
    place: 0,
    places: 1,
    hpkeKey: sealing.publicKey,
    receiptKey: receiptKey.publicKey,
    nonces: noncesOf(view),
    identities: Object.fromEntries(
      contract.parties.map(({ thumbprint, identity }) => [thumbprint, identity.id]),
    ),
    shareHolders: [],
    build: { name: 'sealroom-enclave', version: '0', measurement },
    sandbox: 'bubblewrap',
    gpuEvidence: null,
    expiresAt: clock.iso(60_000),
    ...options.change,
  }
  const draft = canonicalBytes({ ...payload, gpuEvidence: null })
  const gpu = (options.gpus ?? []).map((make, place) => make(gpuNonce(draft, place)))
  const named = gpu.length === 0 ? payload.gpuEvidence : gpu.map(evidenceDigest)
  const offer = await signStatement<Offer>(offerKind, { ...payload, gpuEvidence: named }, receiptKey)
  const covered = (await options.evidenceFor?.(offer)) ?? payloadBytes(offer)
  const reportData = offerReportData(covered)
  const { kind, bytes } =
    options.hardware?.(reportData) ??
    (await issueSimulatedEvidence({
      key: options.simulator ?? simulatorKey,
      measurement: report.measurement ?? measurement,
      reportData,
      issuedAt: report.issuedAt ?? clock.now(),
    }))
  const evidenceBytes = writeShownEvidence({ bytes, gpu })
  const evidence = await signStatement<EvidenceStatement>(
    evidenceKind,
    {
      ...ownFields(self, 'evidence'),
      type: 'evidence',
      ...ofRun,
      offer: offer.id,
      kind,
      evidenceDigest: evidenceDigest(evidenceBytes),
    },
    receiptKey,
  )
  return { offer, evidence, evidenceBytes, receiptKey }
}

/** The nonces of the view's round. */
function noncesOf(view: Pick<RunView, 'round' | 'statements'>): Record<string, string> {
  return Object.fromEntries(
    view.statements
      .filter(({ type }) => type === 'nonce')
      .map(({ statement }) => nonceSchema.parse(unverifiedStatement(statement).payload))
      .filter(({ round }) => round === view.round)
      .map(({ by, nonce }) => [by, nonce]),
  )
}
