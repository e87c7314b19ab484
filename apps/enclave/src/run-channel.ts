/**
 * The worker's one door to the world, as execute-run.ts sees it. Whatever comes in is a claim by an untrusted peer; whatever goes
 * out has passed execute-run.ts.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '#libs/canonical'
import type { CheckpointMessage, LogInfo, Recorded, RunView, WorkerEnd } from '#libs/protocol'

/** Ciphertext by the digest of its bytes. */
export interface Blob {
  readonly digest: Digest
  readonly size: number
}

export interface InclusionMessage {
  readonly index: number
  readonly size: number
  readonly proof: readonly Digest[]
}

export interface RunChannel {
  /** The run as soon as it is newer than `version`; null where it was not within `waitSeconds`. */
  run(version: number, waitSeconds: number): Promise<RunView | null>
  /** Which keys the log claims to have. */
  log(): Promise<LogInfo>
  checkpoint(): Promise<CheckpointMessage>
  inclusion(statementDigest: Digest, size: number): Promise<InclusionMessage>
  /** Has a statement recorded; returns when the coordinator has acknowledged it. */
  record(statement: string, attachment?: string): Promise<Recorded>
  /** Fills an open file with ciphertext whose digest was checked. */
  download(blob: Blob, into: FileHandle): Promise<void>
  upload(blob: Blob, from: FileHandle): Promise<void>
  end(end: WorkerEnd): Promise<void>
}
