/** Whether a round may begin: the coordinator's own decision, taken again each time, since days may lie between. */
import { Injectable } from '@nestjs/common'
import { decide, reasonsOf } from '#libs/contract'
import { ContractBook } from '../contracts/contract-book.js'
import { SignedContracts } from '../contracts/signed-contracts.js'
import { IdentityBook } from '../parties/identity-book.js'
import { beginFacts } from './admission-facts.js'
import { RunBook, type RunEntry } from './run-book.js'

/** `unknown` until the contract's signatures are verified again after a start. */
export type Begin =
  { readonly kind: 'yes' } | { readonly kind: 'no'; readonly because: string } | { readonly kind: 'unknown' }

@Injectable()
export class BeginDecision {
  constructor(
    private readonly contracts: ContractBook,
    private readonly signed: SignedContracts,
    private readonly identities: IdentityBook,
    private readonly runs: RunBook,
  ) {}

  /** Verifies what the decision needs, ahead of it. */
  async prepare(contract: string): Promise<void> {
    await this.signed.get(this.contracts.get(contract))
  }

  decide(entry: RunEntry, now: number): Begin {
    const signed = this.signed.known(entry.run.contract)
    if (signed === undefined) return { kind: 'unknown' }
    const facts = beginFacts(entry, this.contracts.get(entry.run.contract), now, {
      identities: this.identities,
      runs: this.runs,
    })
    const verdict = decide(signed, 'begin', facts)
    if (verdict.decision === 'permit') return { kind: 'yes' }
    return {
      kind: 'no',
      because: reasonsOf(verdict)
        .map(({ text }) => text)
        .join(' ')
        .slice(0, 1000),
    }
  }
}
