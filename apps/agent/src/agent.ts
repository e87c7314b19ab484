import type { SigningKey, Thumbprint, Verified } from '#libs/canonical'
import type { CollateralSource, TrustedHardware } from '#libs/attestation'
import type { CoordinatorClient } from '#libs/client'
import type { SealingKeyPair } from '#libs/envelope'
import type { Identity } from '#libs/protocol'
import type { AgentConfig } from './config.js'
import type { HouseRules } from './consent/house-rules.js'
import type { AgentStore } from './store/agent-store.js'

/** The keys that work unattended. The consent key is not among them: it is opened by a person, for one act. */
export interface DaemonKeys {
  readonly party: Thumbprint
  readonly identity: Verified<Identity>
  readonly daemonKey: SigningKey
  /** the newest first; older ones still open what was sealed to them */
  readonly sealingKeys: readonly SealingKeyPair[]
}

/**
 * By what evidence is judged: whose hardware is believed, and where collateral comes from. Every program gives `vendorHardware`;
 * only tests give another.
 */
export interface Appraisal extends TrustedHardware {
  readonly collateral: CollateralSource
}

/** Everything that an agent's parts need: no part reads a clock, randomness, file or environment of its own. */
export interface Agent {
  readonly config: AgentConfig
  readonly keys: DaemonKeys
  readonly store: AgentStore
  readonly client: CoordinatorClient
  readonly houseRules: HouseRules
  readonly appraisal: Appraisal
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  /** One line of what happens, for people and for `--json`; never data. */
  readonly report: (event: {
    readonly what: string
    readonly [detail: string]: string | number | boolean | null
  }) => void
}
