/**
 * Intel's verdict on the firmware of a platform. The platform, its quoting enclave and its TDX module each
 * have one; the whole is as bad as all of them together.
 */

/** What a level can be, in Intel's words. */
export const tcbStatuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

/** One of {@link tcbStatuses}. */
export type TcbStatus = (typeof tcbStatuses)[number]

/** The status of one part, or of all. */
export interface TcbState {
  /** Null: older than every level that Intel lists. */
  readonly status: TcbStatus | null
  /** Identifiers of Intel's advisories that the firmware is open to, sorted. */
  readonly advisories: readonly string[]
}

/**
 * Merges the states of the parts. No level for one part: none for the whole, and no list of advisories would
 * be complete.
 */
export function mergeTcbStates(parts: readonly TcbState[]): TcbState {
  const statuses = parts.map(({ status }) => status)
  if (statuses.includes('Revoked')) return { status: 'Revoked', advisories: advisoriesOf(parts) }
  if (statuses.includes(null)) return { status: null, advisories: [] }
  const some = (flag: string): boolean => statuses.some((status) => status?.includes(flag))
  return {
    status: combined(some('OutOfDate'), some('Configuration'), some('SWHardening')),
    advisories: advisoriesOf(parts),
  }
}

function combined(outOfDate: boolean, configuration: boolean, hardening: boolean): TcbStatus {
  // Hardening of software is no help on firmware with known holes: Intel does not name it beside OutOfDate.
  if (outOfDate) return configuration ? 'OutOfDateConfigurationNeeded' : 'OutOfDate'
  if (configuration) return hardening ? 'ConfigurationAndSWHardeningNeeded' : 'ConfigurationNeeded'
  return hardening ? 'SWHardeningNeeded' : 'UpToDate'
}

function advisoriesOf(parts: readonly TcbState[]): readonly string[] {
  return [...new Set(parts.flatMap(({ advisories }) => advisories))].sort()
}
