/**
 * Whether a token of Microsoft Azure Attestation is about a machine that a contract means, and from an instance whose policy it knows. The
 * measurement itself is compared by verify-enclave.ts.
 */
import { z } from 'zod'
import type { JsonValue } from '#libs/canonical'
import type { Checklist, ClaimDemand } from '../checklist.js'
import type { MaaSnpReferenceValues, MaaTdxReferenceValues } from '../reference-values.js'
import { demandChip, demandGuestPolicy, demandLaunch, demandProtections } from '../sev-snp/appraise.js'
import { tcbText } from '../sev-snp/claims.js'
import { componentBelow } from '../sev-snp/tcb.js'
import { demandAttributes, demandRegisters } from '../tdx/appraise.js'
import { demandSigner } from '../token/service-token.js'
import { maaSnpClaimsSchema, maaTdxClaimsSchema, type MaaSnpClaims } from './claims.js'
import { guestType } from './levels.js'
import type { MaaReference } from './reference.js'
import { tcbRefusal } from '../token/tcb-refusal.js'

const said = z.unknown()
/** Claims beside those of the hardware, as the service states them. */
export const serviceClaimsSchema = z.looseObject({
  type: z.string(),
  policyHash: z.string().nullable(),
  compliance: z.string().nullable(),
  /** Null: the token is not the guest's own. */
  guest: z.strictObject({ secureBoot: said, bootDebug: said, debuggersDisabled: said }).nullable(),
})

type Claims = Readonly<Record<string, JsonValue>>

/**
 * Appraises a token about SEV-SNP.
 * @throws AttestationError `WRONG_ISSUER`, `KEY_UNKNOWN`, `WRONG_TYPE`, `IMAGE_NOT_PRODUCTION`, `DEBUG_ENABLED`, `MIGRATION_ALLOWED`,
 * `TCB_OUT_OF_DATE`, `POLICY`, naming the claim.
 */
export function appraiseMaaSnp(claims: Claims, reference: MaaSnpReferenceValues, checklist: Checklist): void {
  const demand = checklist.ofClaims
  demandService(claims, reference, 'sevsnpvm', demand)
  const hardware = maaSnpClaimsSchema.parse(claims['hardware'])
  const { policy, vmpl } = hardware
  // The service states no platform: what the guest's policy allows counts as on, what it does not demand as off.
  const platform = { smt: policy.smtAllowed, raplDisabled: false, ciphertextHiding: false, aliasCheck: false }
  demandGuestPolicy({ policy, platform, vmpl }, reference, demand)
  demandProtections({ policy, platform }, reference, demand)
  demandFirmware(hardware, reference, demand)
  demandChip(hardware, reference, demand)
  demandLaunch(hardware, reference, demand)
  demandGuestCode(reference, [hardware.hostData], 'host data', demand)
}

/**
 * Appraises a token about TDX.
 * @throws AttestationError as {@link appraiseMaaSnp}; `RESERVED_BITS`, `MEASUREMENT_MISMATCH`, `TCB_NOT_UP_TO_DATE`, `REVOKED`.
 */
export function appraiseMaaTdx(claims: Claims, reference: MaaTdxReferenceValues, checklist: Checklist): void {
  const demand = checklist.ofClaims
  demandService(claims, reference, 'tdxvm', demand)
  const hardware = maaTdxClaimsSchema.parse(claims['hardware'])
  // TD 1.0, as the service knows it, has no service TD.
  demandAttributes({ ...hardware, mrServiceTd: null }, reference, demand)
  demandModule(hardware, reference, demand)
  demandTcbStatus(hardware.tcbStatus, reference.tcbStatus ?? [], demand)
  demandRegisters(hardware, reference, demand)
  const { rtmr1, rtmr2, mrConfigId } = hardware
  demandGuestCode(reference, [rtmr1, rtmr2, mrConfigId], 'RTMR1, RTMR2 or MRCONFIGID', demand)
}

function demandService(
  claims: Claims,
  reference: MaaReference,
  direct: 'sevsnpvm' | 'tdxvm',
  demand: ClaimDemand,
): void {
  demandSigner(claims, reference, demand)
  const { type, policyHash, compliance, guest } = serviceClaimsSchema.parse(claims)
  const expectedType = reference.nested === guestType ? guestType : direct
  demand('x-ms-attestation-type', expectedType, type, type === expectedType, 'WRONG_TYPE')
  const policy = policyHash ?? 'not said'
  demand('x-ms-policy-hash', reference.policyHash.join(' or '), policy, reference.policyHash.includes(policy))
  const accepted: readonly string[] = reference.compliance ?? ['azure-compliant-cvm']
  const status = compliance ?? 'not said'
  const isCompliant = accepted.includes(status)
  demand('x-ms-compliance-status', accepted.join(' or '), status, isCompliant, 'IMAGE_NOT_PRODUCTION')
  if (guest === null) return
  const flags = [
    ['secureboot', true, guest.secureBoot, 'POLICY'],
    ['x-ms-azurevm-bootdebug-enabled', false, guest.bootDebug, 'DEBUG_ENABLED'],
    ['x-ms-azurevm-debuggersdisabled', true, guest.debuggersDisabled, 'DEBUG_ENABLED'],
  ] as const
  for (const [name, expected, seen, code] of flags)
    demand(
      name,
      String(expected),
      typeof seen === 'boolean' ? String(seen) : 'not said',
      seen === expected,
      code,
    )
}

function demandFirmware(
  { generation, reportedTcb, guestSvn }: MaaSnpClaims,
  { minimumTcb, minimumGuestSvn, generations }: MaaSnpReferenceValues,
  demand: ClaimDemand,
): void {
  const isAccepted = generation !== null && generations.includes(generation)
  demand('generation', generations.join(' or '), generation ?? 'not said', isAccepted)
  // The service does not state FMC, which Turin has.
  if (generation === 'turin') demand('minimumTcb.fmc', 'a component that is said', 'not said', false)
  const isEnough = componentBelow(reportedTcb, minimumTcb) === undefined
  demand('reportedTcb', `at least ${tcbText(minimumTcb)}`, tcbText(reportedTcb), isEnough, 'TCB_OUT_OF_DATE')
  if (minimumGuestSvn !== undefined)
    demand('guestSvn', `at least ${minimumGuestSvn}`, String(guestSvn), guestSvn >= minimumGuestSvn)
}

function demandModule(
  { mrSignerSeam, seamAttributes, mrSeam }: z.infer<typeof maaTdxClaimsSchema>,
  reference: MaaTdxReferenceValues,
  demand: ClaimDemand,
): void {
  const isIntels = /^0*$/.test(mrSignerSeam)
  demand('tdx_mrsignerseam', 'zero, which is Intel', mrSignerSeam, isIntels, 'MEASUREMENT_MISMATCH')
  const isPlain = /^0*$/.test(seamAttributes)
  demand('tdx_seam_attributes', 'zero', seamAttributes, isPlain, 'MEASUREMENT_MISMATCH')
  if (reference.mrSeam !== undefined)
    demand('mrSeam', reference.mrSeam.join(' or '), mrSeam, reference.mrSeam.includes(mrSeam))
}

function demandTcbStatus(status: string | null, waived: readonly string[], demand: ClaimDemand): void {
  const accepted = ['UpToDate', ...waived]
  const isAccepted = status !== null && accepted.includes(status)
  demand('attester_tcb_status', accepted.join(' or '), status ?? 'not said', isAccepted, tcbRefusal(status))
}

// The firmware of such a machine starts whatever it is given: without a digest of that, the token is about nobody's code.
function demandGuestCode(
  { guestCode }: MaaReference,
  digests: readonly string[],
  where: string,
  demand: ClaimDemand,
): void {
  if (guestCode === 'unmeasured') return
  const isNamed = digests.some((digest) => /[^0]/.test(digest))
  demand('guest code', `named by ${where}`, isNamed ? 'named' : 'nothing measures it', isNamed)
}
