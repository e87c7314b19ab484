import { parseKeySet, type TokenTrust } from '#libs/attestation'
import { utf8 } from '#libs/canonical'
import { CaseUnreadable, fileOf, optionalFileOf, optionalTextOf, type CaseInputs } from './adapter.js'

/** The token of a case. A text file may end with a line's end, which is no part of the token. */
export function tokenOf(inputs: CaseInputs): string {
  return Buffer.from(fileOf(inputs, 'token')).toString('latin1').trimEnd()
}

/** Whose tokens the case believes: issuer and key set as it gives them; no set is an empty one. */
export function tokenTrustOf(inputs: CaseInputs): TokenTrust {
  const issuer = optionalTextOf(inputs, 'issuer')
  if (issuer === undefined) throw new CaseUnreadable('the case names no issuer')
  const keys = parseKeySet(optionalFileOf(inputs, 'jwks') ?? utf8('{"keys":[]}'))
  return { at: inputs.at, issuer, keys }
}
