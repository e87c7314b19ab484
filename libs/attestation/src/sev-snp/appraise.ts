/**
 * Whether an authentic report is of an enclave that a contract means. Every field is compared; where the contract is silent the
 * field must have its safe value (see reference-values.ts). The measurement itself is compared by verify-enclave.ts.
 */
import { onOff, type Checklist, type ClaimDemand } from '../checklist.js'
import type { SevSnpReferenceValues, SnpProtection } from '../reference-values.js'
import { snpProtections } from '../reference-values.js'
import { tcbText, type SnpClaims } from './claims.js'
import { componentBelow, type Tcb } from './tcb.js'

/** What a contract demands of the machine, whoever vouches for it. */
export type SnpMachineReference = Omit<SevSnpReferenceValues, 'tee' | 'gpu'>

/**
 * Appraises claims against one entry of a contract.
 * @throws AttestationError `DEBUG_ENABLED`, `MIGRATION_ALLOWED`, `TCB_OUT_OF_DATE`, `POLICY`, naming the claim.
 */
export function appraiseSnpClaims(
  claims: SnpClaims,
  reference: SnpMachineReference,
  checklist: Checklist,
): void {
  const demand = checklist.ofClaims
  demandGuestPolicy(claims, reference, demand)
  demandProtections(claims, reference, demand)
  demandFirmware(claims, reference, demand)
  demandMachine(claims, reference, demand)
  demandLaunch(claims, reference, demand)
}

const zeros = (bytes: number): readonly string[] => ['00'.repeat(bytes)]

/** What the demands below need of a reference; the providers of certificates are known only where there is one. */
type Demanded = Omit<SnpMachineReference, 'providers'>
type Flags<Part extends 'policy' | 'platform', Names extends keyof SnpClaims[Part]> = Readonly<
  Record<Part, Pick<SnpClaims[Part], Names>>
>

/** What the guest's policy lets the host do. */
export function demandGuestPolicy(
  {
    policy,
    platform,
    vmpl,
  }: Flags<'policy', 'debug' | 'migrationAgent' | 'smtAllowed' | 'cxlAllowed'> &
    Flags<'platform', 'smt'> &
    Pick<SnpClaims, 'vmpl'>,
  reference: Demanded,
  demand: ClaimDemand,
): void {
  demand('policy.debug', 'off', onOff(policy.debug), !policy.debug, 'DEBUG_ENABLED')
  demand(
    'policy.migrationAgent',
    'off',
    onOff(policy.migrationAgent),
    !policy.migrationAgent,
    'MIGRATION_ALLOWED',
  )
  if (reference.smt !== 'allowed') {
    demand('policy.smtAllowed', 'off', onOff(policy.smtAllowed), !policy.smtAllowed)
    demand('platform.smt', 'off', onOff(platform.smt), !platform.smt)
  }
  if (reference.cxl !== 'allowed')
    demand('policy.cxlAllowed', 'off', onOff(policy.cxlAllowed), !policy.cxlAllowed)
  const levels = reference.vmpl ?? [0]
  demand('vmpl', levels.join(' or '), String(vmpl), levels.includes(vmpl))
}

// The guest's policy makes the firmware see to it for good; the platform's state shows it for as long as the guest lives,
// since only a reset changes it.
/** Each protection that the owners do not waive. */
export function demandProtections(
  {
    policy,
    platform,
  }: Flags<
    'policy',
    'singleSocket' | 'aes256Xts' | 'raplDisabled' | 'ciphertextHiding' | 'pageSwapDisabled'
  > &
    Flags<'platform', 'raplDisabled' | 'ciphertextHiding' | 'aliasCheck'>,
  reference: Demanded,
  demand: ClaimDemand,
): void {
  const isOn: Readonly<Record<SnpProtection, boolean>> = {
    singleSocket: policy.singleSocket,
    aes256Xts: policy.aes256Xts,
    raplDisabled: policy.raplDisabled || platform.raplDisabled,
    ciphertextHiding: policy.ciphertextHiding || platform.ciphertextHiding,
    pageSwapDisabled: policy.pageSwapDisabled,
    aliasCheck: platform.aliasCheck,
  }
  for (const protection of snpProtections)
    if (!(reference.waivedProtections ?? []).includes(protection))
      demand(`protection ${protection}`, 'on', onOff(isOn[protection]), isOn[protection])
}

function demandFirmware(
  claims: SnpClaims,
  { minimumTcb, minimumGuestSvn }: SnpMachineReference,
  demand: ClaimDemand,
): void {
  if (claims.generation === 'turin')
    demand(
      'minimumTcb.fmc',
      'named, as Turin has it',
      minimumTcb.fmc === undefined ? 'not named' : 'named',
      minimumTcb.fmc !== undefined,
    )
  const least: Partial<Tcb> = minimumTcb
  // What the guest began on counts too: it may have been taken over then. So does what the host can still go back to under the
  // running guest: firmware that was tried out and not committed.
  for (const name of ['reportedTcb', 'launchTcb', 'committedTcb'] as const)
    demand(
      name,
      `at least ${tcbText(least)}`,
      tcbText(claims[name]),
      componentBelow(claims[name], least) === undefined,
      'TCB_OUT_OF_DATE',
    )
  if (minimumGuestSvn !== undefined)
    demand(
      'guestSvn',
      `at least ${minimumGuestSvn}`,
      String(claims.guestSvn),
      claims.guestSvn >= minimumGuestSvn,
    )
}

function demandMachine(claims: SnpClaims, reference: SnpMachineReference, demand: ClaimDemand): void {
  const { generation, signingKey, provider } = claims
  const accepted = reference.generations
  demand('generation', accepted.join(' or '), generation, accepted.includes(generation))
  if (reference.providers === undefined) demand('signingKey', 'VCEK', signingKey, signingKey === 'VCEK')
  else
    demand(
      'provider',
      reference.providers.join(' or '),
      provider ?? 'none',
      provider !== null && reference.providers.includes(provider),
    )
  demandChip(claims, reference, demand)
}

/** Which chips, where the contract tells them apart. */
export function demandChip(
  { chipId }: Pick<SnpClaims, 'chipId'>,
  reference: Demanded,
  demand: ClaimDemand,
): void {
  const chip = chipId === null ? 'not shown' : `${chipId.slice(0, 16)}…`
  if (reference.chips !== undefined)
    demand('chipId', 'on the list of chips', chip, chipId !== null && reference.chips.includes(chipId))
  // A chip that does not show itself may be one of those refused.
  if (reference.refusedChips !== undefined)
    demand(
      'chipId',
      'shown, and not on the list of refused chips',
      chip,
      chipId !== null && !reference.refusedChips.includes(chipId),
    )
}

/** What was given to the guest at its launch. */
export function demandLaunch(
  claims: Pick<SnpClaims, 'hostData' | 'familyId' | 'imageId' | 'idKeyDigest' | 'authorKeyDigest'>,
  reference: Demanded,
  demand: ClaimDemand,
): void {
  const fields = [
    ['hostData', reference.hostData ?? zeros(32)],
    ['familyId', reference.familyId ?? zeros(16)],
    ['imageId', reference.imageId ?? zeros(16)],
    ['idKeyDigest', reference.idKeyDigest ?? zeros(48)],
    ['authorKeyDigest', reference.authorKeyDigest ?? zeros(48)],
  ] as const
  for (const [name, expected] of fields)
    demand(name, expected.join(' or '), claims[name], expected.includes(claims[name]))
}
