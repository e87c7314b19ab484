/**
 * Which witnesses cosigned which checkpoint; lines were verified before they were recorded. The newest are in memory, which is
 * where runs look; those of older checkpoints are read when somebody asks.
 */
import { Injectable } from '@nestjs/common'
import type { Thumbprint } from '#libs/canonical'
import { heldEvents, LedgerStore } from '../storage/ledger-store.js'
import type { StoredCosignature } from '../storage/rows.js'

@Injectable()
export class CosignatureBook {
  private readonly bySize = new Map<number, Map<Thumbprint, string>>()
  /** From this size on memory holds every line. */
  private heldFrom = 0

  constructor(private readonly store: LedgerStore) {}

  /** Takes up the newest that are recorded, as a start reads them. */
  restore(newest: readonly StoredCosignature[]): void {
    for (const cosignature of newest) this.apply(cosignature)
    // Where a start read as many as it may, the smallest checkpoint among them may lack some.
    if (newest.length >= heldEvents) this.heldFrom = Math.min(...this.bySize.keys()) + 1
  }

  apply({ size, witness, line }: StoredCosignature): void {
    const lines = this.bySize.get(size) ?? new Map<Thumbprint, string>()
    this.bySize.set(size, lines.set(witness, line))
  }

  has(size: number, witness: Thumbprint): boolean {
    return this.bySize.get(size)?.has(witness) === true
  }

  async find(size: number, witness: Thumbprint): Promise<string | undefined> {
    return (await this.linesBy(size)).get(witness)
  }

  async lines(size: number): Promise<readonly string[]> {
    return [...(await this.linesBy(size)).values()]
  }

  witnesses(size: number): readonly Thumbprint[] {
    return [...(this.bySize.get(size)?.keys() ?? [])]
  }

  private async linesBy(size: number): Promise<ReadonlyMap<Thumbprint, string>> {
    const held = this.bySize.get(size) ?? new Map<Thumbprint, string>()
    if (size >= this.heldFrom) return held
    const stored = await this.store.cosignaturesAt(size)
    return new Map([...stored.map(({ witness, line }) => [witness, line] as const), ...held])
  }
}
