/** What tokens of Azure's and Google's services claim of machines, not verified, each claim from its own level. */
import type { JsonValue } from '#libs/canonical'
import { imageDigestOf, readConfidentialSpace } from '../gcp-cs/claims.js'
import { textIn } from '../json/foreign-json.js'
import { readMaaSnp, readMaaTdx } from '../maa/claims.js'
import { hardwareOf, isGuestToken } from '../maa/levels.js'
import { parseCompactToken } from '../token/compact-token.js'
import type { UnverifiedFacts } from './inspect.js'
import { unverifiedTokenFacts } from './unverified-token.js'

const serviceWarning =
  'the service’s word is all there is: whoever holds its keys can write such a token about any machine'

/**
 * Facts of a token of Microsoft Azure Attestation.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`.
 */
export function unverifiedMaaFacts(kind: 'maa-snp' | 'maa-tdx', text: string): UnverifiedFacts {
  const { unverifiedClaims: token } = parseCompactToken(text, 'token')
  const { claims } = hardwareOf(token)
  const hardware = kind === 'maa-snp' ? readMaaSnp(claims) : readMaaTdx(claims)
  const isNested = isGuestToken(token)
  return {
    unverifiedFacts: {
      ...signerFacts(text),
      nested: isNested,
      policyHash: textIn(token, 'x-ms-policy-hash'),
      compliance: textIn(claims, 'x-ms-compliance-status'),
      ...hardware,
    },
    warnings: [
      serviceWarning,
      ...('policy' in hardware && hardware.policy.debug ? ['the guest can be debugged'] : []),
      ...('mrTd' in hardware && hardware.debug ? ['the TD can be debugged'] : []),
    ],
  }
}

/**
 * Facts of a token of Google Confidential Space.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`.
 */
export function unverifiedSpaceFacts(text: string): UnverifiedFacts {
  const { unverifiedClaims: token } = parseCompactToken(text, 'token')
  const space = readConfidentialSpace(token)
  return {
    unverifiedFacts: { ...signerFacts(text), image: imageDigestOf(token), ...space },
    warnings: [
      serviceWarning,
      ...(space.debug === 'disabled-since-boot' ? [] : ['a debug image: its operator can log in']),
      ...(space.supportAttributes.includes('STABLE') ? [] : ['an image that Google does not call STABLE']),
    ],
  }
}

const ofEveryToken = ['algorithm', 'keyId', 'iss', 'iat', 'nbf', 'exp', 'eat_nonce'] as const

function signerFacts(text: string): Readonly<Record<string, JsonValue>> {
  const { unverifiedFacts } = unverifiedTokenFacts(text)
  return Object.fromEntries(
    ofEveryToken.flatMap((name) => {
      const value = unverifiedFacts[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}
