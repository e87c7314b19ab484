/**
 * Contexts of chunked encryption: what sealed bytes are, bound into their key derivation, so that the bytes of one purpose,
 * dataset version or segment never open as another's. A context is public; it is not what keeps bytes secret.
 */
import { canonicalBytes, domains, type Digest, type Thumbprint } from '#libs/canonical'

/** One segment of one version of an owner's dataset, as its manifest names it. */
export interface SegmentPlace {
  readonly owner: Thumbprint
  readonly dataset: string
  /** the version named in the manifest */
  readonly version: string
  readonly segment: string
  /** how many segments the version has, so that none can be left out or added */
  readonly segmentCount: number
}

/** The sealed part of a run request. Its run id is the digest of a statement that names these bytes, so it is not in here. */
export interface RequestPartPlace {
  readonly contract: Digest
  readonly requester: Thumbprint
}

/** One sealed output of a run. */
export interface OutputPlace {
  readonly run: Digest
  readonly output: string
}

/** Context of a segment (design section 8). */
export function segmentContext(place: SegmentPlace): Uint8Array {
  const { owner, dataset, version, segment, segmentCount } = place
  return canonicalBytes({ tag: domains.segment, owner, dataset, version, segment, segmentCount })
}

/** Context of a request's sealed part. */
export function requestPartContext(place: RequestPartPlace): Uint8Array {
  return canonicalBytes({ tag: domains.requestPart, contract: place.contract, requester: place.requester })
}

/** Context of a run's output. */
export function outputContext(place: OutputPlace): Uint8Array {
  return canonicalBytes({ tag: domains.output, run: place.run, output: place.output })
}
