/** The fields that every statement of this enclave holds (design: section 3), under the receipt key of its round. */
import {
  saltFrom,
  signStatement,
  type SigningKey,
  type StatementKind,
  type StatementType,
  type Verified,
} from '#libs/canonical'

type OwnFields = 'type' | 'by' | 'log' | 'issuedAt' | 'salt'

/** Who signs, for which log, at which time by the enclave's own clock. */
export interface Signer {
  readonly receiptKey: SigningKey
  readonly origin: string
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
}

/** Signs a statement of this enclave. `issuedAt` may be set where the time grid says when. */
export async function signByEnclave<P extends Record<OwnFields, string>>(
  kind: StatementKind<P>,
  fields: Omit<P, OwnFields> & { readonly issuedAt?: string },
  { receiptKey, origin, now, randomBytes }: Signer,
): Promise<Verified<P>> {
  const own: Record<OwnFields, string> & { readonly type: StatementType } = {
    type: kind.type,
    by: receiptKey.thumbprint,
    log: origin,
    issuedAt: new Date(now()).toISOString(),
    salt: saltFrom(randomBytes),
  }
  // TypeScript cannot add an Omit up again; the schema of the kind checks the sum.
  return await signStatement(kind, { ...own, ...fields } as unknown as P, receiptKey)
}
