import { statementDigest, type Digest } from '#libs/canonical'
import type { ContractView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { expectNothingHidden, verifyActiveContract, type VerifiedContract } from '../trust/verify-contract.js'

/** A contract is looked at anew after this long, news or not: what the coordinator keeps back it would keep back anyway. */
const freshMilliseconds = 1000

interface Known {
  readonly shown: string
  readonly contract: VerifiedContract
  readonly lookedAt: number
}

/** Contracts as verified before, as long as the coordinator shows the same of them. */
export class ContractDesk {
  private readonly verified = new Map<Digest, Known>()

  constructor(private readonly agent: Agent) {}

  /** The contract in force, verified; at most a second old. @throws whatever verification throws. */
  async active(id: Digest): Promise<VerifiedContract> {
    const known = this.verified.get(id)
    const lookedAt = this.agent.now()
    if (known !== undefined && lookedAt - known.lookedAt < freshMilliseconds) return known.contract
    const view = await this.agent.client.contract(id)
    const shown = fingerprint(view)
    const contract = known?.shown === shown ? known.contract : await verifyActiveContract(this.agent, view)
    // The log may name more by now, and the coordinator show the same as before.
    await expectNothingHidden(this.agent, contract.terms, view)
    this.verified.set(id, { shown, contract, lookedAt })
    return contract
  }

  /** Looks at all contracts anew at the next question. */
  stale(): void {
    for (const [id, known] of this.verified)
      this.verified.set(id, { ...known, lookedAt: Number.NEGATIVE_INFINITY })
  }
}

function fingerprint(view: ContractView): string {
  const statements = view.statements.map(({ statement }) => statementDigest(statement))
  const identities = view.identities.flatMap((chain) => chain.statements.map(statementDigest))
  return [view.id, ...statements, ...identities].join(' ')
}
