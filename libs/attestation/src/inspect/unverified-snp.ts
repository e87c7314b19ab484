/** What an SNP report says, not verified. */
import { toHex, type JsonValue } from '#libs/canonical'
import { readGuestPolicy, readPlatformInfo } from '../sev-snp/flags.js'
import { generationOfCpu } from '../sev-snp/generations.js'
import { parseSnpReport, type SnpReport } from '../sev-snp/report.js'
import { readTcb, tcbComponents } from '../sev-snp/tcb.js'
import type { UnverifiedFacts } from './inspect.js'

/**
 * Facts of 1184 bytes.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`.
 */
export function unverifiedSnpFacts(bytes: Uint8Array): UnverifiedFacts {
  const report = parseSnpReport(bytes)
  const policy = readGuestPolicy(report.policy)
  const platform = readPlatformInfo(report.platformInfo)
  return {
    unverifiedFacts: {
      version: report.version,
      generation: unverifiedGeneration(report) ?? 'not named: the certificate says it',
      signingKey: report.signingKey,
      chipId: report.chipId.some((byte) => byte !== 0) ? toHex(report.chipId) : 'not shown',
      measurement: toHex(report.measurement),
      vmpl: report.vmpl,
      guestSvn: report.guestSvn,
      ...tcbFacts(report),
      firmware: report.currentFirmware,
      committedFirmware: report.committedFirmware,
      policy: { ...policy, abi: `${policy.abi.major}.${policy.abi.minor}` },
      platform: { ...platform },
      hostData: toHex(report.hostData),
      familyId: toHex(report.familyId),
      imageId: toHex(report.imageId),
      idKeyDigest: toHex(report.idKeyDigest),
      authorKeyDigest: toHex(report.authorKeyDigest),
      reportData: toHex(report.reportData),
    },
    warnings: [
      ...(policy.debug ? ['DEBUG is set: the host can read the memory of the guest'] : []),
      ...(policy.migrationAgent ? ['MIGRATE_MA is set: a migration agent can move the guest'] : []),
      ...(platform.smt ? ['SMT is on: a neighbour may run on the other thread of a core'] : []),
      ...(report.vmpl > 3 ? ['VMPL is that of a report which the host asked for'] : []),
      ...(report.signingKey === 'none' ? ['it is not signed at all'] : []),
      ...report.reservedFieldsSet.map((field) => `${field} holds a value that has no meaning`),
    ],
  }
}

/** The generation that the report names; undefined in version 2, and for a processor not known here. */
export function unverifiedGeneration({ cpuid }: SnpReport): ReturnType<typeof generationOfCpu> {
  return cpuid === null ? undefined : generationOfCpu(cpuid)
}

// Version 2 was written before Turin, whose order of components is another.
function tcbFacts(report: SnpReport): Readonly<Record<string, JsonValue>> {
  const generation = unverifiedGeneration(report) ?? 'milan'
  const names = ['reportedTcb', 'committedTcb', 'currentTcb', 'launchTcb'] as const
  return Object.fromEntries(
    names.map((name) => {
      const tcb = readTcb(report[name], generation)
      const present = tcbComponents.filter(
        (component) => !component.startsWith('spl') && (component !== 'fmc' || generation === 'turin'),
      )
      return [name, Object.fromEntries(present.map((component) => [component, tcb[component]]))]
    }),
  )
}
