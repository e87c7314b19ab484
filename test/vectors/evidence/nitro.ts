import { certificateFingerprint, judgeNitroDocument } from '#libs/attestation'
import { fromHex } from '#libs/canonical'
import { fileOf, optionalTextOf, type EvidenceAdapter } from './adapter.js'

/** Cases of kind `nitro`, to the root that the case pins. */
export const nitro: EvidenceAdapter = (inputs) => {
  const nonce = optionalTextOf(inputs, 'nonce')
  return judgeNitroDocument(fileOf(inputs, 'document'), {
    at: inputs.at,
    roots: [certificateFingerprint(fileOf(inputs, 'root'))],
    nonce: nonce === undefined ? null : fromHex(nonce),
  })
}
