/** Cosignatures that somebody asked for beside the runs that need them. In memory: whoever still needs one asks again. */
import { Injectable } from '@nestjs/common'
import type { Digest, Thumbprint } from '#libs/canonical'

interface Demand {
  readonly size: number
  readonly at: number
  readonly witnesses: readonly Thumbprint[]
}

/** A demand that nobody met in this time is forgotten. */
const lifeMilliseconds = 120_000

@Injectable()
export class CosignDemands {
  private readonly byContract = new Map<Digest, Demand>()
  private readonly byRun = new Map<Digest, number>()

  /** Whether this is new: the same size asked for again wakes nobody twice within a second. */
  ask(contract: Digest, size: number, witnesses: readonly Thumbprint[], now: number): boolean {
    for (const [id, demand] of this.byContract)
      if (now - demand.at > lifeMilliseconds) this.byContract.delete(id)
    const known = this.byContract.get(contract)
    if (known?.size === size && now - known.at < 1000) return false
    this.byContract.set(contract, { size, at: now, witnesses })
    return true
  }

  of(party: Thumbprint): readonly number[] {
    return [...this.byContract.values()]
      .filter(({ witnesses }) => witnesses.includes(party))
      .map(({ size }) => size)
  }

  /** The contracts under which somebody waits for a witness to cosign a checkpoint of this size. */
  contractsWaiting(size: number, witness: Thumbprint): readonly Digest[] {
    return [...this.byContract]
      .filter(([, demand]) => demand.size === size && demand.witnesses.includes(witness))
      .map(([contract]) => contract)
  }

  /** Witnesses went past the checkpoint that a run asked for: all are asked for the later one. */
  raise(run: Digest, size: number): boolean {
    const known = this.byRun.get(run) ?? 0
    if (size <= known) return false
    this.byRun.set(run, size)
    return true
  }

  raised(run: Digest): number | undefined {
    return this.byRun.get(run)
  }

  forgetRun(run: Digest): void {
    this.byRun.delete(run)
  }
}
