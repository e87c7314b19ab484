import type { Verified } from '#libs/canonical'
import { startKind, type Start } from '#libs/protocol'
import type { Part } from './begin.js'
import type { MadeOffer } from './make-offer.js'
import { signByEnclave, type Signer } from './statement-by-enclave.js'
import type { Job } from './verify-job.js'

/** The worker has everything that it needs, and begins. */
export async function signStart(
  job: Job,
  { offer }: MadeOffer,
  parts: readonly Part[],
  signer: Signer,
): Promise<Verified<Start>> {
  const releases = parts.map(({ release }) => release.id)
  const fields = {
    contract: job.contract.id,
    run: job.run,
    round: offer.payload.round,
    offers: [offer.id],
    releases,
  }
  return await signByEnclave(startKind, fields, signer)
}
