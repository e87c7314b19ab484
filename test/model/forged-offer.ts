/** Offers that the coordinator makes itself, with keys that it knows, in place of a worker's. */
import { payloadBytes, unverifiedStatement, verifyStatement, type StatementType } from '#libs/canonical'
import { offerKind, offerSchema, type RunView } from '#libs/protocol'
import { offerOf, type MadeOffer, type OfferOptions } from '../adversary/stage/offer-of.js'
import type { Cast } from './cast.js'

export const forgeries = ['stranger', 'otherBuild', 'old', 'otherNonces', 'otherRun', 'borrowed'] as const
export type Forgery = (typeof forgeries)[number]

export class Exchange {
  private made: MadeOffer | null = null

  constructor(
    private readonly cast: Cast,
    private readonly forgery: Forgery,
    private readonly options: Partial<OfferOptions>,
  ) {}

  /** What is recorded in place of a worker's statement; null where that is left as it is. */
  async of(
    type: StatementType,
    jws: string,
    view: RunView,
  ): Promise<{ readonly jws: string; readonly attachment: string | null } | null> {
    if (type === 'offer') {
      this.made = await this.forge(jws, view)
      return { jws: this.made.offer.jws, attachment: null }
    }
    if (type !== 'evidence' || this.made === null) return null
    const { evidence, evidenceBytes } = this.made
    return { jws: evidence.jws, attachment: Buffer.from(evidenceBytes).toString('base64url') }
  }

  private async forge(jws: string, view: RunView): Promise<MadeOffer> {
    const genuine = offerSchema.parse(unverifiedStatement(jws).payload)
    const { contract, clock } = this.cast
    // Evidence that a real enclave gave: for its own Offer, or for one over the nonces of another time.
    const evidenceFor =
      this.forgery === 'borrowed'
        ? async () => payloadBytes(await verifyStatement(offerKind, jws, genuine.receiptKey))
        : undefined
    const nonces = Object.fromEntries(Object.keys(genuine.nonces).map((owner) => [owner, 'A'.repeat(43)]))
    return await offerOf({
      contract,
      view,
      clock,
      seed: this.forgery,
      ...this.options,
      change: {
        identities: genuine.identities,
        ...(this.forgery === 'otherNonces' ? { nonces } : {}),
        ...this.options.change,
      },
      ...(evidenceFor === undefined ? {} : { evidenceFor }),
    })
  }
}
