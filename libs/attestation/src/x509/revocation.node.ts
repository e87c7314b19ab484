/**
 * Revocation by lists. Guards that no certificate of a chain is on a current list of its issuer. Where no list is at hand the
 * caller decides, by `demanded`, whether that refuses.
 */
import { AttestationError } from '../errors.js'
import type { Certificate } from './certificate.js'
import type { Chain } from './chain.node.js'
import type { RevocationList } from './revocation-list.js'
import { isSignedBy } from './signature.node.js'
import type { SignatureAlgorithm } from './signature-algorithm.js'
import { checkPeriod } from './time.js'

/** What lists must meet. */
export interface RevocationRules {
  /** In milliseconds. */
  readonly at: number
  readonly algorithms: readonly SignatureAlgorithm[]
  /**
   * `every`: each certificate below the root needs a list of its issuer. `authorities`: each but the leaf does, for hierarchies
   * whose last authority publishes none. `none`: lists count where they are given.
   */
  readonly demanded: 'every' | 'authorities' | 'none'
}

/**
 * Checks each certificate of a verified chain, the root included where it lists itself, against lists. A list of nobody
 * in the chain is refused: it was given in place of the right one.
 * @throws AttestationError `REVOKED`, `NOT_YET_VALID`, `EXPIRED`, `SIGNATURE_INVALID`, `ALGORITHM`, `COLLATERAL_MISMATCH`,
 * `COLLATERAL_MISSING`.
 */
export function verifyNotRevoked(
  chain: Chain,
  lists: readonly RevocationList[],
  rules: RevocationRules,
): void {
  verifyLists(lists, chain.slice(1), rules)
  chain.forEach((certificate, index) => {
    const own = lists.filter(({ issuer }) => issuer.encoded === certificate.issuer.encoded)
    const name = certificate.subject.commonName ?? 'certificate'
    const isDemanded = index < chain.length - 1 && isListed(rules.demanded, index === 0)
    if (own.length === 0 && isDemanded)
      throw refused('COLLATERAL_MISSING', `no revocation list of the issuer of ${name} was given`)
    if (own.some(({ revoked }) => revoked.has(certificate.serialNumber)))
      throw refused('REVOKED', `${name} (serial ${certificate.serialNumber}) is revoked by its issuer`)
  })
}

/**
 * Checks that each list was signed by one of these authorities, and is current. Says nothing about who is on it.
 * @throws AttestationError `NOT_YET_VALID`, `EXPIRED`, `SIGNATURE_INVALID`, `CHAIN_UNTRUSTED`, `ALGORITHM`, `COLLATERAL_MISMATCH`.
 */
export function verifyLists(
  lists: readonly RevocationList[],
  authorities: readonly Certificate[],
  rules: Pick<RevocationRules, 'at' | 'algorithms'>,
): void {
  for (const list of lists) verifyList(list, authorities, rules)
}

function isListed(demanded: RevocationRules['demanded'], isLeaf: boolean): boolean {
  return demanded === 'every' || (demanded === 'authorities' && !isLeaf)
}

function verifyList(
  list: RevocationList,
  authorities: readonly Certificate[],
  { at, algorithms }: Pick<RevocationRules, 'at' | 'algorithms'>,
): void {
  const name = list.issuer.commonName ?? 'an unnamed issuer'
  const issuer = authorities.find(({ subject }) => subject.encoded === list.issuer.encoded)
  if (issuer === undefined)
    throw refused('COLLATERAL_MISMATCH', `the revocation list of ${name} is of nobody in the chain`)
  checkIssuer(issuer, name)
  if (!isSignedBy(list, issuer.publicKey, algorithms, `revocation list of ${name}`))
    throw refused('SIGNATURE_INVALID', `the revocation list of ${name} is not signed by it`)
  checkPeriod(`revocation list of ${name}`, list.validity, at)
}

function checkIssuer({ keyUsage }: Certificate, name: string): void {
  if (keyUsage !== null && !keyUsage.includes('cRLSign'))
    throw refused('CHAIN_UNTRUSTED', `${name} may not sign revocation lists`)
}

function refused(
  code: 'REVOKED' | 'SIGNATURE_INVALID' | 'CHAIN_UNTRUSTED' | 'COLLATERAL_MISSING' | 'COLLATERAL_MISMATCH',
  message: string,
): AttestationError {
  return new AttestationError(code, message, { stage: 'authenticate', field: 'revocation' })
}
