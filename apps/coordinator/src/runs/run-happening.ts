/** What can happen to a run, and how long it waits where no statement says so. */
import type { PublicKey, Thumbprint } from '#libs/canonical'
import { type Outcome, type WorkerEnd } from '#libs/protocol'
import type { RecordedRelease, RecordedSpend, RunRecord } from './run-record.js'

/** How long the states wait whose end no statement names. */
export interface RunTimeouts {
  readonly nonceSeconds: number
  readonly offerSeconds: number
  readonly outputKeysSeconds: number
  readonly maximumRounds: number
}

/** What can happen to a run. */
export type RunHappening =
  | { readonly kind: 'approved'; readonly by: Thumbprint; readonly expiresAt: string }
  | { readonly kind: 'denied'; readonly by: Thumbprint }
  | {
      readonly kind: 'answered'
      readonly owner: Thumbprint
      readonly answer: 'ready' | 'waiting'
      readonly reason: string
    }
  | { readonly kind: 'reserved'; readonly worker: Thumbprint }
  | { readonly kind: 'nonce'; readonly owner: Thumbprint; readonly nonce: string }
  | {
      readonly kind: 'offered'
      readonly id: string
      readonly receiptKey: PublicKey
      readonly expiresAt: string
    }
  | { readonly kind: 'evidenced'; readonly id: string }
  | { readonly kind: 'accepted'; readonly owner: Thumbprint }
  | { readonly kind: 'spent'; readonly spend: RecordedSpend; readonly sizeAfter: number }
  | { readonly kind: 'cosigned'; readonly size: number; readonly witnesses: readonly Thumbprint[] }
  | { readonly kind: 'released'; readonly release: RecordedRelease }
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'renewed'; readonly owner: Thumbprint; readonly id: string; readonly sequence: number }
  | {
      readonly kind: 'receipted'
      readonly id: string
      readonly index: number
      readonly outcome: Outcome
      readonly outputs: RunRecord['outputs']
      readonly sizeAfter: number
    }
  | { readonly kind: 'keysGiven' }
  | { readonly kind: 'refused'; readonly by: Thumbprint; readonly step: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'stopped'; readonly because: string }
  | {
      readonly kind: 'workerEnded'
      readonly code: WorkerEnd['code']
      readonly owner: Thumbprint | null
      readonly detail: string
    }
  | { readonly kind: 'workerLost' }
  | { readonly kind: 'deadline' }
