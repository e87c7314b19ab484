/**
 * Several parties, one contract. Each signature is verified by itself against the key that the verifier pinned; a set counts
 * only when every signatory signed exactly these bytes exactly once. Says nothing about whether the contract is active.
 */
import {
  CodedError,
  equalBytes,
  parseCanonical,
  payloadBytes,
  statementId,
  thumbprintOf,
  unverifiedStatement,
  verifyStatement,
  type Digest,
  type PublicKey,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import { ContractError } from '../errors.js'
import { keysOf } from '../terms/questions.js'
import type { ContractTerms } from '../terms/terms.js'
import { contractKind, parseContractPayload, type ContractPayload } from './contract-statement.js'

/** A contract whose payload is well-formed; nobody's signature was looked at. */
export interface Contract {
  readonly id: Digest
  readonly payload: ContractPayload
  readonly terms: ContractTerms
  readonly payloadBytes: Uint8Array
}

declare const signed: unique symbol

/** A contract that every signatory signed. Only {@link verifySignatures} makes one. */
export interface SignedContract extends Contract {
  readonly [signed]: true
  /** In the order of `governance.signatories`. */
  readonly signatures: readonly Verified<ContractPayload>[]
}

/** Consent keys that the verifier's own people pinned, by thumbprint. */
export type ConsentKeys = ReadonlyMap<Thumbprint, PublicKey>

/**
 * Reads a contract's payload bytes.
 * @throws ContractError `PAYLOAD_INVALID`, `TERMS_INVALID`, `TERMS_NOT_CANONICAL`.
 */
export function parseContract(bytes: Uint8Array): Contract {
  const payload = parseContractPayload(parsed(bytes))
  return { id: statementId('contract', bytes), payload, terms: payload.terms, payloadBytes: bytes }
}

/**
 * Verifies one signatory's signature, so that a partly signed proposal can be shown.
 * @throws ContractError `SIGNATURE_UNEXPECTED`, `SIGNATURE_KEY_UNKNOWN`, `SIGNATURE_INVALID`, `SIGNATURE_PAYLOAD_DIFFERS`.
 */
export async function verifySignature(
  contract: Contract,
  jws: string,
  keys: ConsentKeys,
): Promise<Verified<ContractPayload>> {
  const signatories = keysOf(contract.terms, contract.terms.governance.signatories)
  const kid = claimedKey(jws)
  if (!signatories.includes(kid))
    throw new ContractError(
      'SIGNATURE_UNEXPECTED',
      `a signature by ${kid}, which is no signatory of contract ${contract.id}`,
    )
  const key = keys.get(kid)
  if (key === undefined || thumbprintOf(key) !== kid)
    throw new ContractError(
      'SIGNATURE_KEY_UNKNOWN',
      `the consent key ${kid} is not pinned; compare its fingerprint out of band and pin it`,
    )
  const statement = await verified(jws, key)
  if (!equalBytes(payloadBytes(statement), contract.payloadBytes))
    throw new ContractError(
      'SIGNATURE_PAYLOAD_DIFFERS',
      `${kid} signed contract ${statement.id}; expected ${contract.id}`,
    )
  return statement
}

/**
 * Verifies that exactly the signatories signed exactly this contract, once each.
 * @throws ContractError `SIGNATURE_DUPLICATE`, `SIGNATURE_MISSING` and the codes of {@link parseContract} and {@link verifySignature}.
 */
export async function verifySignatures(
  bytes: Uint8Array,
  signatures: readonly string[],
  keys: ConsentKeys,
): Promise<SignedContract> {
  const contract = parseContract(bytes)
  const signatories = keysOf(contract.terms, contract.terms.governance.signatories)
  if (signatures.length > signatories.length * 2)
    throw new ContractError(
      'SIGNATURE_UNEXPECTED',
      `${signatures.length} signatures; expected ${signatories.length}`,
    )
  const bySignatory = new Map<Thumbprint, Verified<ContractPayload>>()
  for (const jws of signatures) {
    const statement = await verifySignature(contract, jws, keys)
    if (bySignatory.has(statement.kid))
      throw new ContractError(
        'SIGNATURE_DUPLICATE',
        `${statement.kid} signed twice; expected one signature each`,
      )
    bySignatory.set(statement.kid, statement)
  }
  const ordered = signatories.map((key) => {
    const statement = bySignatory.get(key)
    if (statement === undefined)
      throw new ContractError('SIGNATURE_MISSING', `no signature by the signatory ${key}`)
    return statement
  })
  return Object.freeze({ ...contract, signatures: Object.freeze(ordered) }) as unknown as SignedContract
}

function claimedKey(jws: string): Thumbprint {
  return coded('SIGNATURE_INVALID', 'a signature is no statement', () => unverifiedStatement(jws).kid)
}

async function verified(jws: string, key: PublicKey): Promise<Verified<ContractPayload>> {
  try {
    return await verifyStatement(contractKind, jws, key)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new ContractError('SIGNATURE_INVALID', `a signature does not verify: ${cause.message}`, { cause })
  }
}

function parsed(bytes: Uint8Array): unknown {
  return coded('PAYLOAD_INVALID', 'the payload is no canonical JSON', () => parseCanonical(bytes))
}

function coded<Value>(code: 'PAYLOAD_INVALID' | 'SIGNATURE_INVALID', text: string, read: () => Value): Value {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new ContractError(code, `${text}: ${cause.message}`, { cause })
  }
}
