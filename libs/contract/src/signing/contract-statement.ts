/** A contract as a statement: one payload that every signatory signs in a JWS of its own. */
import { z } from 'zod'
import type { StatementKind } from '#libs/canonical'
import { ContractError } from '../errors.js'
import { parseTerms } from '../reading/parse-terms.js'
import { secretSchema, thumbprintSchema, timestampSchema } from '../terms/quantities.js'
import type { ContractTerms } from '../terms/terms.js'
import { keysOf } from '../terms/questions.js'

/** What signatories sign. `by` is the proposer; who signed stands in each JWS as `kid`. */
export interface ContractPayload {
  readonly type: 'contract'
  readonly by: string
  readonly log: string
  readonly issuedAt: string
  readonly salt: string
  readonly terms: ContractTerms
}

const envelopeSchema = z.strictObject({
  type: z.literal('contract'),
  by: thumbprintSchema,
  log: z.string(),
  issuedAt: timestampSchema,
  salt: secretSchema,
  terms: z.unknown(),
})

/** The statement kind of contracts: terms canonical, proposer a signatory, log the one that the terms name. */
export const contractKind: StatementKind<ContractPayload> = { type: 'contract', parse: parseContractPayload }

/**
 * Reads the payload of a contract.
 * @throws ContractError `PAYLOAD_INVALID`, and the codes of {@link parseTerms}.
 */
export function parseContractPayload(value: unknown): ContractPayload {
  const envelope = envelopeSchema.safeParse(value)
  if (!envelope.success) {
    const fields = envelope.error.issues.map((issue) => issue.path.join('.') || issue.code)
    throw new ContractError(
      'PAYLOAD_INVALID',
      `the contract's payload has other fields than it must: ${fields.join(', ')}`,
    )
  }
  const terms = parseTerms(envelope.data.terms)
  const { by, log } = envelope.data
  if (!keysOf(terms, terms.governance.signatories).includes(by))
    throw new ContractError('PAYLOAD_INVALID', `by is ${by}; expected one of the contract's signatories`)
  if (log !== terms.log.origin)
    throw new ContractError(
      'PAYLOAD_INVALID',
      `log is not the origin ${terms.log.origin} that the terms name`,
    )
  return { ...envelope.data, terms }
}
