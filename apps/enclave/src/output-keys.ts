/** The last thing that leaves: each output's key sealed to each of its recipients. Made only when the Receipt is recorded. */
import { toHex, type Thumbprint, type Verified } from '#libs/canonical'
import { keyInfo, sealKey, type SealingPublicKey } from '#libs/envelope'
import { outputKeysKind, type OutputKeys, type Receipt } from '#libs/protocol'
import type { CosignedCheckpoint } from '#libs/translog'
import { EnclaveError } from './errors.js'
import type { MadeOffer } from './make-offer.js'
import type { SealedOutput } from './outputs.js'
import { signByEnclave, type Signer } from './statement-by-enclave.js'
import { chainOf, type Job } from './verify-job.js'

/** The key that a recipient's outputs are sealed to, and where it stands: its Identity, or the request's one-time key (null). */
export interface RecipientKey {
  readonly party: Thumbprint
  readonly identity: string | null
  readonly key: SealingPublicKey
}

/** The requester may have named a key for this run alone; everybody else has the sealing key of the Identity in the Offer. */
export function recipientKey({ request, identities }: Job, party: Thumbprint): RecipientKey {
  const { by, resultKey } = request.payload
  if (party === by && resultKey !== null) return { party, identity: null, key: resultKey }
  const { newest } = chainOf(identities, party)
  return { party, identity: newest.id, key: newest.payload.sealingKey }
}

/** Seals and signs. `checkpoint` is the one that proves the Receipt recorded. */
export async function makeOutputKeys(
  job: Job,
  { offer, set }: MadeOffer,
  receipt: Verified<Receipt>,
  checkpoint: CosignedCheckpoint,
  outputs: readonly SealedOutput[],
  signer: Signer,
): Promise<Verified<OutputKeys>> {
  const keys = receipt.payload.outputs.flatMap(({ name, recipients }) =>
    recipients.map(async ({ party }) => {
      const recipient = recipientKey(job, party)
      const info = keyInfo({
        purpose: 'output-key',
        sender: signer.receiptKey.thumbprint,
        recipient: party,
        contract: job.contract.id,
        run: job.run,
        offer: offer.id,
        set,
        output: name,
      })
      const key = await sealKey(recipient.key, outputNamed(outputs, name).key, info)
      return { output: name, recipient: party, identity: recipient.identity, key }
    }),
  )
  return await signByEnclave(
    outputKeysKind,
    {
      contract: job.contract.id,
      run: job.run,
      round: offer.payload.round,
      receipt: receipt.id,
      checkpoint: { size: checkpoint.size, root: toHex(checkpoint.root) },
      keys: await Promise.all(keys),
    },
    signer,
  )
}

function outputNamed(outputs: readonly SealedOutput[], name: string): SealedOutput {
  const found = outputs.find((output) => output.name === name)
  if (found === undefined)
    throw new EnclaveError('RECEIPT_UNRECORDED', `the Receipt names an output ${name} that was not sealed`)
  return found
}
