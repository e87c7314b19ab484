/**
 * Whether an authentic TD is one that a contract means. Every field is compared; where the contract is silent
 * the field must have its safe value (see reference-values.ts). MRTD itself is compared by verify-enclave.ts.
 */
import { onOff, type Checklist, type ClaimDemand } from '../checklist.js'
import { tcbRefusal } from '../dcap/production.js'
import type { TdxReferenceValues } from '../reference-values.js'
import { hasServiceTd, type TdxClaims } from './claims.js'

/** What a contract demands of the machine, whoever vouches for it. */
export type TdxMachineReference = Omit<TdxReferenceValues, 'tee' | 'gpu'>

/**
 * Appraises claims against one entry of a contract.
 * @throws AttestationError `DEBUG_ENABLED`, `MIGRATION_ALLOWED`, `RESERVED_BITS`, `TCB_OUT_OF_DATE`,
 * `TCB_NOT_UP_TO_DATE`, `REVOKED`,
 * `POLICY`, naming the claim.
 */
export function appraiseTdxClaims(
  claims: TdxClaims,
  reference: TdxMachineReference,
  checklist: Checklist,
): void {
  const demand = checklist.ofClaims
  demandAttributes(claims, reference, demand)
  demandFirmware(claims, reference, demand)
  demandRegisters(claims, reference, demand)
}

const zero = '00'.repeat(48)

/** What the host may do to the TD. */
export function demandAttributes(
  claims: Pick<TdxClaims, 'debug' | 'migratable' | 'mrServiceTd' | 'reserved' | 'septVeDisable'>,
  { septVe }: Pick<TdxMachineReference, 'septVe'>,
  demand: ClaimDemand,
): void {
  const { debug, migratable, mrServiceTd, reserved, septVeDisable } = claims
  demand('tdAttributes.debug', 'off', onOff(debug), !debug, 'DEBUG_ENABLED')
  demand('tdAttributes.migratable', 'off', onOff(migratable), !migratable, 'MIGRATION_ALLOWED')
  demand('mrServiceTd', 'none', mrServiceTd ?? 'none', !hasServiceTd(claims), 'MIGRATION_ALLOWED')
  const bits = reserved.join(', ') || 'none'
  demand('reserved bits', 'none', bits, reserved.length === 0, 'RESERVED_BITS')
  if (septVe !== 'enabled') demand('tdAttributes.septVeDisable', 'on', onOff(septVeDisable), septVeDisable)
}

function demandFirmware(claims: TdxClaims, reference: TdxMachineReference, demand: ClaimDemand): void {
  const { tcbStatus, advisories, evaluationDataNumber, fmspc, mrSeam } = claims
  const least = reference.minimumTcb.evaluationDataNumber
  demand(
    'tcbEvaluationDataNumber',
    `at least ${least}`,
    String(evaluationDataNumber),
    evaluationDataNumber >= least,
    'COLLATERAL_MISMATCH',
  )
  const accepted: readonly string[] = ['UpToDate', ...(reference.tcbStatus ?? [])]
  const isAccepted = tcbStatus !== null && tcbStatus !== 'Revoked' && accepted.includes(tcbStatus)
  const code = tcbStatus === 'UpToDate' ? 'POLICY' : tcbRefusal(tcbStatus)
  demand('tcbStatus', accepted.join(' or '), tcbStatus ?? 'below every level', isAccepted, code)
  const waived: readonly string[] = reference.advisories ?? []
  const open = advisories.filter((advisory) => !waived.includes(advisory))
  demand('advisories', waived.join(', ') || 'none', open.join(', ') || 'none', open.length === 0)
  if (reference.fmspc !== undefined)
    demand('fmspc', reference.fmspc.join(' or '), fmspc, reference.fmspc.includes(fmspc))
  if (reference.mrSeam !== undefined)
    demand('mrSeam', reference.mrSeam.join(' or '), mrSeam, reference.mrSeam.includes(mrSeam))
}

const registers = ['mrConfigId', 'mrOwner', 'mrOwnerConfig', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const
type Register = (typeof registers)[number]

/** What was given to the TD at its launch, and what its code measured. */
export function demandRegisters(
  claims: Pick<TdxClaims, Register>,
  reference: Pick<TdxMachineReference, Register>,
  demand: ClaimDemand,
): void {
  for (const name of registers) {
    const expected = reference[name] ?? [zero]
    demand(name, expected.join(' or '), claims[name], expected.includes(claims[name]))
  }
}
