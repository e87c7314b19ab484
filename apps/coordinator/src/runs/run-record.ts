/** Where a run stands: the state machine's own snapshot, plain JSON, kept with every change. */
import type { PublicKey, Thumbprint } from '#libs/canonical'
import type { Outcome, RunInput, RunState } from '#libs/protocol'

/** What a contract and a request fix for a run at its admission. */
export interface RunTerms {
  readonly inputs: readonly RunInput[]
  /** Every data owner of the inputs, once. */
  readonly owners: readonly Thumbprint[]
  readonly approvals: { readonly from: readonly Thumbprint[]; readonly count: number } | null
  readonly witnesses: readonly Thumbprint[]
  readonly quorum: number
  readonly recordWaitSeconds: number
  readonly maximumSeconds: number
  readonly expiresAt: string
}

export interface RecordedSpend {
  readonly owner: Thumbprint
  readonly dataset: string
  readonly id: string
  readonly index: number
}

export interface RecordedRelease {
  readonly owner: Thumbprint
  readonly dataset: string
  readonly id: string
}

export interface RecordedOffer {
  readonly id: string
  readonly receiptKey: PublicKey
  readonly expiresAt: string
}

export interface RunRecord {
  readonly terms: RunTerms
  readonly state: RunState
  readonly version: number
  readonly round: number
  /** When the present state ends by itself. */
  readonly deadlineAt: string | null
  readonly approvals: readonly { readonly by: Thumbprint; readonly expiresAt: string }[]
  /** Owners who said `ready`, and what those who did not are waiting for. */
  readonly readiness: Readonly<
    Record<Thumbprint, { readonly state: 'ready' | 'waiting'; readonly reason: string }>
  >
  readonly worker: Thumbprint | null
  readonly nonces: Readonly<Record<Thumbprint, string>>
  readonly offer: RecordedOffer | null
  readonly evidence: string | null
  readonly accepts: readonly Thumbprint[]
  readonly spends: readonly RecordedSpend[]
  /** Size of the smallest checkpoint that holds every Spend; once every owner cosigned one, that one's. */
  readonly spendsCheckpoint: number | null
  readonly releases: readonly RecordedRelease[]
  readonly start: string | null
  readonly renewals: Readonly<Record<Thumbprint, { readonly id: string; readonly sequence: number }>>
  readonly receipt: { readonly id: string; readonly index: number; readonly outcome: Outcome } | null
  readonly receiptCheckpoint: number | null
  readonly cosigned: readonly Thumbprint[]
  readonly outputs: readonly {
    readonly name: string
    readonly digest: string
    readonly size: number
    readonly recipients: readonly Thumbprint[]
  }[]
  readonly endedBecause: string | null
}
