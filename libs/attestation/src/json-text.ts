import { CodedError, fromUtf8 } from '#libs/canonical'
import { AttestationError } from './errors.js'

/**
 * Reads JSON that others wrote, which need not be canonical. Says nothing about its form, which a schema must
 * check. For texts whose bytes are verified by themselves, or hold nothing that is believed.
 * @throws AttestationError `MALFORMED`.
 */
export function parseJsonText(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof CodedError)) throw cause
    throw new AttestationError('MALFORMED', `${what} is not JSON`, { stage: 'parse', field: what, cause })
  }
}
