/**
 * Which hardware stood behind a receipt. Every owner judged the evidence when it accepted, with the collateral of that time, and released
 * while the evidence was not too old: so each verdict is repeated for its own Accept, and each release held against the age. Collateral that
 * ended in between takes nothing back; revocations since then are the audit's to tell.
 */
import type { Thumbprint } from '#libs/canonical'
import type { TrustedHardware } from '#libs/attestation'
import type { Receipt } from '#libs/protocol'
import type { OfferVerdict } from './appraise-offers.js'
import type { CheckList } from './check-list.js'
import { hardwareText } from './hardware-text.js'
import { shownAccepts, type ShownAccept } from './recorded-collateral.js'
import { repeatVerdict } from './repeat-verdict.js'
import type { ShownOffer } from './run-reader.js'
import type { VerifiedContract } from './verify-contract.js'
import type { VerifiedRun } from './verify-run.js'

/** The verdict of one owner, made again for the time of its Accept. */
interface OwnerVerdict extends OfferVerdict {
  readonly owner: Thumbprint
  readonly acceptedAt: number
}

/** Makes every check of the evidence; answers which hardware it was, one line for each Offer. */
export async function checkEvidence(
  list: CheckList,
  hardware: TrustedHardware,
  contract: VerifiedContract,
  run: VerifiedRun,
  receipt: Receipt,
): Promise<readonly string[]> {
  const lines: string[] = []
  for (const shown of run.offers) {
    const verdicts = await ownVerdicts(hardware, contract, run, shown)
    for (const { check, expected, seen, ok } of weakest(verdicts)?.checks ?? [])
      list.check(`evidence: ${check}`, expected, seen, ok)
    for (const verdict of verdicts) checkVerdict(list, contract, run, verdict)
    list.check('evidence', 'judged by an owner', `${verdicts.length} verdicts`, verdicts.length > 0)
    const simulated = verdicts.some(({ fact }) => fact.simulated)
    list.same('receipt.simulated', [String(simulated)], [String(receipt.simulated)])
    const [text] = verdicts.flatMap(({ checks }) => hardwareText(checks) ?? [])
    if (text !== undefined) lines.push(text)
  }
  list.same(
    'receipt.build',
    run.offers.map(({ offer }) => offer.payload.build.measurement),
    [receipt.build.measurement],
  )
  return lines
}

async function ownVerdicts(
  hardware: TrustedHardware,
  contract: VerifiedContract,
  run: VerifiedRun,
  shown: ShownOffer,
): Promise<readonly OwnerVerdict[]> {
  const accepts = shownAccepts(run)
  return await Promise.all(
    accepts.map(async (accept) => {
      const now = Date.parse(accept.payload.issuedAt)
      // An owner that recorded rubbish for itself is not believed for it, and harms no other.
      const ownFirst: readonly ShownAccept[] = [accept, ...accepts.filter((other) => other !== accept)]
      const verdict = await repeatVerdict(contract, shown, { ...hardware, now, accepts: ownFirst })
      return { ...verdict, owner: accept.payload.by, acceptedAt: now }
    }),
  )
}

function checkVerdict(
  list: CheckList,
  contract: VerifiedContract,
  run: VerifiedRun,
  { owner, acceptedAt, fact }: OwnerVerdict,
): void {
  const label = contract.labelOf(owner)
  const isProven = fact.failed.length === 0
  const accepted = `an enclave that the contract names, at ${timeText(acceptedAt)}`
  const why = fact.failed.map(({ check, seen }) => `${check} ${seen}`).join(', ')
  list.check(`evidence accepted by ${label}`, accepted, isProven ? 'one' : `not one: ${why}`, isProven)
  for (const { payload } of run.releases) {
    if (payload.by !== owner) continue
    const releasedAt = Date.parse(payload.issuedAt)
    list.check(
      `evidence released on by ${label}`,
      `from ${timeText(acceptedAt)} to ${timeText(fact.validUntil)}`,
      timeText(releasedAt),
      releasedAt >= acceptedAt && releasedAt <= fact.validUntil,
    )
  }
}

function weakest(verdicts: readonly OwnerVerdict[]): OwnerVerdict | undefined {
  return verdicts.find(({ fact }) => fact.failed.length > 0) ?? verdicts[0]
}

function timeText(time: number): string {
  return new Date(time).toISOString()
}
