/** What a command takes from outside: output, questions, clock, randomness. Tests give their own. */
import type { TrustedHardware } from '#libs/attestation'
import type { AskSecret } from '../keys/unlock.js'
import type { ScryptCost } from '../keys/sealed-file.js'

export interface World {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Whether a person watches standard error. */
  readonly interactive: boolean
  readonly ask: AskSecret
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly defaultHome: string
  /** Aborted when the person stops the command. */
  readonly signal: AbortSignal
  /** Returns early where the signal says so. */
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** `vendorHardware` in every program: no argument, setting or variable of one leads to another. */
  readonly hardware: TrustedHardware
  /** Tests alone: a cheaper passphrase, for writing and reading. */
  readonly scryptCost?: ScryptCost
}

/** What a command found: shown as text, or with `--json` as JSON. */
export interface Answer {
  readonly text: readonly string[]
  readonly json: unknown
  /** @defaultValue 0 */
  readonly exit?: number
}
