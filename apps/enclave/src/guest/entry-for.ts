import {
  Checklist,
  inspectUnverified,
  parseReferenceValues,
  proposeReference,
  verifierOf,
  type Evidence,
  type ReferenceValues,
  type TrustedHardware,
} from '#libs/attestation'

/**
 * The entry of a contract that this machine's own evidence meets, for people to look at and for a rehearsal. `at` is a time in milliseconds that
 * nobody vouches for.
 * @throws AttestationError where the evidence does not verify then.
 */
export async function entryFor(
  evidence: Evidence,
  at: number,
  { verifiers }: TrustedHardware,
): Promise<ReferenceValues> {
  const verifier = verifierOf(evidence.kind, verifiers)
  if (evidence.kind === 'simulated') throw new TypeError('a simulator has its own entry')
  const { claims } = await verifier.authenticate(evidence, { now: at, checklist: new Checklist() })
  return parseReferenceValues(
    proposeReference(inspectUnverified(evidence.bytes, evidence.kind), claims).entry,
  )
}
