import type { AzureFiles } from '#libs/attestation'
import { fromHex } from '#libs/canonical'
import { optionalFileOf, optionalTextOf, type CaseInputs } from './adapter.js'

/** The files of a case of an Azure VM, in whatever form it comes. */
export function azureFilesOf(inputs: CaseInputs): AzureFiles {
  const file = (role: keyof AzureFiles): Uint8Array | undefined => optionalFileOf(inputs, role)
  return {
    evidenceJson: file('evidenceJson'),
    hcl: file('hcl'),
    quote: file('quote'),
    tpmQuoteJson: file('tpmQuoteJson'),
    msg: file('msg'),
    sig: file('sig'),
    vek: file('vek'),
    chain: file('chain'),
    crl: file('crl'),
    tdQuote: file('tdQuote'),
    collateral: file('collateral'),
  }
}

/** The nonce that a case asks for; null where it asks for none. */
export function nonceOf(inputs: CaseInputs): Uint8Array | null {
  const nonce = optionalTextOf(inputs, 'nonce')
  return nonce === undefined ? null : fromHex(nonce.toLowerCase())
}
