/**
 * The contract entry that would accept the machine behind some evidence, with everything that its owners give up by it. A proposal from
 * what the evidence says of itself: people decide on it, field by field, and sign it.
 */
import type { JsonValue } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { snpProtections } from '../reference-values.js'
import { nonZero, proposedAgeSeconds, recordIn, type Facts } from './facts.js'
import type { UnverifiedInspection } from './inspect.js'
import { proposeAzure, proposeMaa, proposeSpace } from './propose-cloud-reference.js'

/** An entry for `enclaves`, complete unless a warning says what is left out. */
export interface ProposedReference {
  readonly entry: Readonly<Record<string, JsonValue>>
  readonly warnings: readonly string[]
}

/**
 * Proposes an entry.
 * @param claims - What a verifier found in the same evidence; null where nobody verified it.
 * @throws AttestationError `TEE_UNSUPPORTED` for kinds on which no contract can rest.
 */
export function proposeReference(inspection: UnverifiedInspection, claims: Facts | null): ProposedReference {
  const { kind, unverifiedFacts: facts, warnings } = inspection
  const unverified = claims === null ? ['nobody verified this evidence: anyone can have made it'] : []
  const before = [...unverified, ...warnings]
  switch (kind) {
    case 'sev-snp':
      return proposeSnp(facts, claims ?? {}, before)
    case 'tdx':
      return proposeTdx(facts, claims ?? {}, before)
    case 'nitro':
      return proposeNitro(facts, before)
    case 'az-snp-vtpm':
      return proposeAzure(kind, proposeSnp(facts, hardwareIn(claims), before), facts)
    case 'az-tdx-vtpm':
      return proposeAzure(kind, proposeTdx(facts, hardwareIn(claims), before), facts)
    case 'maa-snp':
    case 'maa-tdx':
      return proposeMaa(kind, facts, claims, before)
    case 'gcp-cs':
      return proposeSpace(facts, claims, before)
    case 'sgx':
    case 'hcl-report':
    case 'nvidia-gpu':
    case 'nras':
    case 'token':
      throw new AttestationError(
        'TEE_UNSUPPORTED',
        `no entry of a contract accepts ${kind} by itself; give the hardware’s own report, quote or document`,
        { stage: 'parse', field: 'kind' },
      )
  }
}

function hardwareIn(claims: Facts | null): Facts {
  return recordIn(claims ?? {}, 'hardware') as Facts
}

function proposeSnp(facts: Facts, claims: Facts, before: readonly string[]): ProposedReference {
  const warnings = [...before]
  const [policy, platform] = [flagsIn(facts, 'policy'), flagsIn(facts, 'platform')]
  const isOn: Readonly<Record<string, boolean>> = {
    ...policy,
    raplDisabled: policy['raplDisabled'] === true || platform['raplDisabled'] === true,
    ciphertextHiding: policy['ciphertextHiding'] === true || platform['ciphertextHiding'] === true,
    aliasCheck: platform['aliasCheck'] === true,
  }
  const waived = snpProtections.filter((name) => isOn[name] !== true)
  if (waived.length > 0) warnings.push(`waivedProtections: the owners do without ${waived.join(', ')}`)
  const hasSmt = policy['smtAllowed'] === true || platform['smt'] === true
  if (hasSmt) warnings.push('smt: two threads may share a core; leave it out once the host turns that off')
  const hasCxl = policy['cxlAllowed'] === true
  if (hasCxl) warnings.push('cxl: the guest may have memory outside the processor')
  warnings.push('minimumTcb is what this machine has now; compare it with AMD’s latest bulletins')
  const generation = claims['generation'] ?? facts['generation']
  const isKnown = typeof generation === 'string' && /^[a-z]+$/.test(generation)
  if (!isKnown)
    warnings.push(
      'generations is left out, and the entry refused until it is there: give --collateral and --at, since the certificate names the processor',
    )
  const isVlek = facts['signingKey'] === 'VLEK'
  if (isVlek && claims['provider'] === undefined)
    warnings.push('providers is left out: only a verified VLEK certificate names the provider')
  return {
    entry: {
      tee: 'sev-snp',
      measurement: [facts['measurement'] ?? null],
      minimumTcb: smallerTcb(facts),
      maximumAgeSeconds: proposedAgeSeconds,
      ...(isKnown ? { generations: [generation] } : {}),
      ...(isVlek && typeof claims['provider'] === 'string' ? { providers: [claims['provider']] } : {}),
      ...nonZero(facts, ['hostData', 'familyId', 'imageId', 'idKeyDigest', 'authorKeyDigest']),
      ...(facts['vmpl'] === 0 ? {} : { vmpl: [facts['vmpl'] ?? null] }),
      ...(hasSmt ? { smt: 'allowed' } : {}),
      ...(hasCxl ? { cxl: 'allowed' } : {}),
      ...(waived.length > 0 ? { waivedProtections: waived } : {}),
    },
    warnings,
  }
}

// The appraisal holds three of the four TCBs against the minimum: the proposal is what all of them reach.
function smallerTcb(facts: Facts): Readonly<Record<string, JsonValue>> {
  const tcbs = ['reportedTcb', 'launchTcb', 'committedTcb'].map((name) => recordIn(facts, name))
  return Object.fromEntries(
    Object.keys(tcbs[0] ?? {}).map((component) => [
      component,
      Math.min(...tcbs.map((tcb) => Number(tcb[component]))),
    ]),
  )
}

function proposeTdx(facts: Facts, claims: Facts, before: readonly string[]): ProposedReference {
  const warnings = [...before]
  const evaluation = claims['evaluationDataNumber']
  if (evaluation === undefined)
    warnings.push(
      'minimumTcb.evaluationDataNumber is left out, and the entry refused until it is there: give --collateral and --at',
    )
  const status = claims['tcbStatus']
  const isOld = typeof status === 'string' && status !== 'UpToDate' && status !== 'Revoked'
  if (isOld) warnings.push(`tcbStatus: the platform is ${status}; better update it than accept that`)
  const advisories = Array.isArray(claims['advisories']) ? claims['advisories'] : []
  if (advisories.length > 0) warnings.push(`advisories: the owners waive ${advisories.join(', ')}`)
  const measurements = ['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3', 'mrConfigId', 'mrOwner', 'mrOwnerConfig'] as const
  return {
    entry: {
      tee: 'tdx',
      measurement: [facts['mrTd'] ?? null],
      ...nonZero(facts, measurements),
      minimumTcb: evaluation === undefined ? {} : { evaluationDataNumber: evaluation },
      maximumAgeSeconds: proposedAgeSeconds,
      ...(isOld ? { tcbStatus: [status] } : {}),
      ...(advisories.length > 0 ? { advisories } : {}),
      ...(facts['septVeDisable'] === true ? {} : { septVe: 'enabled' }),
    },
    warnings,
  }
}

function proposeNitro(facts: Facts, before: readonly string[]): ProposedReference {
  const { pcr8 } = nonZero(facts, ['pcr8'])
  return {
    entry: {
      tee: 'nitro',
      measurement: [facts['pcr0'] ?? null],
      maximumAgeSeconds: proposedAgeSeconds,
      ...(pcr8 === undefined ? {} : { signer: pcr8 }),
    },
    warnings: [
      ...before,
      'no worker of this version runs in a Nitro enclave: owners would release, and nobody is there',
    ],
  }
}

function flagsIn(facts: Facts, name: string): Readonly<Record<string, boolean>> {
  return Object.fromEntries(
    Object.entries(recordIn(facts, name)).flatMap(([flag, value]) =>
      typeof value === 'boolean' ? [[flag, value] as const] : [],
    ),
  )
}
