/**
 * Chains of certificates up to a pinned root (RFC 5280 §6, for hierarchies without policies and name constraints). Guards that
 * the root authorised the leaf's key and that everything is valid at the time given. Says nothing about what the leaf
 * may be used for, which is its caller's to check, nor about revocation, see revocation.node.ts.
 */
import { AttestationError } from '../errors.js'
import type { Certificate } from './certificate.js'
import { extensionId } from './extensions.js'
import { fingerprintOf, isSignedBy } from './signature.node.js'
import type { SignatureAlgorithm } from './signature-algorithm.js'
import { checkPeriod } from './time.js'

/** What a chain must meet. */
export interface ChainRules {
  /** In milliseconds. */
  readonly at: number
  /** SHA-256 fingerprints of the roots' DER, in hexadecimal. */
  readonly roots: readonly string[]
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Critical extensions that the caller itself reads. Any other critical one refuses. */
  readonly criticalExtensions?: readonly string[]
  /** What refusals call the leaf. */
  readonly what: string
}

/** From the leaf, which comes first, to the pinned root, which comes last. At least two. */
export type Chain = readonly [leaf: Certificate, ...authorities: Certificate[]]

const maximumChainLength = 8
const understood: readonly string[] = [extensionId.basicConstraints, extensionId.keyUsage]

/**
 * Finds and verifies the chain of `leaf` through certificates of `pool`, in any order, to a pinned root, which stands in the
 * pool as well. The root's own signature proves nothing that its fingerprint does not.
 * @throws AttestationError `CHAIN_UNTRUSTED`, `ALGORITHM`, `NOT_YET_VALID`, `EXPIRED`, `MALFORMED`.
 */
export function verifyChain(leaf: Certificate, pool: readonly Certificate[], rules: ChainRules): Chain {
  const chain: [Certificate, ...Certificate[]] = [leaf]
  let subject = leaf
  for (;;) {
    const issuer = findIssuer(subject, chain, pool, rules)
    checkAuthority(issuer, chain.length - 1, rules.what)
    chain.push(issuer)
    if (rules.roots.includes(fingerprintOf(issuer))) break
    if (chain.length >= maximumChainLength)
      throw untrusted(rules.what, `no pinned root within ${maximumChainLength} certificates`)
    subject = issuer
  }
  for (const certificate of chain) {
    checkCritical(certificate, rules)
    checkPeriod(`certificate ${certificate.subject.commonName ?? rules.what}`, certificate.validity, rules.at)
  }
  return chain
}

function findIssuer(
  subject: Certificate,
  chain: Chain,
  pool: readonly Certificate[],
  { algorithms, what }: ChainRules,
): Certificate {
  const named = pool.filter(
    (candidate) => candidate.subject.encoded === subject.issuer.encoded && !chain.includes(candidate),
  )
  const name = subject.issuer.commonName ?? 'its issuer'
  if (named.length === 0) throw untrusted(what, `no certificate of ${name} was given`)
  const { signed, signature, signatureAlgorithm: algorithm } = subject
  const issuer = named.find((candidate) =>
    isSignedBy({ signed, signature, algorithm }, candidate.publicKey, algorithms, what),
  )
  if (issuer === undefined) throw untrusted(what, `the key of ${name} did not sign it`)
  return issuer
}

function checkAuthority(authority: Certificate, below: number, what: string): void {
  const { basicConstraints, keyUsage, subject } = authority
  const name = subject.commonName ?? 'its issuer'
  if (!basicConstraints.isAuthority) throw untrusted(what, `${name} is no certificate authority`)
  if (keyUsage !== null && !keyUsage.includes('keyCertSign'))
    throw untrusted(what, `${name} may not sign certificates`)
  if (basicConstraints.pathLength !== null && below > basicConstraints.pathLength)
    throw untrusted(what, `${name} allows ${basicConstraints.pathLength} authorities below it, not ${below}`)
}

function checkCritical({ extensions }: Certificate, { criticalExtensions = [], what }: ChainRules): void {
  for (const [id, { critical }] of extensions)
    if (critical && !understood.includes(id) && !criticalExtensions.includes(id))
      throw untrusted(what, `critical extension ${id} is not understood`)
}

function untrusted(what: string, why: string): AttestationError {
  return new AttestationError('CHAIN_UNTRUSTED', `${what}: no chain to a pinned root: ${why}`, {
    stage: 'authenticate',
    field: 'chain',
  })
}
