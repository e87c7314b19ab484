/** An SNP report judged alone, under the strict policy for production. No contract, no keys: nothing is released on it. */
import { toHex, type JsonValue } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'
import { authenticateSnpReport, type AuthenticSnpReport, type SnpEvidence } from './authenticate.js'
import { readGuestPolicy } from './flags.js'
import { amdRoots, generationNames, type AmdRoots } from './generations.js'

/** Judges a report at a time in milliseconds. */
export function judgeSnpReport(
  evidence: SnpEvidence,
  { at, roots = amdRoots }: { readonly at: number; readonly roots?: AmdRoots },
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateSnpReport(evidence, { at, roots, revocationList: 'ifShown' }),
    factsOf: snpFacts,
    demandProduction: demandSnpProduction,
  })
}

/**
 * The strict policy: nobody can debug the guest or move it.
 * @throws AttestationError `DEBUG_ENABLED`, `MIGRATION_ALLOWED`.
 */
export function demandSnpProduction({ report }: AuthenticSnpReport): void {
  const { debug, migrationAgent } = readGuestPolicy(report.policy)
  if (debug) throw refused('DEBUG_ENABLED', 'DEBUG is set: the host can read the memory of the guest')
  if (migrationAgent)
    throw refused('MIGRATION_ALLOWED', 'MIGRATE_MA is set: a migration agent can move the guest')
}

/** The facts of a report by the names that captured evidence is described with. */
export function snpFacts({
  report,
  endorsement,
  generation,
}: AuthenticSnpReport): Readonly<Record<string, JsonValue>> {
  return {
    version: report.version,
    policy: `0x${report.policy.toString(16)}`,
    vmpl: report.vmpl,
    guest_svn: report.guestSvn,
    signing_key: endorsement.kind,
    family: generationNames[generation],
    reported_tcb: toHex(report.reportedTcb),
    measurement: toHex(report.measurement),
    report_data: toHex(report.reportData),
    host_data: toHex(report.hostData),
    // Its first 16 bytes tell chips apart.
    chip_id: toHex(report.chipId.subarray(0, 16)),
    ...(endorsement.provider === null ? {} : { csp: endorsement.provider }),
  }
}

function refused(code: 'DEBUG_ENABLED' | 'MIGRATION_ALLOWED', why: string): AttestationError {
  return new AttestationError(code, `SNP report: POLICY: ${why}`, { stage: 'appraise', field: 'POLICY' })
}
