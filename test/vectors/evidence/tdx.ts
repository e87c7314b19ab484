import { certificateFingerprint, intelRoots, judgeTdxQuote } from '#libs/attestation'
import { fileOf, optionalFileOf, optionalTextOf } from './adapter.js'
import { CaseUnreadable, type CaseInputs, type EvidenceAdapter } from './adapter.js'

/** The quote of a case with its collateral. */
export function quoteFilesOf(inputs: CaseInputs): Parameters<typeof judgeTdxQuote>[0] {
  const encoding = optionalTextOf(inputs, 'quoteEncoding') ?? 'raw'
  if (encoding !== 'raw' && encoding !== 'hex') throw new CaseUnreadable(`no encoding ${encoding} of quotes`)
  return {
    quote: fileOf(inputs, 'quote'),
    quoteEncoding: encoding,
    collateral: optionalFileOf(inputs, 'collateral') ?? null,
  }
}

/** The root that a case pins; Intel's where it has none of its own. */
export function intelRootsOf(inputs: CaseInputs): readonly string[] {
  const root = optionalFileOf(inputs, 'root')
  return root === undefined ? intelRoots : [certificateFingerprint(root)]
}

/** Cases of kind `tdx`. */
export const tdx: EvidenceAdapter = (inputs) =>
  judgeTdxQuote(quoteFilesOf(inputs), { at: inputs.at, roots: intelRootsOf(inputs) })
