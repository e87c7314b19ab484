import { Injectable } from '@nestjs/common'
import type { Digest, Thumbprint } from '#libs/canonical'
import { keysOf } from '#libs/contract'
import type { ContractView, IdentityChainMessage } from '#libs/protocol'
import { IdentityBook } from '../parties/identity-book.js'
import { shown } from '../runs/run-view.js'
import { ContractBook } from './contract-book.js'
import type { ContractEntry } from './contract-entry.js'

/** Contracts as their parties see them: everything recorded about one that is not about a run, and who its parties are. */
@Injectable()
export class ContractViews {
  constructor(
    private readonly contracts: ContractBook,
    private readonly identities: IdentityBook,
  ) {}

  view(entry: ContractEntry): ContractView {
    const { contract, signatures } = entry
    const { terms } = contract
    const state = this.contracts.publicState(entry)
    const signatories = keysOf(terms, terms.governance.signatories)
    return {
      id: contract.id,
      name: terms.name,
      state,
      waitingFor: state === 'proposed' ? signatories.filter((key) => !signatures.has(key)) : [],
      statements: entry.statements.map(shown),
      identities: [...entry.parties]
        .filter((party) => this.identities.has(party))
        .map((party) => this.identity(party)),
    }
  }

  listFor(party: Thumbprint): readonly { id: Digest; name: string; state: ContractView['state'] }[] {
    return this.contracts.contractsOf(party).map((entry) => ({
      id: entry.contract.id,
      name: entry.contract.terms.name,
      state: this.contracts.publicState(entry),
    }))
  }

  identity(thumbprint: Thumbprint): IdentityChainMessage {
    return { thumbprint, statements: this.identities.statements(thumbprint).map(({ jws }) => jws) }
  }

  identityList(): readonly IdentityChainMessage[] {
    return this.identities
      .all()
      .slice(0, 10_000)
      .map((party) => this.identity(party))
  }
}
