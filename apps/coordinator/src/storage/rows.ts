/** What is kept, as the rest of the program sees it. Rows of the database never leave storage/. */
import type { StatementType, Thumbprint } from '#libs/canonical'
import type { RegisterWorker, RunState, eventKinds } from '#libs/protocol'
import type { RunRecord } from '../runs/run-record.js'

/** A recorded statement. `position` orders everything recorded; `leafIndex` only what is in the log. */
export interface StoredStatement {
  readonly position: number
  readonly digest: string
  readonly id: string
  readonly type: StatementType
  readonly signer: Thumbprint
  readonly kid: Thumbprint
  readonly jws: string
  readonly attachment: string | null
  readonly contract: string | null
  readonly run: string | null
  readonly leafIndex: number | null
  readonly leaf: string | null
  readonly recordedAt: string
}

export interface StoredRun {
  readonly id: string
  readonly contract: string
  readonly computation: string
  readonly requester: Thumbprint
  readonly requestedAt: string
  readonly state: RunState
  readonly ended: boolean
  readonly version: number
  readonly round: number
  readonly deadlineAt: string | null
  readonly record: RunRecord
}

export type WorkerState = 'idle' | 'reserved' | 'ended'

export interface StoredWorker {
  readonly thumbprint: Thumbprint
  readonly publicKey: string
  readonly tee: RegisterWorker['tee']
  readonly measurement: string
  readonly state: WorkerState
  readonly run: string | null
  readonly registeredAt: string
}

export interface StoredEvent {
  readonly cursor: number
  readonly kind: (typeof eventKinds)[number]
  readonly contract: string | null
  readonly run: string | null
  /** Whom an event concerns that belongs to no contract. */
  readonly party: Thumbprint | null
  readonly size: number | null
  readonly recordedAt: string
}

export interface StoredCosignature {
  readonly size: number
  readonly witness: Thumbprint
  readonly line: string
  readonly recordedAt: string
}

export interface StoredInvitation {
  readonly secretDigest: string
  readonly label: string
  readonly expiresAt: string
  readonly usedBy: Thumbprint | null
}

export interface StoredUpload {
  readonly digest: string
  readonly party: Thumbprint
  readonly size: number
  /** The run whose worker brought it. */
  readonly run: string | null
  readonly startedAt: string
  readonly storedAt: string | null
}

export interface UsedToken {
  readonly jti: string
  readonly expiresAt: string
}

/** Everything that one act changes. It is kept whole or not at all. */
export interface Change {
  readonly statements: readonly StoredStatement[]
  readonly runs: readonly StoredRun[]
  readonly workers: readonly StoredWorker[]
  readonly events: readonly StoredEvent[]
  readonly cosignatures: readonly StoredCosignature[]
  readonly invitations: readonly StoredInvitation[]
  readonly uploads: readonly StoredUpload[]
  readonly tokens: readonly UsedToken[]
}

export const emptyChange: Change = {
  statements: [],
  runs: [],
  workers: [],
  events: [],
  cosignatures: [],
  invitations: [],
  uploads: [],
  tokens: [],
}
