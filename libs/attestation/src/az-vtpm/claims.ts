/** What authentic evidence of an Azure confidential VM says, in JSON: what its hardware says, and what its vTPM says of the guest. */
import { z } from 'zod'
import { toHex, type JsonValue } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import type { AuthenticAzureVm } from './authenticate.js'
import type { TpmStatement } from './tpm-quote.js'

/** The claims about the guest. Those of the hardware stand beside them, by the schema of their kind. */
export const guestClaimsSchema = z.looseObject({
  /** By name, as `pcr7`: those that the quote covers. */
  registers: z.record(z.string(), z.string()),
  /** Null: the paravisor does not say. */
  secureBoot: z.boolean().nullable(),
  console: z.boolean().nullable(),
})

/** See {@link guestClaimsSchema}. */
export type GuestClaims = Readonly<z.infer<typeof guestClaimsSchema>>

/** Claims and nonce of evidence that a run can rest on. */
export interface VtpmClaims {
  readonly statement: TpmStatement
  readonly claims: Readonly<Record<string, JsonValue>>
}

/**
 * The claims of evidence whose quote shows its registers.
 * @throws AttestationError `QUOTE_MISSING`.
 */
export function vtpmClaimsOf(
  { statement, registers, runtime }: AuthenticAzureVm<unknown>,
  hardware: Readonly<Record<string, JsonValue>>,
): VtpmClaims {
  if (statement === null)
    throw missing('quote', 'no TPM quote came with it: nothing shows what the guest booted')
  if (registers === null) throw missing('pcrs', 'the values of the registers did not come with the TPM quote')
  const values = [...registers].map(([index, value]) => [`pcr${index}`, toHex(value)] as const)
  return {
    statement,
    claims: {
      hardware,
      registers: Object.fromEntries(values),
      secureBoot: runtime.secureBoot,
      console: runtime.console,
    },
  }
}

function missing(field: string, why: string): AttestationError {
  return new AttestationError('QUOTE_MISSING', `Azure evidence: ${field}: ${why}`, {
    stage: 'authenticate',
    field,
  })
}
