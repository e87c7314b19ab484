/** The key set of an attestation service, at the address that is configured for exactly its name; never at one that a token names. */
import { keySetName, type Collateral, type KeySetAsk } from '#libs/attestation'
import { AgentError } from '../errors.js'
import { download, type DownloadBounds } from './download.js'

/** Addresses of key sets by the exact name of their issuer. */
export type KeySetAddresses = Readonly<Record<string, string>>

/**
 * Gets the key set of the issuer that a token names.
 * @throws AgentError `COLLATERAL_UNREACHABLE`; also where that issuer is not configured.
 */
export async function fetchKeySet(
  addresses: KeySetAddresses,
  { unverifiedIssuer }: KeySetAsk,
  bounds: DownloadBounds,
): Promise<Collateral> {
  const address = Object.hasOwn(addresses, unverifiedIssuer) ? addresses[unverifiedIssuer] : undefined
  if (address === undefined)
    throw new AgentError(
      'COLLATERAL_UNREACHABLE',
      `the issuer of the token is none of those configured (${Object.keys(addresses).join(', ') || 'none'}); where it is the one that the contract names, configure the address of its key set`,
    )
  return { [keySetName]: (await download(new URL(address), bounds)).body }
}
