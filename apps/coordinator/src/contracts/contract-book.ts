/** Every contract in memory, taken up from recorded statements in their order. Recorded means verified. */
import { Injectable } from '@nestjs/common'
import { canonicalBytes, unverifiedStatement, type Digest, type Thumbprint } from '#libs/canonical'
import { advance, contractState, parseContract, type ContractState as LibraryState } from '#libs/contract'
import { manifestSchema, revocationSchema, withdrawalSchema, type ContractState } from '#libs/protocol'
import { Clock } from '../clock.js'
import { CoordinatorError } from '../errors.js'
import type { StoredStatement } from '../storage/rows.js'
import { newContractEntry, partKey, type ContractEntry } from './contract-entry.js'

@Injectable()
export class ContractBook {
  private readonly entries = new Map<Digest, ContractEntry>()
  private readonly byParty = new Map<Thumbprint, Set<Digest>>()

  constructor(private readonly clock: Clock) {}

  /** Takes up a recorded statement that belongs to a contract and to no run. */
  apply(stored: StoredStatement): void {
    const { payload } = unverifiedStatement(stored.jws)
    if (stored.type === 'contract') {
      this.applySignature(stored)
      return
    }
    const entry = this.entries.get(stored.contract ?? '')
    if (entry === undefined) return
    entry.statements.push(stored)
    const { id, digest, position } = stored
    if (stored.type === 'activation') this.applyActivation(entry, Date.parse(stored.recordedAt))
    if (stored.type === 'manifest') {
      const manifest = manifestSchema.parse(payload)
      const key = partKey(stored.signer, manifest.dataset)
      entry.manifests.set(key, [
        ...(entry.manifests.get(key) ?? []),
        { position, id, digest, payload: manifest },
      ])
    }
    if (stored.type === 'withdrawal')
      entry.withdrawals.push({ position, id, digest, payload: withdrawalSchema.parse(payload) })
    if (stored.type === 'revocation') {
      const revocation = revocationSchema.parse(payload)
      entry.revocations.push({ position, id, digest, payload: revocation })
      if (revocation.subject.kind === 'contract')
        entry.standing = advance(entry.standing, {
          type: 'ended',
          by: stored.signer,
          from: Date.parse(revocation.from),
        })
    }
  }

  find(id: Digest): ContractEntry | undefined {
    return this.entries.get(id)
  }

  /** @throws CoordinatorError `CONTRACT_UNKNOWN`. */
  get(id: Digest): ContractEntry {
    const entry = this.entries.get(id)
    if (entry === undefined)
      throw new CoordinatorError('CONTRACT_UNKNOWN', `contract ${id} is not recorded here`)
    return entry
  }

  /**
   * A contract, for one of its parties. To anyone else it is as if there were none.
   * @throws CoordinatorError `CONTRACT_UNKNOWN`.
   */
  getFor(id: Digest, party: Thumbprint): ContractEntry {
    const entry = this.get(id)
    if (!entry.parties.has(party))
      throw new CoordinatorError('CONTRACT_UNKNOWN', `contract ${id} is not recorded here`)
    return entry
  }

  contractsOf(party: Thumbprint): readonly ContractEntry[] {
    return [...(this.byParty.get(party) ?? [])].flatMap((id) => this.entries.get(id) ?? [])
  }

  isPartyOf(party: Thumbprint, contract: Digest): boolean {
    return this.byParty.get(party)?.has(contract) === true
  }

  /** Everyone who shares a contract with a party, and the party itself. */
  companionsOf(party: Thumbprint): ReadonlySet<Thumbprint> {
    return new Set([party, ...this.contractsOf(party).flatMap((entry) => [...entry.parties])])
  }

  state(entry: ContractEntry): LibraryState {
    return contractState(entry.contract.terms, entry.signatures.size, entry.standing, this.clock.now())
  }

  /** The state as the interface names it. */
  publicState(entry: ContractEntry): ContractState {
    const states = {
      proposed: 'proposed',
      signed: 'proposed',
      lapsed: 'lapsed',
      pending: 'active',
      active: 'active',
      superseded: 'superseded',
      ended: 'revoked',
      expired: 'expired',
    } as const satisfies Record<LibraryState, ContractState>
    return states[this.state(entry)]
  }

  private applySignature(stored: StoredStatement): void {
    const known = this.entries.get(stored.id)
    if (known !== undefined) {
      known.statements.push(stored)
      known.signatures.set(stored.kid, stored.digest)
      return
    }
    const entry = newContractEntry(parseContract(canonicalBytes(unverifiedStatement(stored.jws).payload)))
    entry.statements.push(stored)
    entry.signatures.set(stored.kid, stored.digest)
    this.entries.set(stored.id, entry)
    for (const party of entry.parties) {
      const own = this.byParty.get(party) ?? new Set()
      this.byParty.set(party, own.add(stored.id))
    }
  }

  private applyActivation(entry: ContractEntry, at: number): void {
    entry.standing = advance(entry.standing, { type: 'activated', at })
    const previous = this.entries.get(entry.contract.terms.governance.supersedes ?? '')
    if (previous !== undefined)
      previous.standing = advance(previous.standing, { type: 'superseded', by: entry.contract.id })
  }
}
