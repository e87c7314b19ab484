/** What one instance of the worker has at hand for its one run. */
import type { Engine } from '#libs/engine'
import type { ModelRuntime } from '#libs/runtime'
import type { EnclaveClock } from './enclave-clock.js'
import type { FreshKeys } from './fresh-keys.js'
import type { Journal } from './journal.js'
import type { OfferedWorker } from './make-offer.js'
import type { RunChannel } from './run-channel.js'
import type { Sleep } from './time-grid.js'

export interface Enclave {
  readonly channel: RunChannel
  readonly clock: EnclaveClock
  readonly worker: OfferedWorker
  /** Reads query texts; never gets data. */
  readonly parser: () => Promise<Pick<Engine, 'parse' | 'kill'>>
  /** A fresh engine with so many input files; the warm one where it has enough. Each call gives another. */
  readonly dataEngine: (inputs: number) => Promise<Engine>
  /** A fresh child for one model; it has seen neither model nor data. */
  readonly modelRuntime: () => Promise<ModelRuntime>
  readonly engineVersion: { readonly name: string; readonly version: string }
  readonly takeKeys: () => Promise<FreshKeys>
  readonly sleep: Sleep
  readonly randomBytes: (length: number) => Uint8Array
  readonly journal: Journal
  /** Set when data is about to be opened; an instance that has it set opens nothing more. */
  readonly spent: { executed: boolean }
}
