import { parseCanonical } from '#libs/canonical'
import { keyInfo, openBytes, openKey, outputContext, unpad } from '#libs/envelope'
import { offerSetDigest, releasedOutputSchema, type ReleasedOutput } from '#libs/protocol'
import type { Party } from './party.js'
import type { StagedRun } from './staged-run.js'

/**
 * Opens an output of a staged run as its recipient does; the only one where none is named.
 * @throws Error where nothing of it was released to this party.
 */
export async function openOutput(
  { said, blobs }: StagedRun,
  recipient: Party,
  name?: string,
): Promise<ReleasedOutput> {
  const outputs = said.receipt?.payload.outputs ?? []
  const output = name === undefined ? outputs[0] : outputs.find((one) => one.name === name)
  const sealed = said.outputKeys?.payload.keys.find(
    (key) => key.recipient === recipient.thumbprint && key.output === output?.name,
  )
  if (said.receipt === undefined || output === undefined || sealed === undefined || said.offer === undefined)
    throw new Error('nothing was released')
  const { contract, run } = said.receipt.payload
  const info = keyInfo({
    purpose: 'output-key',
    sender: said.offer.payload.by,
    recipient: recipient.thumbprint,
    contract,
    run,
    offer: said.offer.id,
    set: offerSetDigest([said.offer.id]),
    output: output.name,
  })
  const dataKey = await openKey(recipient.sealing, sealed.key, info)
  const context = outputContext({ run, output: output.name })
  const bytes = openBytes({ dataKey, context }, blobs.get(output.digest) ?? new Uint8Array())
  return releasedOutputSchema.parse(parseCanonical(unpad(bytes)))
}
