/** Which witnesses cosigned which checkpoint; lines were verified before they were recorded. */
import { Injectable } from '@nestjs/common'
import type { Thumbprint } from '#libs/canonical'
import type { StoredCosignature } from '../storage/rows.js'

@Injectable()
export class CosignatureBook {
  private readonly bySize = new Map<number, Map<Thumbprint, string>>()

  apply({ size, witness, line }: StoredCosignature): void {
    const lines = this.bySize.get(size) ?? new Map<Thumbprint, string>()
    this.bySize.set(size, lines.set(witness, line))
  }

  has(size: number, witness: Thumbprint): boolean {
    return this.bySize.get(size)?.has(witness) === true
  }

  find(size: number, witness: Thumbprint): string | undefined {
    return this.bySize.get(size)?.get(witness)
  }

  lines(size: number): readonly string[] {
    return [...(this.bySize.get(size)?.values() ?? [])]
  }

  witnesses(size: number): readonly Thumbprint[] {
    return [...(this.bySize.get(size)?.keys() ?? [])]
  }
}
