/**
 * Which entry of a contract evidence alone would meet: every check of {@link verifyEnclave} that needs no Offer. Says nothing about whose
 * keys the enclave holds, when the evidence was made, or its GPUs; nothing may be released on it.
 */
import { fromHex } from '#libs/canonical'
import { checkReportData } from './binding.js'
import { Checklist, type Check } from './checklist.js'
import { AttestationError } from './errors.js'
import type { Evidence, EvidenceVerifier } from './evidence.js'
import { parseReferenceValues, type ReferenceValues } from './reference-values.js'
import { evidenceVerifiers, verifierOf } from './verifiers.js'

/** What became of one entry. `refusal` is null where the evidence meets it. */
export interface EntryVerdict {
  readonly entry: number
  readonly checks: readonly Check[]
  readonly refusal: AttestationError | null
}

/** What is asked. */
export interface UnboundClaim {
  readonly evidence: Evidence
  /** The contract's `enclaves` section. */
  readonly enclaves: readonly unknown[]
  /** In milliseconds. */
  readonly now: number
  /** The 64 bytes that the report must carry; null: they are not compared. */
  readonly reportData: string | null
}

/**
 * Holds evidence against each entry of its kind; where there is none the one answer says so.
 * @throws AttestationError `REFERENCE_VALUES_INVALID` for an entry that cannot be read, whichever it is.
 */
export async function verifyUnbound(
  claim: UnboundClaim,
  verifiers: readonly EvidenceVerifier[] = evidenceVerifiers,
): Promise<readonly EntryVerdict[]> {
  const entries = claim.enclaves.map(parseReferenceValues)
  const verdicts: EntryVerdict[] = []
  for (const [entry, reference] of entries.entries())
    verdicts.push(await judgeEntry(entry, reference, claim, verifiers))
  return verdicts
}

async function judgeEntry(
  entry: number,
  reference: ReferenceValues,
  { evidence, now, reportData }: UnboundClaim,
  verifiers: readonly EvidenceVerifier[],
): Promise<EntryVerdict> {
  const checklist = new Checklist()
  const context = { now, checklist }
  try {
    checklist.demand({
      stage: 'parse',
      check: 'kind',
      expected: reference.tee,
      seen: evidence.kind,
      ok: reference.tee === evidence.kind,
      code: 'TEE_MISMATCH',
    })
    const verifier = verifierOf(evidence.kind, verifiers)
    const authentic = await verifier.authenticate(evidence, context)
    if (reportData !== null) checkReportData(authentic, fromHex(reportData), checklist)
    verifier.appraise(authentic, reference, context)
    checklist.demand({
      stage: 'appraise',
      check: 'measurement',
      expected: reference.measurement.join(' or '),
      seen: authentic.measurement,
      ok: reference.measurement.includes(authentic.measurement),
      code: 'MEASUREMENT_MISMATCH',
    })
    return { entry, checks: checklist.checks, refusal: null }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { entry, checks: checklist.checks, refusal: error }
  }
}
