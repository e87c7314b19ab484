/**
 * One instance of the real worker, with a simulated TEE. Between two looks it does all that it can; what the coordinator answers
 * in that time is of the moment of the look, so that a sequence is played the same way every time.
 */
import { ClientError } from '#libs/client'
import { digest as digestOf, domains, type Digest } from '#libs/canonical'
import type { CheckpointMessage, RunView, WorkerEnd } from '#libs/protocol'
import { seededBytes } from '#libs/testing'
import type { Enclave } from '../../apps/enclave/src/enclave.js'
import { EnclaveClock } from '../../apps/enclave/src/enclave-clock.js'
import { freshKeys, type FreshKeys } from '../../apps/enclave/src/fresh-keys.js'
import type { RunChannel } from '../../apps/enclave/src/run-channel.js'
import { simulatedSource } from '../../apps/enclave/src/simulated-tee.js'
import { serve } from '../../apps/enclave/src/worker.js'
import type { HostileLog } from '../adversary/stage/hostile-log.js'
import { measurement, simulatorKey } from '../adversary/stage/offer-of.js'
import type { Cast } from './cast.js'
import type { Keeper } from './keeper.js'
import { smallEngine } from './small-engine.js'

class Killed extends Error {}

/** The log as the worker was shown it when it last looked. */
interface Glimpse {
  readonly log: HostileLog
  readonly checkpoint: CheckpointMessage
}

interface Parked {
  readonly version: number
  readonly until: number
  readonly resume: (view: RunView | null) => void
  readonly fail: (error: Error) => void
}

export class Worker {
  /** Every pair of keys that this instance made an Offer with. */
  readonly keys: FreshKeys[] = []
  ended: WorkerEnd | null = null
  alive = true
  private parked: Parked | null = null
  private busy = false
  private glimpse: Glimpse
  private changed: () => void = () => undefined

  private constructor(
    private readonly cast: Cast,
    private readonly keeper: Keeper,
    readonly run: Digest,
    readonly name: string,
    glimpse: Glimpse,
  ) {
    this.glimpse = glimpse
  }

  /** Starts an instance on a run. `hostClock` is where its host's clock stands, in milliseconds. */
  static async begin(
    cast: Cast,
    keeper: Keeper,
    run: Digest,
    name: string,
    hostClock: number,
  ): Promise<Worker> {
    const worker = new Worker(cast, keeper, run, name, await glimpse(keeper, run))
    const { clock } = cast
    const start = clock.now()
    const randomBytes = seededBytes(name)
    const take = freshKeys(randomBytes)
    const parser = { parse: () => Promise.resolve(cast.tree), kill: () => undefined }
    const enclave: Enclave = {
      channel: worker.channel(),
      clock: new EnclaveClock(() => hostClock + clock.now() - start),
      worker: {
        source: simulatedSource(simulatorKey, measurement),
        build: { name: 'sealroom-enclave', version: '0', measurement },
        sandbox: 'process',
      },
      parser: () => Promise.resolve(parser),
      dataEngine: (inputs) => Promise.resolve(smallEngine(inputs)),
      modelRuntime: () => Promise.reject(new Error('no model is part of this game')),
      engineVersion: { name: 'small', version: '0' },
      takeKeys: async () => {
        const keys = await take()
        worker.keys.push(keys)
        return keys
      },
      sleep: (milliseconds) => {
        clock.advance(milliseconds)
        return Promise.resolve()
      },
      randomBytes,
      journal: (step, facts) => {
        if (step === 'started' || step === 'recorded') worker.busy = true
        if (step === 'receipt' && facts?.code === 'completed') worker.busy = false
        worker.changed()
      },
      spent: { executed: false },
    }
    const contract = keeper.contractView('worker')
    serve({ run: keeper.runView('worker', run), contract }, enclave)
      .catch((error: unknown) => {
        if (!(error instanceof Killed)) worker.fault = error instanceof Error ? error : new Error('unknown')
      })
      .finally(() => {
        worker.alive = false
        worker.changed()
      })
    await worker.settled()
    return worker
  }

  /** An error that is nobody's fault but the worker's. */
  fault: Error | null = null

  /** Shows it what is new, and lets it do what it can. */
  async look(): Promise<void> {
    const { parked } = this
    if (!this.alive || parked === null) return
    const view = this.keeper.runView('worker', this.run)
    const late = this.cast.clock.now() >= parked.until
    if (view.version <= parked.version && !late) return
    this.glimpse = await glimpse(this.keeper, this.run)
    this.parked = null
    parked.resume(view.version > parked.version ? view : null)
    await this.settled()
  }

  /** SIGKILL. */
  kill(): void {
    this.alive = false
    this.parked?.fail(new Killed())
    this.parked = null
  }

  private async settled(): Promise<void> {
    while (this.alive && (this.busy || this.parked === null))
      await new Promise<void>((resolve) => {
        this.changed = resolve
      })
    if (this.fault !== null) throw this.fault
  }

  private channel(): RunChannel {
    const { keeper, cast } = this
    const alive = () => {
      if (!this.alive) throw new Killed()
    }
    return {
      run: (version, waitSeconds) =>
        new Promise((resume, fail) => {
          this.parked = { version, until: cast.clock.now() + waitSeconds * 1000, resume, fail }
          this.changed()
        }),
      log: () =>
        Promise.resolve({
          origin: cast.log.origin,
          logKey: cast.log.key.publicKey,
          coordinatorKey: cast.log.coordinatorKey.publicKey,
          size: cast.log.size(),
        }),
      checkpoint: () => Promise.resolve(this.glimpse.checkpoint),
      // eslint-disable-next-line @typescript-eslint/require-await -- a refusal must be a rejection, as over a network
      inclusion: async (digest, size) => {
        if (this.glimpse.log.indexOf(digest) === null)
          throw new ClientError('COORDINATOR_REFUSED', 'no such entry')
        return this.glimpse.log.inclusion(digest, size)
      },
      record: async (statement, attachment) => {
        alive()
        return await keeper.hearWorker(this.run, this.name, statement, attachment ?? null)
      },
      download: async ({ digest }, file) => {
        const bytes = keeper.blobs.get(digest) ?? new Uint8Array()
        if (digestOf(domains.ciphertext, bytes) !== digest) throw new ClientError('TRANSFER_MISMATCH', digest)
        await file.write(bytes, 0, bytes.length, 0)
      },
      upload: async ({ digest, size }, file) => {
        alive()
        const { buffer } = await file.read(new Uint8Array(size), 0, size, 0)
        keeper.blobs.set(digest, buffer)
      },
      // eslint-disable-next-line @typescript-eslint/require-await -- a refusal must be a rejection, as over a network
      end: async (end) => {
        alive()
        this.ended = end
        keeper.workerEnded(this.run, this.name, end)
      },
    }
  }
}

async function glimpse(keeper: Keeper, run: Digest): Promise<Glimpse> {
  return { log: keeper.shown.log('worker'), checkpoint: await keeper.checkpointOf('worker', run) }
}
