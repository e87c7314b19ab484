import { statementDigest, type Digest } from '#libs/canonical'
import type { ContractView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { verifyActiveContract, type VerifiedContract } from '../trust/verify-contract.js'

/** Contracts as verified before, as long as the coordinator shows the same of them. Every look asks it again. */
export class ContractDesk {
  private readonly verified = new Map<
    Digest,
    { readonly shown: string; readonly contract: VerifiedContract }
  >()

  constructor(private readonly agent: Agent) {}

  /** The contract in force, verified. @throws whatever verification throws. */
  async active(id: Digest): Promise<VerifiedContract> {
    const view = await this.agent.client.contract(id)
    const shown = fingerprint(view)
    const known = this.verified.get(id)
    if (known?.shown === shown) return known.contract
    const contract = await verifyActiveContract(this.agent, view)
    this.verified.set(id, { shown, contract })
    return contract
  }

  forget(id: Digest): void {
    this.verified.delete(id)
  }
}

function fingerprint(view: ContractView): string {
  const statements = view.statements.map(({ statement }) => statementDigest(statement))
  const identities = view.identities.flatMap((chain) => chain.statements.map(statementDigest))
  return [view.id, ...statements, ...identities].join(' ')
}
