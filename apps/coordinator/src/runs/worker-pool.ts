/**
 * Fresh workers that wait for a run. Enrolment keeps strangers from filling the pool and gives no trust: what a worker is,
 * its evidence shows to the agents. One instance serves one run.
 */
import { Injectable } from '@nestjs/common'
import { publicKeySchema } from '#libs/protocol'
import type { Thumbprint } from '#libs/canonical'
import { CoordinatorError } from '../errors.js'
import { KeyDirectory } from '../http/key-directory.js'
import type { StoredWorker } from '../storage/rows.js'

/** Registered workers at one time, idle or reserved. */
export const maximumWorkers = 1000

@Injectable()
export class WorkerPool {
  private readonly workers = new Map<Thumbprint, StoredWorker>()
  private readonly seen = new Map<Thumbprint, number>()
  /** Who waits for an assignment right now: only these can be reserved without waiting for a lost one. */
  private readonly polling = new Map<Thumbprint, number>()

  constructor(private readonly keys: KeyDirectory) {}

  get size(): number {
    return this.workers.size
  }

  apply(worker: StoredWorker): void {
    this.workers.set(worker.thumbprint, worker)
    if (worker.state !== 'ended')
      this.keys.addWorker(worker.thumbprint, publicKeySchema.parse(JSON.parse(worker.publicKey)))
  }

  /** A worker that ended may still read its own run for a while; then it is forgotten. */
  forget(thumbprint: Thumbprint): void {
    this.workers.delete(thumbprint)
    this.seen.delete(thumbprint)
    this.keys.forgetWorker(thumbprint)
  }

  find(thumbprint: Thumbprint): StoredWorker | undefined {
    return this.workers.get(thumbprint)
  }

  /** @throws CoordinatorError `WORKER_UNKNOWN`. */
  get(thumbprint: Thumbprint): StoredWorker {
    const worker = this.workers.get(thumbprint)
    if (worker === undefined)
      throw new CoordinatorError('WORKER_UNKNOWN', 'this worker is not registered; register first')
    return worker
  }

  all(): IterableIterator<StoredWorker> {
    return this.workers.values()
  }

  sawNow(thumbprint: Thumbprint, now: number): void {
    this.seen.set(thumbprint, now)
  }

  lastSeen(thumbprint: Thumbprint): number | undefined {
    return this.seen.get(thumbprint)
  }

  beginPoll(thumbprint: Thumbprint): void {
    this.polling.set(thumbprint, (this.polling.get(thumbprint) ?? 0) + 1)
  }

  endPoll(thumbprint: Thumbprint): void {
    const left = (this.polling.get(thumbprint) ?? 1) - 1
    if (left === 0) this.polling.delete(thumbprint)
    else this.polling.set(thumbprint, left)
  }

  isPolling(thumbprint: Thumbprint): boolean {
    return this.polling.has(thumbprint)
  }

  /** An idle worker that waits right now and is of a kind that the contract accepts. */
  findIdle(accepts: (worker: StoredWorker) => boolean): StoredWorker | undefined {
    for (const thumbprint of this.polling.keys()) {
      const worker = this.workers.get(thumbprint)
      if (worker?.state === 'idle' && accepts(worker)) return worker
    }
    return undefined
  }
}
