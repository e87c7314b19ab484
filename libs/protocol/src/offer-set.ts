import { canonicalBytes, digest, domains, type Digest } from '#libs/canonical'

/** The digest of the ordered list of a round's Offers, which Accepts and KeyReleases name (design: section 3). */
export function offerSetDigest(offerIds: readonly Digest[]): Digest {
  return digest(domains.offerSet, canonicalBytes(offerIds))
}
