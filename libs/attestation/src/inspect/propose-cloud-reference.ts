/** The entry of a contract that would accept a machine of a cloud or a token of its service; see propose-reference.ts. */
import type { JsonValue } from '#libs/canonical'
import { heldRegisters } from '../az-vtpm/reference.js'
import { snpProtections } from '../reference-values.js'
import { nonZero, proposedAgeSeconds, recordIn, type Facts } from './facts.js'
import type { ProposedReference } from './propose-reference.js'

/** What the hardware's proposal says, for the machine with its vTPM. */
export function proposeAzure(
  tee: 'az-snp-vtpm' | 'az-tdx-vtpm',
  { entry, warnings }: ProposedReference,
  facts: Facts,
): ProposedReference {
  const registers = recordIn(facts, 'registers') as Facts
  const names = Array.from({ length: heldRegisters }, (_, index) => `pcr${index}`)
  const missing = names.filter((name) => registers[name] === undefined)
  const [isBooted, isClosed] = [facts['secureBoot'] === true, facts['console'] === false]
  return {
    entry: {
      ...entry,
      tee,
      ...nonZero(registers, names),
      ...(isBooted ? {} : { secureBoot: 'waived' }),
      ...(isClosed ? {} : { console: 'allowed' }),
    },
    warnings: [
      ...warnings,
      'pcr0 to pcr15 are those of this machine now; compute those of an image that you built, and waive by waivedPcrs what differs between machines',
      ...(missing.length === 0
        ? []
        : [`${missing.join(', ')}: the quote does not cover them, and such evidence meets no entry`]),
      ...(isBooted ? [] : ['secureBoot: the owners do without secure boot']),
      ...(isClosed ? [] : ['console: the host’s serial console may reach the guest']),
    ],
  }
}

/** For a token of Microsoft Azure Attestation. Its key is known only once a key set was shown. */
export function proposeMaa(
  tee: 'maa-snp' | 'maa-tdx',
  facts: Facts,
  claims: Facts | null,
  before: readonly string[],
): ProposedReference {
  const digests = tee === 'maa-snp' ? ['hostData'] : ['rtmr1', 'rtmr2', 'mrConfigId']
  const isMeasured = Object.keys(nonZero(facts, digests)).length > 0
  const isOfContainers = facts['compliance'] === 'azure-compliant-uvm'
  const { keys, warnings } = proposeKeys(claims)
  return {
    entry: {
      tee,
      issuer: facts['iss'] ?? null,
      ...keys,
      policyHash: [facts['policyHash'] ?? null],
      measurement: [(tee === 'maa-snp' ? facts['measurement'] : facts['mrTd']) ?? null],
      maximumAgeSeconds: proposedAgeSeconds,
      ...(tee === 'maa-snp' ? snpFields(facts) : tdxFields(facts)),
      ...(isOfContainers ? { compliance: ['azure-compliant-uvm'] } : {}),
      ...(facts['nested'] === true ? { nested: 'azurevm' } : {}),
      ...(isMeasured ? {} : { guestCode: 'unmeasured' }),
    },
    warnings: [
      ...before,
      ...warnings,
      'policyHash is that of this token; make sure that you know the policy',
      ...(isMeasured
        ? []
        : ['guestCode: NOTHING MEASURES THE GUEST; whoever can start such a machine gets the data']),
      'no worker of this version gets such tokens: owners would release, and nobody is there',
    ],
  }
}

function snpFields(facts: Facts): Readonly<Record<string, JsonValue>> {
  const policy = recordIn(facts, 'policy')
  const waived = snpProtections.filter((name) => policy[name] !== true)
  return {
    minimumTcb: facts['reportedTcb'] ?? null,
    ...(facts['generation'] === null ? {} : { generations: [facts['generation'] ?? null] }),
    ...nonZero(facts, ['hostData', 'familyId', 'imageId', 'idKeyDigest', 'authorKeyDigest']),
    ...(facts['vmpl'] === 0 ? {} : { vmpl: [facts['vmpl'] ?? null] }),
    ...(policy['smtAllowed'] === true ? { smt: 'allowed' } : {}),
    ...(policy['cxlAllowed'] === true ? { cxl: 'allowed' } : {}),
    ...(waived.length > 0 ? { waivedProtections: waived } : {}),
  }
}

function tdxFields(facts: Facts): Readonly<Record<string, JsonValue>> {
  const status = facts['tcbStatus']
  const isOld = typeof status === 'string' && status !== 'UpToDate' && status !== 'Revoked'
  return {
    ...nonZero(facts, ['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3', 'mrConfigId', 'mrOwner', 'mrOwnerConfig']),
    ...(isOld ? { tcbStatus: [status] } : {}),
    ...(facts['septVeDisable'] === true ? {} : { septVe: 'enabled' }),
  }
}

/** For a token of Google Confidential Space. */
export function proposeSpace(
  facts: Facts,
  claims: Facts | null,
  before: readonly string[],
): ProposedReference {
  const { keys, warnings } = proposeKeys(claims)
  const { cmdOverride, envOverride, restartPolicy } = facts
  const isOverridden = Array.isArray(cmdOverride) && cmdOverride.length > 0
  const isSet = Object.keys(recordIn(facts, 'envOverride')).length > 0
  return {
    entry: {
      tee: 'gcp-cs',
      measurement: [facts['image'] ?? null],
      audience: facts['audience'] ?? null,
      ...keys,
      maximumAgeSeconds: proposedAgeSeconds,
      hardware: [facts['hardware'] ?? null],
      ...(isOverridden ? { cmdOverride } : {}),
      ...(isSet && envOverride !== undefined ? { envOverride } : {}),
      ...(restartPolicy === 'Never' ? {} : { restartPolicy: [restartPolicy ?? null] }),
      ...(facts['memoryMonitoring'] === false ? {} : { memoryMonitoring: 'allowed' }),
    },
    warnings: [
      ...before,
      ...warnings,
      ...(isOverridden || isSet ? ['the operator gave arguments or variables to the image: read each'] : []),
      ...(facts['hardware'] === 'GCP_AMD_SEV' || facts['hardware'] === 'GCP_AMD_SEV_ES'
        ? ['hardware: the host can change memory that it cannot read']
        : []),
      'no worker of this version gets such tokens: owners would release, and nobody is there',
    ],
  }
}

function proposeKeys(claims: Facts | null): {
  readonly keys: Readonly<Record<string, JsonValue>>
  readonly warnings: readonly string[]
} {
  const { thumbprint, certifiers } = recordIn(claims ?? {}, 'signingKey')
  const above: readonly unknown[] = Array.isArray(certifiers) ? certifiers : []
  const [authority = thumbprint] = above
  if (typeof authority !== 'string')
    return {
      keys: {},
      warnings: [
        'keys is left out, and the entry refused until it is there: give --collateral with the service’s jwks, and --at',
      ],
    }
  return {
    keys: { keys: [authority] },
    warnings: ['keys is what the key set given names: make sure that it is the service’s own'],
  }
}
