/** Collateral from the vendors' services, at hosts that are fixed here or configured; never at one that evidence names. */
import {
  collateralName,
  confidentialSpaceIssuer,
  maximumCollateralTextLength,
  rolledBackFiles,
  vendorRoots,
  writeCollateral,
  type Collateral,
  type CollateralAsk,
  type CollateralSource,
  type RollbackTrust,
  type VendorRoots,
} from '#libs/attestation'
import type { Agent } from '../agent.js'
import type { AgentConfig } from '../config.js'
import { AgentError } from '../errors.js'
import type { DownloadBounds } from './download.js'
import { fetchAmd } from './fetch-amd.js'
import { fetchIntel } from './fetch-intel.js'
import { fetchKeySet, type KeySetAddresses } from './fetch-key-set.js'
import { fetchNvidia } from './fetch-nvidia.js'
import { CollateralFolder } from './folder.js'

/** Hosts of collateral. */
export interface CollateralHosts {
  readonly amd: string
  readonly intel: string
  readonly intelRoot: string
  /** Null: manifests of GPUs are not fetched. */
  readonly nvidia: string | null
  readonly keySets: KeySetAddresses
}

/** The vendors' own. */
export const vendorHosts: CollateralHosts = {
  amd: 'https://kdsintf.amd.com',
  intel: 'https://api.trustedservices.intel.com',
  intelRoot: 'https://certificates.trustedservices.intel.com',
  nvidia: 'https://rim.attestation.nvidia.com',
  // Azure's instances are many; each that a contract names is configured.
  keySets: {
    [confidentialSpaceIssuer]:
      'https://www.googleapis.com/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com',
  },
}

const hours = 3_600_000
/**
 * Lists of revoked keys and TCB information are fetched anew after this, though they would be valid for longer. A service may sign with a new key
 * at any time, so that its key set is never old.
 */
const refreshMilliseconds: Readonly<Record<CollateralAsk['kind'], number>> = {
  'sev-snp': 12 * hours,
  tdx: 12 * hours,
  jwks: hours / 12,
  'gpu-manifest': 12 * hours,
}
const bounds = { timeoutMilliseconds: 10_000, maximumBytes: 524_288 } as const

/**
 * Fetches what one ask names.
 * @throws AgentError `COLLATERAL_UNREACHABLE`.
 */
export async function fetchCollateral(
  hosts: CollateralHosts,
  ask: CollateralAsk,
  signal: AbortSignal,
): Promise<Collateral> {
  const collateral = await fetchFrom(hosts, ask, { ...bounds, signal })
  demandRecordable(ask, collateral)
  return collateral
}

function fetchFrom(hosts: CollateralHosts, ask: CollateralAsk, within: DownloadBounds): Promise<Collateral> {
  switch (ask.kind) {
    case 'sev-snp':
      return fetchAmd(hosts.amd, ask, within)
    case 'tdx':
      return fetchIntel({ service: hosts.intel, root: hosts.intelRoot }, ask, within)
    case 'jwks':
      return fetchKeySet(hosts.keySets, ask, within)
    case 'gpu-manifest':
      return fetchNvidia(hosts.nvidia, ask, within)
  }
}

// An Accept carries what its verdict used: one that cannot be recorded would leave the run waiting for it.
function demandRecordable(ask: CollateralAsk, collateral: Collateral): void {
  const { length } = writeCollateral([collateral])
  if (length > maximumCollateralTextLength)
    throw new AgentError(
      'COLLATERAL_UNREACHABLE',
      `${collateralName(ask)}: the service gives ${length} bytes in all; expected at most ${maximumCollateralTextLength}, as can be recorded`,
    )
}

/**
 * Demands that what was fetched does not take back what is kept.
 * @throws AgentError `COLLATERAL_OLDER`.
 */
export function demandNoRollback(
  ask: CollateralAsk,
  kept: Collateral | undefined,
  fetched: Collateral,
  trust: RollbackTrust,
): void {
  const files = kept === undefined ? [] : rolledBackFiles(ask.kind, kept, fetched, trust)
  if (files.length > 0)
    throw new AgentError(
      'COLLATERAL_OLDER',
      `${files.join(', ')} of ${collateralName(ask)}: the service gives an older one than is kept, or one that is not genuine; expected one ` +
        'at least as new. What is kept stays; the operator of the service, or of its mirror, can mend it',
    )
}

/** What a source needs of its agent. */
export type Around = Pick<Agent, 'now' | 'report'> & {
  readonly signal: AbortSignal
  /** Left out: the vendors' own. */
  readonly roots?: VendorRoots
}

/** The folder, and behind it, where the configuration says so, the network. */
export class FetchedCollateral implements CollateralSource {
  constructor(
    private readonly folder: CollateralFolder,
    private readonly hosts: CollateralHosts,
    private readonly around: Around,
  ) {}

  async find(ask: CollateralAsk): Promise<Collateral | undefined> {
    const kept = await this.folder.kept(ask)
    // A file of tomorrow is as far away as one of yesterday: a clock was wrong, and nobody knows how old it is.
    if (kept !== undefined && Math.abs(this.around.now() - kept.keptAt) < refreshMilliseconds[ask.kind])
      return kept.collateral
    // What is kept may still be valid: the verifier, who knows its dates, says so or refuses.
    return (await this.fetch(ask, kept?.collateral)) ?? kept?.collateral
  }

  private async fetch(ask: CollateralAsk, kept: Collateral | undefined): Promise<Collateral | undefined> {
    const { now, report, roots = vendorRoots, signal } = this.around
    try {
      const fetched = await fetchCollateral(this.hosts, ask, signal)
      demandNoRollback(ask, kept, fetched, { at: now(), roots })
      await this.keep(ask, fetched)
      return fetched
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      report({ what: 'collateral not fetched', code: error.code, reason: error.message })
      return undefined
    }
  }

  // A disk that is full takes nothing from what was fetched.
  private async keep(ask: CollateralAsk, fetched: Collateral): Promise<void> {
    try {
      await this.folder.keep(ask, fetched)
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      this.around.report({ what: 'collateral not kept', code: error.code, reason: error.message })
    }
  }
}

/** The source that a home's configuration names. Without a word in it nothing is fetched. */
export function collateralSourceOf(
  { collateral }: AgentConfig,
  folder: string,
  around: Around,
): CollateralSource {
  const kept = new CollateralFolder(folder)
  if (collateral === undefined) return kept
  const { fetchFrom, keySets = {} } = collateral
  const hosts = fetchFrom === 'vendors' ? vendorHosts : { ...fetchFrom, keySets: {} }
  return new FetchedCollateral(kept, { ...hosts, keySets: { ...hosts.keySets, ...keySets } }, around)
}
