/** Contracts with every signature verified, once for as long as the server runs. Only these are decided under. */
import { Injectable } from '@nestjs/common'
import type { Digest } from '#libs/canonical'
import { verifySignatures, type SignedContract } from '#libs/contract'
import { IdentityBook } from '../parties/identity-book.js'
import type { ContractEntry } from './contract-entry.js'

@Injectable()
export class SignedContracts {
  private readonly verified = new Map<Digest, Promise<SignedContract>>()
  private readonly ready = new Map<Digest, SignedContract>()

  constructor(private readonly identities: IdentityBook) {}

  /** @throws ContractError `SIGNATURE_MISSING` where not every signatory has signed. */
  async get(entry: ContractEntry): Promise<SignedContract> {
    const { id } = entry.contract
    const known = this.verified.get(id)
    if (known !== undefined) return await known
    const verifying = this.verify(entry)
    this.verified.set(id, verifying)
    try {
      const signed = await verifying
      this.ready.set(id, signed)
      return signed
    } catch (error) {
      // One signature more and it may succeed.
      this.verified.delete(id)
      throw error
    }
  }

  /** A contract that was verified before. */
  known(id: Digest): SignedContract | undefined {
    return this.ready.get(id)
  }

  private async verify({ contract, statements }: ContractEntry): Promise<SignedContract> {
    const signatures = statements.filter(({ type }) => type === 'contract')
    const keys = new Map(signatures.map(({ kid }) => [kid, this.identities.newest(kid).consentKey]))
    return await verifySignatures(
      contract.payloadBytes,
      signatures.map(({ jws }) => jws),
      keys,
    )
  }
}
