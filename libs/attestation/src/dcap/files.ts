/** Quotes and collateral as files that people exchange. */
import { CodedError, fromHex, fromUtf8 } from '#libs/canonical'
import type { QuoteEvidence } from './authenticate.js'
import { parseDcapCollateral } from './collateral.js'
import { refusal } from './refusal.js'

/** A quote with the file of its collateral; null: there is none. */
export interface QuoteFiles {
  readonly quote: Uint8Array
  /** Hexadecimal text may begin with 0x and end with white space. Left out: raw. */
  readonly quoteEncoding?: 'raw' | 'hex'
  readonly collateral: Uint8Array | null
}

/**
 * Reads both files.
 * @throws AttestationError `MALFORMED`.
 */
export function readQuoteFiles({ quote, quoteEncoding = 'raw', collateral }: QuoteFiles): QuoteEvidence {
  return {
    quote: quoteEncoding === 'hex' ? fromHexText(quote) : quote,
    collateral: collateral === null ? null : parseDcapCollateral(collateral),
  }
}

function fromHexText(file: Uint8Array): Uint8Array {
  try {
    return fromHex(fromUtf8(file).trim().replace(/^0x/i, '').toLowerCase())
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw refusal('MALFORMED', 'quote', 'it is not hexadecimal', 'parse', cause)
  }
}
