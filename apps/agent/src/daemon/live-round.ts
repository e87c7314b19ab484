import type { Digest } from '#libs/canonical'

/** The round for which this agent has a live nonce. A newer one replaces it; after a crash before the Accept it is lost. */
export interface LiveRound {
  readonly round: number
  /** 32 bytes of base64url */
  readonly nonce: string
}

/** The live rounds of this process, one per run. In memory only: a nonce that outlives its process could be replayed to it. */
export type LiveRounds = Map<Digest, LiveRound & { readonly statement: string }>
