/** What a token of an attestation service claims, not verified. */
import type { JsonValue } from '#libs/canonical'
import { parseCompactToken } from '../token/compact-token.js'
import type { UnverifiedFacts } from './inspect.js'

/**
 * Facts of a token in compact form. Only claims that are no objects are told: each kind reads the others at their own level.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`.
 */
export function unverifiedTokenFacts(text: string): UnverifiedFacts {
  const { algorithm, keyId, unverifiedClaims } = parseCompactToken(text, 'token')
  const plain = Object.entries(unverifiedClaims).flatMap(([name, value]): [string, JsonValue][] => {
    const isTime = ['iat', 'nbf', 'exp'].includes(name) && typeof value === 'number'
    if (isTime) return [[name, timeText(value)]]
    return isPlain(value) ? [[name, value]] : []
  })
  return {
    unverifiedFacts: { algorithm, keyId, ...Object.fromEntries(plain) },
    warnings: algorithm === 'none' ? ['it is not signed at all'] : [],
  }
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function timeText(seconds: number): string {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? `no time: ${seconds}` : time.toISOString()
}
