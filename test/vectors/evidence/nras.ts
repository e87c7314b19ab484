import { judgeNras } from '#libs/attestation'
import { CaseUnreadable, fileOf, optionalTextOf, type EvidenceAdapter } from './adapter.js'
import { tokenTrustOf } from './token.js'

/** Cases of kind `nras`. */
export const nras: EvidenceAdapter = (inputs) => {
  const gpus = inputs.fields['gpus'] ?? null
  if (gpus !== null && typeof gpus !== 'number')
    throw new CaseUnreadable('the gpus of the case are no number')
  const request = { nonce: optionalTextOf(inputs, 'nonce') ?? null, gpus }
  return judgeNras(fileOf(inputs, 'bundle'), request, tokenTrustOf(inputs))
}
