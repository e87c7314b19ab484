/**
 * The Offer of a round: this enclave's fresh keys, and everything that they are bound to; evidence over its very bytes. From here on
 * whoever releases a key to the Offer knows which code, which nonces, which Identities and which run it releases to.
 */
import {
  canonicalBytes,
  payloadBytes,
  saltFrom,
  toBase64url,
  type Digest,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import {
  evidenceDigest,
  gpuNonce,
  offerReportData,
  verifyEnclave,
  writeShownEvidence,
  type Evidence,
} from '#libs/attestation'
import { offerIdentities } from '#libs/contract'
import {
  evidenceKind,
  offerKind,
  offerSetDigest,
  type Build,
  type EvidenceStatement,
  type Offer,
} from '#libs/protocol'
import { EnclaveError } from './errors.js'
import type { FreshKeys } from './fresh-keys.js'
import { limits } from './limits.js'
import type { RoundRecord } from './round-record.js'
import { signByEnclave, type Signer } from './statement-by-enclave.js'
import type { EvidenceSource } from './tee.js'
import { chainOf, type Job } from './verify-job.js'

/** An Offer with its evidence, not yet shown to anyone. */
export interface MadeOffer {
  readonly offer: Verified<Offer>
  readonly evidence: Verified<EvidenceStatement>
  /** The hardware's bytes, which are kept beside the log, in base64url. */
  readonly attachment: string
  /** Digest of the ordered list of the round's Offers: of this one alone. */
  readonly set: Digest
  readonly keys: FreshKeys
}

/** What an Offer says of this worker itself. */
export interface OfferedWorker {
  readonly source: EvidenceSource
  readonly build: Build
  readonly sandbox: Offer['sandbox']
}

/**
 * Forms the Offer over all owners' nonces and has the TEE vouch for it.
 * @throws EnclaveError `ENCLAVE_NOT_NAMED` where the contract does not accept this TEE and build; AttestationError where the evidence
 * would not stand up to the contract's reference values: better said here than by every owner.
 */
export async function makeOffer(
  job: Job,
  record: RoundRecord,
  keys: FreshKeys,
  worker: OfferedWorker,
  signer: Signer,
): Promise<MadeOffer> {
  const { source } = worker
  const { enclaves } = job.contract.terms
  const draft = draftOffer(job, record, keys, worker, signer)
  const gpu = await gpuEvidenceFor(draft, enclaves[draft.enclave], source)
  const gpuEvidence = gpu.length === 0 ? null : gpu.map(evidenceDigest)
  const offer = await signByEnclave(offerKind, { ...draft, gpuEvidence }, signer)
  const payload = payloadBytes(offer)
  const shown = await source.evidence(offerReportData(payload), signer.now(), gpu)
  const { verifiers, gpus } = source.hardware
  await verifyEnclave({ offer: payload, evidence: shown, enclaves, now: signer.now() }, verifiers, gpus)
  const evidence = await evidenceStatement(offer, shown, signer)
  const attachment = toBase64url(writeShownEvidence(shown))
  return { offer, evidence, attachment, set: offerSetDigest([offer.id]), keys }
}

/** All of the Offer but its GPUs' evidence, which is asked for over the rest. */
function draftOffer(
  job: Job,
  record: RoundRecord,
  keys: FreshKeys,
  worker: OfferedWorker,
  signer: Signer,
): Offer {
  const { contract, run, identities, owners } = job
  return {
    type: 'offer',
    by: signer.receiptKey.thumbprint,
    log: signer.origin,
    issuedAt: new Date(signer.now()).toISOString(),
    salt: saltFrom(signer.randomBytes),
    contract: contract.id,
    run,
    round: record.place.round,
    enclave: entryOf(job, worker.source),
    place: 0,
    places: 1,
    hpkeKey: keys.sealing.publicKey,
    receiptKey: keys.receipt.publicKey,
    nonces: noncesOf(owners, record),
    identities: Object.fromEntries(
      offerIdentities(contract.terms).map((party) => [party, chainOf(identities, party).newest.id]),
    ),
    shareHolders: [],
    build: worker.build,
    sandbox: worker.sandbox,
    gpuEvidence: null,
    expiresAt: new Date(signer.now() + limits.offerSeconds * 1000).toISOString(),
  }
}

async function gpuEvidenceFor(
  draft: Offer,
  entry: Job['contract']['terms']['enclaves'][number] | undefined,
  source: EvidenceSource,
): Promise<readonly Uint8Array[]> {
  if (entry === undefined || !('gpu' in entry) || entry.gpu === undefined) return []
  const bytes = canonicalBytes(draft)
  const nonces = Array.from({ length: entry.gpu.devices ?? 1 }, (_, device) => gpuNonce(bytes, device))
  return await source.gpuEvidence(nonces)
}

function evidenceStatement(
  { id, payload: { contract, run, round } }: Verified<Offer>,
  shown: Evidence,
  signer: Signer,
): Promise<Verified<EvidenceStatement>> {
  const digest = evidenceDigest(writeShownEvidence(shown))
  const fields = { contract, run, round, offer: id, kind: shown.kind, evidenceDigest: digest }
  return signByEnclave(evidenceKind, fields, signer)
}

function entryOf({ contract }: Job, source: EvidenceSource): number {
  const index = source.entryOf(contract.terms.enclaves)
  if (index !== null) return index
  throw new EnclaveError(
    'ENCLAVE_NOT_NAMED',
    `no enclave entry of the contract accepts ${source.kind} with measurement ${source.measurement}`,
  )
}

function noncesOf(owners: readonly Thumbprint[], record: RoundRecord): Record<Thumbprint, string> {
  return Object.fromEntries(
    owners.map((owner) => {
      const nonce = record.nonces.get(owner)
      if (nonce === undefined) throw new EnclaveError('ASSIGNMENT_INVALID', `no nonce of ${owner} has come`)
      return [owner, nonce.payload.nonce]
    }),
  )
}
