import { Injectable } from '@nestjs/common'
import type { PublicKey, Thumbprint } from '#libs/canonical'

/** A key that may sign requests, and whose it is. */
export interface KnownKey {
  readonly kind: 'party' | 'worker'
  readonly thumbprint: Thumbprint
  readonly key: PublicKey
}

/** The keys that sign requests: each party's newest daemon key, each live worker's key. Filled by their own books. */
@Injectable()
export class KeyDirectory {
  private readonly keys = new Map<Thumbprint, KnownKey>()
  private readonly newestOf = new Map<Thumbprint, Thumbprint>()

  find(kid: Thumbprint): KnownKey | undefined {
    return this.keys.get(kid)
  }

  /** Names a party's daemon key; the one before it is known no longer. `null` where requests are not delegated to it. */
  setParty(party: Thumbprint, kid: Thumbprint, key: PublicKey | null): void {
    const before = this.newestOf.get(party)
    if (before !== undefined) this.keys.delete(before)
    this.newestOf.set(party, kid)
    if (key !== null) this.keys.set(kid, { kind: 'party', thumbprint: party, key })
  }

  addWorker(kid: Thumbprint, key: PublicKey): void {
    this.keys.set(kid, { kind: 'worker', thumbprint: kid, key })
  }

  forgetWorker(kid: Thumbprint): void {
    if (this.keys.get(kid)?.kind === 'worker') this.keys.delete(kid)
  }
}
