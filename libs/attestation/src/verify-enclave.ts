/**
 * Whether an Offer's keys live in an enclave that the contract means. The one verdict on which keys are released.
 * Says nothing about the Offer's other fields (nonces, identities, run): those are the releasing agent's to compare.
 */
import { parseBoundOffer, type BoundOffer } from './bound-offer.js'
import { checkGpuDigests, checkOfferBinding, gpuNonce } from './binding.js'
import { Checklist } from './checklist.js'
import { AttestationError } from './errors.js'
import { appraisedEnclave, collateralDigest, evidenceDigest } from './evidence.js'
import type { AppraisedEnclave, AuthenticEvidence, Evidence, EvidenceVerifier } from './evidence.js'
import { nvidiaGpuVerifier, type GpuVerifier, type ShownGpus } from './nvidia-gpu/verifier.js'
import { parseReferenceValues, type GpuReferenceValues, type ReferenceValues } from './reference-values.js'
import { evidenceVerifiers, verifierOf } from './verifiers.js'

/** How far the clocks of parties may lie apart before evidence counts as from the future. */
export const clockToleranceSeconds = 60

/** More evidence bytes are refused before anything is parsed. */
export const maximumEvidenceLength = 1_048_576

/** More bytes of collateral are refused likewise: lists of a large vendor have some hundred kilobytes. */
export const maximumCollateralLength = 4_194_304

/** What a verdict is asked about. */
export interface EnclaveClaim {
  /** Payload bytes of the Offer, whose own signature was verified by its receipt key. */
  readonly offer: Uint8Array
  readonly evidence: Evidence
  /** The contract's `enclaves` section, from its signed bytes. */
  readonly enclaves: readonly unknown[]
  /** The time of the verdict, in milliseconds; to repeat an earlier one, its time. */
  readonly now: number
}

/** Whose hardware is believed: verifiers, each with its pinned roots. */
export interface TrustedHardware {
  readonly verifiers: readonly EvidenceVerifier[]
  readonly gpus: GpuVerifier
}

/** The vendors', by roots that are pinned in code. Every program gives this; only tests give another. */
export const vendorHardware: TrustedHardware = { verifiers: evidenceVerifiers, gpus: nvidiaGpuVerifier }

/**
 * Verifies that evidence shows an enclave of the contract that holds the Offer's keys, and its GPUs where the contract names any: one
 * verdict over both.
 * @throws AttestationError with code, stage, field and the checks made until then.
 */
export async function verifyEnclave(
  claim: EnclaveClaim,
  verifiers = evidenceVerifiers,
  gpuVerifier = nvidiaGpuVerifier,
): Promise<AppraisedEnclave> {
  const { evidence, now } = claim
  const checklist = new Checklist()
  const context = { now, checklist }
  const offer = parseBoundOffer(claim.offer)
  const reference = chooseEntry(offer, claim, checklist)
  const verifier = chooseVerifier(evidence, reference, verifiers, checklist)

  const authentic = await verifier.authenticate(evidence, context)
  checkOfferBinding(authentic, offer, checklist)
  checkGpuDigests(evidence, offer, checklist)
  const wanted = checkGpuExpected(offer, reference, checklist)
  verifier.appraise(authentic, reference, context)
  checkMeasurement(authentic, offer, reference, checklist)
  const gpus = wanted === undefined ? [] : gpuVerifier.verify(shownGpus(claim), wanted, context)
  checkVouched(authentic, now, checklist)
  const validUntil = checkAge(authentic, offer, reference, now, checklist)

  return appraisedEnclave({
    kind: authentic.kind,
    enclave: offer.enclave,
    measurement: authentic.measurement,
    chip: authentic.chip,
    gpus,
    simulated: authentic.kind === 'simulated',
    evidenceDigest: evidenceDigest(evidence.bytes),
    collateralDigest: collateralDigest(evidence.collateral),
    validUntil,
    checks: checklist.checks,
  })
}

function chooseEntry(offer: BoundOffer, { enclaves }: EnclaveClaim, checklist: Checklist): ReferenceValues {
  checklist.demand({
    stage: 'parse',
    check: 'enclave',
    expected: `an index below ${enclaves.length}`,
    seen: String(offer.enclave),
    ok: offer.enclave < enclaves.length,
    code: 'ENTRY_MISSING',
  })
  // All entries are read, so that a contract with one broken entry is refused whichever entry an enclave claims.
  const entries = enclaves.map(parseReferenceValues)
  const entry = entries[offer.enclave]
  if (entry === undefined)
    throw new AttestationError('ENTRY_MISSING', `no enclave entry ${offer.enclave}`, {
      stage: 'parse',
      field: 'enclave',
    })
  // A contract that trusts real hardware must not be met by a program that imitates it.
  if (entry.tee === 'simulated') {
    const kinds = [...new Set(entries.map(({ tee }) => tee))].join(', ')
    checklist.demand({
      stage: 'parse',
      check: 'tee',
      expected: 'simulated as the only enclave kind of the contract',
      seen: kinds,
      ok: kinds === 'simulated',
      code: 'SIMULATED_NOT_ALLOWED',
    })
  }
  return entry
}

function chooseVerifier(
  { kind, bytes, gpu = [], collateral = {} }: Evidence,
  { tee }: ReferenceValues,
  verifiers: readonly EvidenceVerifier[],
  checklist: Checklist,
): EvidenceVerifier {
  checklist.demand({
    stage: 'parse',
    check: 'kind',
    expected: tee,
    seen: kind,
    ok: kind === tee,
    code: 'TEE_MISMATCH',
  })
  const length = gpu.reduce((sum, device) => sum + device.length, bytes.length)
  checklist.demand({
    stage: 'parse',
    check: 'evidence length',
    expected: `at most ${maximumEvidenceLength} bytes`,
    seen: `${length} bytes`,
    ok: length <= maximumEvidenceLength,
    code: 'EVIDENCE_TOO_LARGE',
  })
  const beside = Object.values(collateral).reduce((sum, file) => sum + file.length, 0)
  checklist.demand({
    stage: 'parse',
    check: 'collateral length',
    expected: `at most ${maximumCollateralLength} bytes`,
    seen: `${beside} bytes`,
    ok: beside <= maximumCollateralLength,
    code: 'EVIDENCE_TOO_LARGE',
  })
  return verifierOf(kind, verifiers)
}

// An entry without `gpu` accepts none, one with it demands the number that it names.
function checkGpuExpected(
  { gpuEvidence }: BoundOffer,
  reference: ReferenceValues,
  checklist: Checklist,
): GpuReferenceValues | undefined {
  const gpu = 'gpu' in reference ? reference.gpu : undefined
  const expected = gpu === undefined ? 0 : (gpu.devices ?? 1)
  const seen = gpuEvidence?.length ?? 0
  checklist.demand({
    stage: 'appraise',
    check: 'gpu devices',
    expected: String(expected),
    seen: String(seen),
    ok: expected === seen,
    code: 'GPU_MISMATCH',
  })
  return gpu
}

// Each GPU must have been asked for this Offer: its evidence is named by the Offer, and so covered by the CPU's report.
function shownGpus({ offer, evidence: { gpu = [], collateral = {} } }: EnclaveClaim): ShownGpus {
  return { evidence: gpu, nonces: gpu.map((_, device) => gpuNonce(offer, device)), collateral }
}

function checkMeasurement(
  { measurement }: AuthenticEvidence,
  offer: BoundOffer,
  reference: ReferenceValues,
  checklist: Checklist,
): void {
  checklist.demand({
    stage: 'appraise',
    check: 'measurement',
    expected: reference.measurement.join(' or '),
    seen: measurement,
    ok: reference.measurement.includes(measurement),
    code: 'MEASUREMENT_MISMATCH',
  })
  checklist.demand({
    stage: 'appraise',
    check: 'build.measurement',
    expected: measurement,
    seen: offer.measurement,
    ok: offer.measurement === measurement,
    code: 'BUILD_MISMATCH',
  })
}

// Beyond the end of what vouches for it nobody knows whether the machine is still good. What vouched at the time of a verdict may end before
// the release: how old evidence may be then is the contract's to say, and a verdict that is made again needs what is valid again.
function checkVouched({ vouchedUntil }: AuthenticEvidence, now: number, checklist: Checklist): void {
  if (vouchedUntil === null) return
  checklist.demand({
    stage: 'appraise',
    check: 'vouchedUntil',
    expected: `not before ${timeText(now)}`,
    seen: timeText(vouchedUntil),
    ok: now <= vouchedUntil,
    code: 'EXPIRED',
  })
}

// Hardware that knows no time is dated by the Offer that its report covers; where both say a time the older one counts.
function checkAge(
  { issuedAt }: AuthenticEvidence,
  offer: BoundOffer,
  { maximumAgeSeconds }: ReferenceValues,
  now: number,
  checklist: Checklist,
): number {
  const times = issuedAt === null ? [offer.issuedAt] : [offer.issuedAt, issuedAt]
  const [oldest, newest] = [Math.min(...times), Math.max(...times)]
  const seen = times.map((time) => new Date(time).toISOString()).join(' and ')
  const latest = now + clockToleranceSeconds * 1000
  checklist.demand({
    stage: 'appraise',
    check: 'issuedAt',
    expected: `not after ${timeText(latest)}`,
    seen,
    ok: newest <= latest,
    code: 'EVIDENCE_NOT_YET_VALID',
  })
  const validUntil = oldest + maximumAgeSeconds * 1000
  checklist.demand({
    stage: 'appraise',
    check: 'issuedAt',
    expected: `at most ${maximumAgeSeconds} s before ${timeText(now)}`,
    seen,
    ok: now <= validUntil,
    code: 'EVIDENCE_TOO_OLD',
  })
  return validUntil
}

function timeText(time: number): string {
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15)
    throw new RangeError('the time of a verdict is no time')
  return new Date(time).toISOString()
}
