/**
 * Whether a token of Google Confidential Space is about a workload that a contract means: which hardware and image of Google's, what its operator
 * gave to it, and for whom the token was issued. The workload's own image is compared by verify-enclave.ts.
 */
import { onOff, type Checklist, type ClaimDemand } from '../checklist.js'
import { tcbRefusal } from '../token/tcb-refusal.js'
import type { ConfidentialSpaceClaims } from './claims.js'
import type { ConfidentialSpaceReference } from './reference.js'

/**
 * Appraises claims against one entry of a contract.
 * @throws AttestationError `WRONG_AUDIENCE`, `IMAGE_NOT_PRODUCTION`, `DEBUG_ENABLED`, `TCB_OUT_OF_DATE`, `TCB_NOT_UP_TO_DATE`, `REVOKED`,
 * `POLICY`, naming the claim.
 */
export function appraiseConfidentialSpace(
  claims: ConfidentialSpaceClaims,
  reference: ConfidentialSpaceReference,
  checklist: Checklist,
): void {
  const demand = checklist.ofClaims
  const audience = claims.audience ?? 'not exactly one'
  demand('aud', reference.audience, audience, audience === reference.audience, 'WRONG_AUDIENCE')
  demandSpace(claims, reference, demand)
  demandHardware(claims, reference, demand)
  demandWorkload(claims, reference, demand)
}

function demandSpace(
  claims: ConfidentialSpaceClaims,
  reference: ConfidentialSpaceReference,
  demand: ClaimDemand,
): void {
  const { software, debug, supportAttributes, imageVersion, memoryMonitoring } = claims
  const isSpace = software === 'CONFIDENTIAL_SPACE'
  demand('swname', 'CONFIDENTIAL_SPACE', software ?? 'not said', isSpace, 'IMAGE_NOT_PRODUCTION')
  const isClosed = debug === 'disabled-since-boot'
  demand('dbgstat', 'disabled-since-boot', debug ?? 'not said', isClosed, 'DEBUG_ENABLED')
  const attributes = supportAttributes.join(', ') || 'none'
  const isStable = supportAttributes.includes('STABLE')
  demand('support_attributes', 'STABLE among them', attributes, isStable, 'IMAGE_NOT_PRODUCTION')
  const least = reference.minimumImageVersion
  if (least !== undefined) {
    const isEnough = imageVersion !== null && imageVersion >= least
    demand(
      'swversion',
      `at least ${least}`,
      imageVersion === null ? 'not said' : String(imageVersion),
      isEnough,
    )
  }
  if (reference.memoryMonitoring !== 'allowed') {
    const seen = memoryMonitoring === null ? 'not said' : onOff(memoryMonitoring)
    demand('monitoring_enabled.memory', 'off', seen, memoryMonitoring === false)
  }
}

function demandHardware(
  { hardware, secureBoot, tcbStatus }: ConfidentialSpaceClaims,
  reference: ConfidentialSpaceReference,
  demand: ClaimDemand,
): void {
  const isAccepted = reference.hardware.some((model) => model === hardware)
  demand('hwmodel', reference.hardware.join(' or '), hardware ?? 'not said', isAccepted)
  demand('secboot', 'on', onOff(secureBoot), secureBoot)
  if (hardware !== 'GCP_INTEL_TDX') return
  const accepted = ['UpToDate', ...(reference.tcbStatus ?? [])]
  const isGood = tcbStatus !== null && accepted.includes(tcbStatus)
  demand(
    'tdx.gcp_attester_tcb_status',
    accepted.join(' or '),
    tcbStatus ?? 'not said',
    isGood,
    tcbRefusal(tcbStatus),
  )
}

function demandWorkload(
  claims: ConfidentialSpaceClaims,
  reference: ConfidentialSpaceReference,
  demand: ClaimDemand,
): void {
  const cmd = [reference.cmdOverride ?? [], claims.cmdOverride ?? []].map((list) => JSON.stringify(list))
  demand('cmd_override', cmd[0] ?? '', cmd[1] ?? '', cmd[0] === cmd[1])
  const env = [reference.envOverride ?? {}, claims.envOverride ?? {}].map(variablesText)
  demand('env_override', env[0] ?? '', env[1] ?? '', env[0] === env[1])
  const policies = reference.restartPolicy ?? ['Never']
  const policy = claims.restartPolicy ?? 'not said'
  demand(
    'restart_policy',
    policies.join(' or '),
    policy,
    policies.some((accepted) => accepted === policy),
  )
  const { projects, serviceAccounts } = reference
  if (projects !== undefined) {
    const project = claims.project ?? 'not said'
    demand('gce.project_id', projects.join(' or '), project, projects.includes(project))
  }
  if (serviceAccounts !== undefined) {
    const seen = claims.serviceAccounts
    const areAccepted = seen.length > 0 && seen.every((account) => serviceAccounts.includes(account))
    demand(
      'google_service_accounts',
      `of ${serviceAccounts.join(', ')}`,
      seen.join(', ') || 'none',
      areAccepted,
    )
  }
}

function variablesText(variables: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1)))
}
