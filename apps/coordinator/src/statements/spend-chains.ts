/**
 * Each owner's Spends of a dataset under a contract form one chain (design: invariant 7). Refuses what does not continue it, so that nobody
 * records a spend twice or forgets one by mistake; a hostile owner only cheats itself, a hostile coordinator is caught by the
 * owners' own counts.
 */
import { Injectable } from '@nestjs/common'
import { unverifiedStatement, type Digest, type Thumbprint, type Verified } from '#libs/canonical'
import { spendSchema, type Amounts, type Spend } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { LedgerStore } from '../storage/ledger-store.js'

interface Link {
  readonly id: Digest
  readonly sequence: number
  readonly total: Amounts
}

/** Heads of one owner, by contract and dataset. */
type Heads = Map<string, Link>

@Injectable()
export class SpendChains {
  private readonly owners = new Map<Thumbprint, Promise<Heads>>()

  constructor(private readonly store: LedgerStore) {}

  /** Reads an owner's chains, once; later Spends are added as they are recorded. */
  async headsOf(owner: Thumbprint): Promise<Heads> {
    const known = this.owners.get(owner)
    if (known !== undefined) return await known
    const reading = this.read(owner)
    this.owners.set(owner, reading)
    try {
      return await reading
    } catch (error) {
      this.owners.delete(owner)
      throw error
    }
  }

  private async read(owner: Thumbprint): Promise<Heads> {
    const heads: Heads = new Map()
    for (const { id, jws } of await this.store.statementsBy(owner, 'spend')) {
      const spend = spendSchema.parse(unverifiedStatement(jws).payload)
      heads.set(headKey(spend), { id, sequence: spend.sequence, total: spend.total })
    }
    return heads
  }
}

/**
 * Checks that a Spend is the next link of its chain and that its total is the sum. Under an amendment the chain of the
 * contract before may go on.
 * @throws CoordinatorError `SPEND_CHAIN_BROKEN`.
 */
export function expectNextSpend(
  heads: Heads,
  { payload }: Verified<Spend>,
  supersedes: Digest | undefined,
): void {
  const { contract, dataset, previous } = payload
  const own = heads.get(headKey(payload))
  const inherited =
    supersedes === undefined ? undefined : heads.get(headKey({ contract: supersedes, dataset }))
  const head = own ?? (inherited?.id === previous ? inherited : undefined)
  const sequence = (head?.sequence ?? 0) + 1
  if (payload.sequence !== sequence || previous !== (head?.id ?? null))
    throw new CoordinatorError(
      'SPEND_CHAIN_BROKEN',
      `Spend ${payload.sequence} of ${dataset} under ${contract} follows ${previous ?? 'none'}; expected number ${sequence} after ${head?.id ?? 'none'}`,
    )
  for (const name of ['runs', 'rows', 'epsilonMicro', 'deltaPico'] as const)
    if (payload.total[name] !== (head?.total[name] ?? 0) + payload.amounts[name])
      throw new CoordinatorError(
        'SPEND_CHAIN_BROKEN',
        `the running total of ${name} in Spend ${payload.sequence} of ${dataset} is not the sum`,
      )
}

/** Takes a recorded Spend up as the head of its chain. */
export function takeSpend(heads: Heads, { id, payload }: Verified<Spend>): void {
  heads.set(headKey(payload), { id, sequence: payload.sequence, total: payload.total })
}

function headKey({ contract, dataset }: Pick<Spend, 'contract' | 'dataset'>): string {
  return `${contract} ${dataset}`
}
