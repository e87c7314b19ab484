/**
 * How long each data owner lets the run go on. A KeyRelease is a lease until the time it names, a Renewal goes on from there.
 * Guards: that withdrawal and revocation reach a running run within one lease, even where every message is withheld.
 */
import type { Digest, Thumbprint, Verified } from '#libs/canonical'
import type { KeyRelease, Renewal } from '#libs/protocol'
import type { EnclaveClock } from './enclave-clock.js'
import { EnclaveError } from './errors.js'

interface Lease {
  readonly until: number
  /** Sequence of the Renewal that set it; 0 for the KeyRelease itself. */
  readonly sequence: number
  readonly renewal: Digest | null
}

export class Leases {
  private readonly leases = new Map<Thumbprint, Lease>()

  /** `leaseSeconds` is the contract's: no statement extends a lease beyond it, counted from its own issue. */
  constructor(
    private readonly clock: EnclaveClock,
    private readonly leaseSeconds: number,
  ) {}

  /** Of several releases of one owner the shortest counts. */
  begin(release: Verified<KeyRelease>): void {
    const known = this.leases.get(release.payload.by)
    const until = Math.min(this.untilOf(release.payload), known?.until ?? Infinity)
    this.leases.set(release.payload.by, { until, sequence: 0, renewal: null })
  }

  /** Takes a Renewal for this set of Offers; one that is not newer than the last changes nothing. May shorten the lease. */
  renew(renewal: Verified<Renewal>): void {
    const known = this.leases.get(renewal.payload.by)
    if (known === undefined || renewal.payload.sequence <= known.sequence) return
    this.leases.set(renewal.payload.by, {
      until: this.untilOf(renewal.payload),
      sequence: renewal.payload.sequence,
      renewal: renewal.id,
    })
  }

  /**
   * Refuses to go on where a lease has run out, or where there is none.
   * @throws EnclaveError `LEASE_LOST` naming the owner.
   */
  check(): void {
    const lost = this.firstLost()
    if (lost !== null)
      throw new EnclaveError(
        'LEASE_LOST',
        `the lease of ${lost} has run out; the run stops and releases nothing`,
        {
          owner: lost,
        },
      )
  }

  /** The owner whose lease has run out, if any. */
  firstLost(): Thumbprint | null {
    const now = this.clock.now()
    for (const [owner, { until }] of this.leases) if (now >= until) return owner
    return null
  }

  /** Seconds until the first lease runs out; without leases, none. */
  secondsLeft(): number {
    const ends = [...this.leases.values()].map(({ until }) => until)
    return Math.max(0, (Math.min(...ends, Number.MAX_SAFE_INTEGER) - this.clock.now()) / 1000)
  }

  /** When an owner's lease ends, as statements write times; without a lease, the beginning of time. */
  untilText(owner: Thumbprint): string {
    return new Date(this.leases.get(owner)?.until ?? 0).toISOString()
  }

  /** For the Receipt: the last Renewal of each owner. */
  lastRenewals(): { readonly owner: Thumbprint; readonly renewal: Digest | null }[] {
    return [...this.leases]
      .map(([owner, { renewal }]) => ({ owner, renewal }))
      .sort((a, b) => (a.owner < b.owner ? -1 : 1))
  }

  private untilOf({
    issuedAt,
    leaseUntil,
  }: {
    readonly issuedAt: string
    readonly leaseUntil: string
  }): number {
    return Math.min(Date.parse(leaseUntil), Date.parse(issuedAt) + this.leaseSeconds * 1000)
  }
}
