/** Collateral from the vendors' services, at hosts that are fixed here or configured; never at one that evidence names. */
import type { Collateral, CollateralAsk, CollateralSource } from '#libs/attestation'
import type { Agent } from '../agent.js'
import type { AgentConfig } from '../config.js'
import { AgentError } from '../errors.js'
import type { DownloadBounds } from './download.js'
import { fetchAmd } from './fetch-amd.js'
import { fetchIntel } from './fetch-intel.js'
import { CollateralFolder } from './folder.js'

/** Hosts of collateral. */
export interface CollateralHosts {
  readonly amd: string
  readonly intel: string
  readonly intelRoot: string
}

/** The vendors' own. */
export const vendorHosts: CollateralHosts = {
  amd: 'https://kdsintf.amd.com',
  intel: 'https://api.trustedservices.intel.com',
  intelRoot: 'https://certificates.trustedservices.intel.com',
}

/** Lists of revoked keys and TCB information are fetched anew after this, though they would be valid for longer. */
const refreshMilliseconds = 12 * 3_600_000
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
  const within: DownloadBounds = { ...bounds, signal }
  return ask.kind === 'sev-snp'
    ? await fetchAmd(hosts.amd, ask, within)
    : await fetchIntel({ service: hosts.intel, root: hosts.intelRoot }, ask, within)
}

/** The folder, and behind it, where the configuration says so, the network. */
export class FetchedCollateral implements CollateralSource {
  constructor(
    private readonly folder: CollateralFolder,
    private readonly hosts: CollateralHosts,
    private readonly around: Pick<Agent, 'now' | 'report'> & { readonly signal: AbortSignal },
  ) {}

  async find(ask: CollateralAsk): Promise<Collateral | undefined> {
    const kept = await this.folder.kept(ask)
    if (kept !== undefined && this.around.now() - kept.keptAt < refreshMilliseconds) return kept.collateral
    try {
      const fetched = await fetchCollateral(this.hosts, ask, this.around.signal)
      await this.folder.keep(ask, fetched)
      return fetched
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      // What is kept may still be valid: the verifier, who knows its dates, says so or refuses.
      this.around.report({ what: 'collateral not fetched', code: error.code, reason: error.message })
      return kept?.collateral
    }
  }
}

/** The source that a home's configuration names. Without a word in it nothing is fetched. */
export function collateralSourceOf(
  { collateral }: AgentConfig,
  folder: string,
  around: Pick<Agent, 'now' | 'report'> & { readonly signal: AbortSignal },
): CollateralSource {
  const kept = new CollateralFolder(folder)
  if (collateral === undefined) return kept
  const hosts = collateral.fetchFrom === 'vendors' ? vendorHosts : collateral.fetchFrom
  return new FetchedCollateral(kept, hosts, around)
}
