/** Where workers register, wait for a run, follow it and leave. */
import { timingSafeEqual } from 'node:crypto'
import { Injectable } from '@nestjs/common'
import { thumbprintOf, utf8, type Digest, type Thumbprint } from '#libs/canonical'
import type { RegisterWorker, WorkerEnd } from '#libs/protocol'
import { Clock } from '../clock.js'
import { ContractBook } from '../contracts/contract-book.js'
import { ContractViews } from '../contracts/contract-view.js'
import { CoordinatorError } from '../errors.js'
import type { Caller } from '../http/caller.js'
import { KeyDirectory } from '../http/key-directory.js'
import { ChangeSignal } from '../ledger/change-signal.js'
import { Ledger } from '../ledger/ledger.js'
import { RunBook } from './run-book.js'
import { RunDriver, RunSettings } from './run-driver.js'
import { runViewText } from './run-view.js'
import { maximumWorkers, WorkerPool } from './worker-pool.js'

export abstract class EnrolmentSettings {
  abstract readonly enrolmentSecret: string
}

@Injectable()
export class WorkerDesk {
  constructor(
    private readonly ledger: Ledger,
    private readonly pool: WorkerPool,
    private readonly runs: RunBook,
    private readonly driver: RunDriver,
    private readonly contracts: ContractBook,
    private readonly views: ContractViews,
    private readonly keys: KeyDirectory,
    private readonly signal: ChangeSignal,
    private readonly clock: Clock,
    private readonly settings: RunSettings,
    private readonly enrolment: EnrolmentSettings,
  ) {}

  /** @throws CoordinatorError `ENROLMENT_INVALID`, `WORKER_STATE_CONFLICT`, `STATEMENT_NOT_BY_CALLER`. */
  async register(registration: RegisterWorker, caller: Caller): Promise<void> {
    const thumbprint = thumbprintOf(registration.key)
    if (!equalSecrets(registration.enrolment, this.enrolment.enrolmentSecret))
      throw new CoordinatorError('ENROLMENT_INVALID', "the enrolment secret is not the operator's")
    if (caller.kind === 'worker' && caller.thumbprint === thumbprint) return
    if (caller.kind !== 'newcomer' || caller.thumbprint !== thumbprint)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        'a worker registers the key that signs the request',
      )
    await caller.prove(registration.key)
    await this.ledger.write((draft) => {
      if (this.keys.find(thumbprint) !== undefined)
        throw new CoordinatorError('WORKER_STATE_CONFLICT', 'this key is in use already; make a fresh one')
      if (this.pool.size >= maximumWorkers)
        throw new CoordinatorError('REQUESTS_TOO_MANY', `${maximumWorkers} workers are registered`)
      const { tee, measurement, key } = registration
      draft.add('workers', {
        thumbprint,
        publicKey: JSON.stringify(key),
        tee,
        measurement,
        state: 'idle',
        run: null,
        registeredAt: draft.time(),
      })
    })
    this.pool.sawNow(thumbprint, this.clock.now())
  }

  /** The run that this worker is reserved for, as JSON; null where there was none in the time. */
  async assignment(thumbprint: Thumbprint, waitSeconds: number, gone: AbortSignal): Promise<string | null> {
    return await this.poll(thumbprint, waitSeconds, gone, `worker ${thumbprint}`, () => {
      const worker = this.pool.get(thumbprint)
      if (worker.state === 'ended')
        throw new CoordinatorError(
          'WORKER_STATE_CONFLICT',
          'this instance has served its run; start a fresh one',
        )
      const entry = worker.run === null ? undefined : this.runs.findLive(worker.run)
      if (entry?.run.record.worker !== thumbprint) return null
      const contract = this.views.view(this.contracts.get(entry.run.contract))
      return `{"run":${runViewText(entry, this.clock.now())},"contract":${JSON.stringify(contract)}}`
    })
  }

  /** The run, once it is newer than a version, as JSON; null where it was not in the time. */
  async run(
    thumbprint: Thumbprint,
    id: Digest,
    version: number,
    waitSeconds: number,
    gone: AbortSignal,
  ): Promise<string | null> {
    if (this.pool.get(thumbprint).run !== id)
      throw new CoordinatorError('RUN_UNKNOWN', `run ${id} is not this worker's`)
    const entry = await this.runs.get(id)
    return await this.poll(thumbprint, waitSeconds, gone, `run ${id}`, () =>
      entry.run.version > version ? runViewText(entry, this.clock.now()) : null,
    )
  }

  async end(thumbprint: Thumbprint, id: Digest, end: WorkerEnd): Promise<void> {
    const worker = this.pool.get(thumbprint)
    if (worker.run !== id) throw new CoordinatorError('RUN_UNKNOWN', `run ${id} is not this worker's`)
    await this.ledger.write((draft) => {
      const entry = this.runs.findLive(id)
      if (entry?.run.record.worker === thumbprint)
        this.driver.apply(draft, entry.run, { kind: 'workerEnded', ...end })
      else if (this.pool.get(thumbprint).state !== 'ended')
        draft.add('workers', { ...worker, state: 'ended' })
    })
  }

  private async poll(
    thumbprint: Thumbprint,
    waitSeconds: number,
    gone: AbortSignal,
    topic: string,
    read: () => string | null,
  ): Promise<string | null> {
    const until = this.clock.now() + Math.min(waitSeconds, this.settings.maximumWaitSeconds) * 1000
    this.pool.beginPoll(thumbprint)
    try {
      this.pool.sawNow(thumbprint, this.clock.now())
      if (this.pool.get(thumbprint).state === 'idle') await this.driver.offerWork()
      for (;;) {
        const answer = read()
        const left = until - this.clock.now()
        if (answer !== null || left <= 0 || gone.aborted || this.signal.isClosed) return answer
        await this.signal.wait(topic, left, gone)
      }
    } finally {
      this.pool.endPoll(thumbprint)
      this.pool.sawNow(thumbprint, this.clock.now())
    }
  }
}

function equalSecrets(given: string, expected: string): boolean {
  const [a, b] = [utf8(given), utf8(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
